"""A local stand-in for the platforms, as strict as they are and as unreliable as they can be.

It speaks the shapes of X's API v2 and of the Graph API on one loopback port, told apart by `Host`, and shows the
simulated timelines as the public would see them. Nothing else in the product imports it: the demo starts it as a
process of its own, and the channels reach it only through a base URL that must be loopback.
"""
