"""`gatekeeper drill`: publishers are killed at every point of their work, and no post is lost, doubled or unapproved."""
