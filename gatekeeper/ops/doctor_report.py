"""What one look of `gatekeeper doctor` found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    ADVICE = "advice"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `do` says what to do about it, where there is something to do."""

    name: str
    state: State
    sentence: str
    do: str = ""


def ok(name: str, sentence: str) -> Check:
    """It is as it should be."""
    return Check(name, State.OK, sentence)


def advice(name: str, sentence: str, do: str = "") -> Check:
    """It works, and should be looked at soon."""
    return Check(name, State.ADVICE, sentence, do)


def wrong(name: str, sentence: str, do: str = "") -> Check:
    """It does not work, or must not stay so."""
    return Check(name, State.WRONG, sentence, do)
