"""Changing the rules as the school's own: what it softens, what it adds, and every version that ever was in force.

A change is taken whole or refused whole, with who made it, when and why. What names a pupil or gives a contact away is
softened by nobody, whatever a form sends. An added rule has to prove itself by its own two examples first.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.own_rules import PolicyVersion, policy_in_force
from gatekeeper.people.staff import record
from gatekeeper.policy.clauses import clauses
from gatekeeper.text.lexicon import LexiconError
from gatekeeper.text.own import read_own
from gatekeeper.text.toml_words import line_of
from gatekeeper.workflow.rule_book import WORDS, Rule, book
from gatekeeper.workflow.school_checker import checker_as_shipped
from gatekeeper.workflow.services import Services

SHORTEST_WHY: Final = 10
LONGEST_WHY: Final = 1_000
_SOMEBODY_ELSE: Final = (
    "Somebody changed the rules while you were writing, so nothing of yours was kept yet. Look at what is in force now, "
    "and save again if you still want this."
)


def save(
    services: Services, *, rules: str, softened: Mapping[str, str], why: str, based_on: int, by: int
) -> PolicyVersion:
    """Put a new version of the rules in force.

    Args:
        rules: the school's own rules as typed.
        softened: rule id -> what it is softened to; a rule left out, or named with its own severity, stands as shipped.
        based_on: the version the writer saw, 0 for the rules as they came.

    Raises:
        BadInput: something cannot be used; the version in force stays.
        Conflict: another version came into force meanwhile.
    """
    rules = rules.replace("\r\n", "\n").strip("\n")
    soft = _checked(softened)
    reason = _reason(why)
    with services.db.read() as session:  # proved here: building the engine takes its time, and holds nobody up
        _prove(session, rules)
    now = services.clock.now()
    with services.step() as session:
        ledger.hold(session)  # two at once: the second reads what the first made
        present = policy_in_force(session)
        if (present.number if present else 0) != based_on:
            raise Conflict(_SOMEBODY_ELSE)
        if (present.rules, dict(present.softened)) == (rules, soft) if present else not (rules or soft):
            raise BadInput("Nothing was changed, so there is nothing to save.")
        version = PolicyVersion(number=based_on + 1, rules=rules, softened=soft, why=reason, made_by=by, made_at=now)
        session.add(version)
        ledger.append(
            session, at=now, kind="rules.changed", body={"by": by, "number": version.number, "sha256": _digest(version)}
        )
        record(session, at=now, staff_id=by, action="rules.changed", subject=f"rules:{version.number}")
        session.flush()
    return version


def restore(services: Services, number: int, *, why: str, based_on: int, by: int) -> PolicyVersion:
    """Put an earlier version in force again, as a new one. 0 is the rules as they came.

    Raises:
        NotFound, BadInput, Conflict: there is none; it cannot be used any more; another came into force meanwhile.
    """
    rules, soft = "", {}
    if number:
        with services.db.read() as session:
            old = session.get(PolicyVersion, number)
            if old is None:
                raise NotFound("There is no such version of the rules.")
            rules, soft = old.rules, {rule: to for rule, to in old.softened.items() if rule in book("")}
    return save(services, rules=rules, softened=soft, why=why, based_on=based_on, by=by)


def _reason(why: str) -> str:
    reason = "".join(sign for sign in why if sign.isprintable() or sign in "\r\n\t").strip()
    if not SHORTEST_WHY <= len(reason) <= LONGEST_WHY:
        sentence = f"Say in a sentence why the rules change: at least {SHORTEST_WHY} characters."
        raise BadInput(sentence, fields={"why": sentence})
    return reason


def _checked(softened: Mapping[str, str]) -> dict[str, str]:
    """What is really softened, each to something the rule allows."""
    known = book("")
    wrong: dict[str, str] = {}
    soft: dict[str, str] = {}
    for name, to in softened.items():
        rule = known.get(name)
        if rule is None:
            wrong[f"soft-{name[:60]}"] = f"There is no rule called {name[:60]}."
        elif to != rule.severity and rule.hard:
            wrong[f"soft-{name}"] = f"{name} cannot be softened. {rule.why}"
        elif to not in rule.choices:
            wrong[f"soft-{name}"] = f"{name} cannot become “{WORDS.get(to, to[:20])}”: a rule is only ever softened."
        elif to != rule.severity:
            soft[name] = to
    if wrong:
        raise BadInput(next(iter(wrong.values())), fields=wrong)
    return dict(sorted(soft.items()))


def _prove(session: Session, text: str) -> None:
    """Every rule finds its own example, and leaves the other one alone."""
    try:
        own = read_own(text, clauses=clauses())
    except LexiconError as err:
        raise BadInput(str(err), fields={"rules": str(err)}) from err
    if not own.entries:
        return
    engine = checker_as_shipped(session)
    for entry in own.entries:
        only, account = own.lexicon(entry), entry.account or "school"
        where = f"Line {line_of(text, entry.id)}: {entry.id}"
        wrong = ""
        if entry.id not in engine.entries_in(only, entry.hit, account=account):
            wrong = f"{where} does not find its own “hit” example."
        elif entry.id in engine.entries_in(only, entry.miss, account=account):
            wrong = f"{where} finds its “miss” example too."
        if wrong:
            raise BadInput(wrong, fields={"rules": wrong})


def _digest(version: PolicyVersion) -> str:
    """What the ledger keeps of a version: enough to show that it is the one that was saved."""
    told = {"number": version.number, "rules": version.rules, "softened": version.softened, "why": version.why}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Change:
    """One line of a difference: what kind it is ("+", "-" or " ") and its words."""

    sign: str
    words: str


def versions(session: Session) -> list[PolicyVersion]:
    """Every version, the newest first."""
    return list(session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc())))


def difference(before: PolicyVersion | None, after: PolicyVersion | None) -> list[Change]:
    """What changed between two versions, to be read by a person; None is the rules as they came."""
    shipped = book("")
    old, new = _softened_of(before), _softened_of(after)
    changes: list[Change] = []
    for rule in sorted(old.keys() | new.keys()):
        if old.get(rule) != new.get(rule):
            changes += [
                Change(sign, f"{rule}: {_now(shipped.get(rule), soft.get(rule))}")
                for sign, soft in (("-", old), ("+", new))
            ]
    lines = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=2)
    changes += [Change(line[0], line[1:]) for line in lines if not line.startswith(("---", "+++", "@@"))]
    return changes


def _softened_of(version: PolicyVersion | None) -> Mapping[str, str]:
    return version.softened if version else {}


def _now(rule: Rule | None, to: str | None) -> str:
    severity = to or (rule.severity if rule else "")
    return WORDS.get(severity, severity) + ("" if to else ", as it came")


def _lines(version: PolicyVersion | None) -> list[str]:
    return version.rules.splitlines() if version else []
