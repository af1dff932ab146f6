"""Gatekeeper stands between a school's staff and the public: scanned, approved in writing, published once."""
