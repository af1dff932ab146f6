"""The rules as data: id, clause, severity and the sentence the author reads."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gatekeeper.text.draft import Hit

SEVERITIES = ("advice", "justify", "block")
#: from the mildest: what a rule may be softened to
STEPS = ("off", *SEVERITIES)
_LONGEST_QUOTE = 90


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policy as the checker applies it.

    Attributes:
        hard: no school softens it or switches it off; `why` says why, in a sentence.
        must_hit: an example that must be found, in the text or in the `place` named, written from the `account` named.
        must_miss: one that must not.
    """

    id: str
    clause: str
    severity: str
    sentence: str
    hard: bool = False
    why: str = ""
    must_hit: str = ""
    must_miss: str = ""
    place: str = "text"
    account: str = "school"

    def softened(self, severity: str, to: str | None) -> str:
        """A finding's severity where the school softened this rule: never more than it was, and "off" for none.

        A hard rule keeps its own, whatever is asked.
        """
        if to is None or self.hard:
            return severity
        return to if STEPS.index(to) < STEPS.index(severity) else severity

    def message(self, quote: str | None) -> str:
        """The sentence with the quoted words in their place."""
        if quote is None:
            return self.sentence.replace("⟨q⟩", "This")
        words = " ".join(quote.split())
        shown = words if len(words) <= _LONGEST_QUOTE else words[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
        return self.sentence.replace("⟨q⟩", f"“{shown}”")

    def hit(
        self,
        field: str,
        start: int | None,
        end: int | None,
        quote: str | None,
        *,
        severity: str | None = None,
        pupil_ids: tuple[str, ...] = (),
    ) -> Hit:
        """A hit of this rule at a place."""
        return Hit(
            self.id, self.clause, severity or self.severity, field, start, end, quote, self.message(quote), pupil_ids
        )


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the file."""
    data = tomllib.loads(files("gatekeeper.text").joinpath("data/rules.toml").read_text(encoding="utf-8"))
    return {
        entry["id"]: Rule(must_hit=entry.pop("hit"), must_miss=entry.pop("miss"), **entry) for entry in data["rule"]
    }
