"""The clauses of the school's policy as data: a finding, a rule or a page can name one by its number."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: what the gatekeeper does with a clause; several stand together as "E/S"
MODES = {"E": "enforce", "D": "detect", "S": "support", "R": "record", "-": "out of reach"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause in short form."""

    id: str
    text: str
    mode: str

    @property
    def modes(self) -> tuple[str, ...]:
        """What the gatekeeper does with it, in words."""
        return tuple(MODES[letter] for letter in self.mode.split("/"))


@cache
def clauses() -> dict[str, Clause]:
    """All clauses by number, in the order of the policy."""
    data = tomllib.loads(files("gatekeeper.policy").joinpath("clauses.toml").read_text(encoding="utf-8"))
    return {entry["id"]: Clause(**entry) for entry in data["clause"]}
