"""What the ICO's report of a personal data breach asks, in the order of its form. Look at the form itself on the day."""

from typing import Final

#: the name of the field, the question, and whether it takes more than a line
QUESTIONS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("what", "What has happened?", True),
    ("how", "How did it happen?", True),
    ("found", "How did you find out?", True),
    ("prevent_before", "What was in place to prevent it?", True),
    ("cyber", "Was it caused by a cyber incident?", False),
    ("happened", "When did it happen?", False),
    ("data", "Which kinds of personal data were in it?", True),
    ("records", "How many records?", False),
    ("people", "How many people could be affected?", False),
    ("groups", "Who are they: pupils, parents, staff?", False),
    ("harm", "What harm has come or could come to them?", True),
    ("delay", "If more than 72 hours have passed: why?", True),
    ("actions", "What was done to put it right?", True),
    ("prevent_after", "What will keep it from happening again?", True),
    ("others", "Who else was told: police, insurer, other bodies?", False),
    ("contact", "Who answers the ICO's questions, and how are they reached?", False),
)
LONGEST: Final = 4000
