"""The word checker: finds what the policy forbids in a draft's text, alt texts and file names, and says why.

An engine of its own: no database, no web, no model. The same draft, roster and word lists always give the
same hits, in bounded time. No hit never means "allowed": lists cannot know everything.
"""
