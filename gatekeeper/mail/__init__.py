"""E-mail: every message that must reach somebody is a row first, and is sent at least once."""
