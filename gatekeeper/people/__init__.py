"""Staff, pupils and consents: who works here, who is a child here, and what may be shown of whom, where."""
