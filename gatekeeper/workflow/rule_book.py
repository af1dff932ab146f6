"""All rules as a person reads them: those for words, those for photos and the school's own, clause by clause."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.people.own_rules import policy_in_force, version_label
from gatekeeper.people.staff import Staff
from gatekeeper.policy.clauses import Clause, clauses
from gatekeeper.policy.photo_rules import photo_rules
from gatekeeper.text import rules as word_rules
from gatekeeper.text.lexicon import LexiconError
from gatekeeper.text.own import read_own

WORDS: Final = {"block": "Must be changed", "justify": "Give a reason", "advice": "Advice", "off": "Off"}
_PHOTO_WHY: Final = "It keeps a pupil in a photo from being named or shown unasked, so this rule stays as it is."


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: what it says, how strict it came, and whether a school may soften it."""

    id: str
    clause: str
    sentence: str
    severity: str
    kind: str  # "words", "photos" or "own"
    hard: bool = False
    why: str = ""
    hit: str = ""
    miss: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """What it may be, the strictest first; a hard rule and a rule of the school's own (mended in its text) one thing."""
        if self.hard or self.kind == "own":
            return (self.severity,)
        return tuple(reversed(word_rules.STEPS[: word_rules.STEPS.index(self.severity) + 1]))


@dataclass(frozen=True)
class Line:
    """A rule as it stands now."""

    rule: Rule
    now: str

    @property
    def softened(self) -> bool:
        """Whether the school took it down from what it came as."""
        return self.now != self.rule.severity


@dataclass(frozen=True)
class Group:
    """The rules that serve one clause."""

    clause: Clause
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class RulesView:
    """The rules in force, and the version they are."""

    groups: tuple[Group, ...]
    number: int
    label: str
    text: str
    softened: Mapping[str, str]
    problem: str
    made_by: str
    version: object | None


def book(text: str) -> dict[str, Rule]:
    """Every rule by id, with those of a school's own file."""
    found = {rule.id: _of_words(rule) for rule in word_rules.rules().values()}
    for one in photo_rules().values():
        hard = one.severity == "block" or one.id.startswith(("photo-name", "name-"))
        found[one.id] = Rule(
            id=one.id,
            clause=one.clause,
            sentence=one.sentence.replace("⟨where⟩", "a photo"),
            severity=one.severity,
            kind="photos",
            hard=hard,
            why=_PHOTO_WHY if hard else "",
        )
    for rule in read_own(text).rules:
        found[rule.id] = _of_words(rule, kind="own")
    return found


def _of_words(rule: word_rules.Rule, kind: str = "words") -> Rule:
    return Rule(
        id=rule.id,
        clause=rule.clause,
        sentence=rule.sentence,
        severity=rule.severity,
        kind=kind,
        hard=rule.hard,
        why=rule.why,
        hit=rule.must_hit,
        miss=rule.must_miss,
    )


def rules_view(session: Session) -> RulesView:
    """The rules as they stand in this moment."""
    policy = policy_in_force(session)
    text, problem = policy.rules if policy else "", ""
    soft: Mapping[str, str] = policy.softened if policy else {}
    try:
        known = book(text)
    except LexiconError as err:
        known, problem = book(""), str(err)
    maker = session.get(Staff, policy.made_by) if policy else None
    lines = [
        Line(rule, soft.get(rule.id, rule.severity) if not rule.hard else rule.severity) for rule in known.values()
    ]
    groups = (
        Group(clause, tuple(line for line in lines if line.rule.clause == clause.id)) for clause in clauses().values()
    )
    return RulesView(
        groups=tuple(group for group in groups if group.lines),
        number=policy.number if policy else 0,
        label=version_label(session),
        text=text,
        softened=soft,
        problem=problem,
        made_by=maker.name if maker else "",
        version=policy,
    )
