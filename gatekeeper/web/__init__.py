"""The pages staff see. Every route says who may use it; a route that says nothing is closed."""
