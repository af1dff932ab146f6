"""The rules as data: id, clause, severity and the sentence the author reads."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gatekeeper.text.draft import Hit

SEVERITIES = ("advice", "justify", "block")
_LONGEST_QUOTE = 90


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policy as the checker applies it."""

    id: str
    clause: str
    severity: str
    sentence: str

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
    return {entry["id"]: Rule(**entry) for entry in data["rule"]}
