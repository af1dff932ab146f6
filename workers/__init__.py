"""The processes that do a post's work in the background: ids in, one workflow step, done."""
