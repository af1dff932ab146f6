"""The database, which is the truth: one transaction per step, durable before anybody is told."""
