"""Looks at pictures and words and says what it found, in findings a person can answer."""
