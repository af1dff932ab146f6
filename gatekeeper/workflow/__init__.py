"""The steps of a post's way. Each is one transaction, writes the new state and orders the next job; none calls another."""
