"""Written approval as evidence: who decided what, in which words, about exactly which sealed version.

The room promises that a decision is recorded once, by a person who may decide and has just proved who they are, and
that every decision stands in an append-only, hash-chained ledger. It knows digests and people, never posts.
"""
