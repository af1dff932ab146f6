"""Checks whether whoever decided had the right to, as the ledger tells it: the headteacher, or a deputy in their place."""

from __future__ import annotations

from typing import Any

from approvals.bundle_ledger import Ledger
from approvals.bundle_read import Report

HEAD, DEPUTY = "headteacher", "deputy"


def check_right(decision: Any, ledger: Ledger, report: Report) -> None:
    """Who decided was the headteacher, had been named as deputy for this time, or decided about the head's own post."""
    facts, seq = decision["decision"], decision["ledger_seq"]
    if facts["appointment"] is not None:
        _check_appointment(facts, decision, ledger, report)
        return
    roles = _roles(ledger, seq)
    if roles is None:
        report.note("The ledger does not tell who was the headteacher then: the school began before it did.")
        return
    asked = dict(ledger.of_kind("request.opened")).get(decision["request"]["opened_seq"], {})
    mine, authors = roles.get(facts["approver"]), roles.get(asked.get("author", 0))
    if mine == HEAD:
        report.ok(f"The ledger held person {facts['approver']} as the headteacher at that moment.")
    elif mine == DEPUTY and authors == HEAD:
        report.ok(f"Person {facts['approver']} was the deputy headteacher, and the headteacher had written the post.")
    else:
        report.wrong(f"The ledger did not hold person {facts['approver']} as the headteacher at that moment.")


def _check_appointment(facts: Any, decision: Any, ledger: Ledger, report: Report) -> None:
    seq, at = decision["ledger_seq"], decision["decided_at"]
    named = [
        (number, body)
        for number, body in ledger.of_kind("deputy.named")
        if body["appointment"] == facts["appointment"] and number < seq
    ]
    ended = [n for n, body in ledger.of_kind("deputy.ended") if body["appointment"] == facts["appointment"] and n < seq]
    # every moment is spelt alike, so that texts sort as times do
    if not named or named[0][1]["deputy"] != facts["approver"] or not named[0][1]["from"] <= at < named[0][1]["to"]:
        report.wrong("The ledger holds no appointment under which this person could decide as a deputy at that moment.")
        return
    number, body = named[0]
    roles = _roles(ledger, number)
    if ended:
        report.wrong("The appointment under which it was decided had been ended before.")
    elif roles is not None and roles.get(body["head"]) != HEAD:
        report.wrong("Whoever named the deputy was not the headteacher at that moment.")
    else:
        report.ok(f"Person {facts['approver']} decided as a deputy, named in ledger entry {number}.")


def _roles(ledger: Ledger, seq: int) -> dict[int, str] | None:
    """Who had which role when this entry was written; None where the ledger speaks of no headteacher at all."""
    roles: dict[int, str] = {}
    head_known = False
    for number, body in ledger.of_kind("role.changed"):
        if number >= seq:
            break
        if HEAD in (body.get("from"), body.get("to")):  # a new headteacher ends the former one's time
            head_known = True
            roles = {person: role for person, role in roles.items() if role != HEAD}
        roles[body["person"]] = body["to"]
    return roles if head_known else None
