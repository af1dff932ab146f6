"""A small approval room for the tests: a head, an author, a database of either kind and a clock that is told the time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import func, select, text

from approvals.decisions import decide
from approvals.proofs import ProvedView, prove_view, set_pin
from approvals.requests import Summary, open_request
from approvals.tables import ApprovalBase, ApprovalRequest, Decision, Verdict
from approvals.tokens import DECIDE, mint, open_link
from approvals.triggers import drop_triggers
from gatekeeper.db.session import Database

HEAD, AUTHOR, DEPUTY = 1, 2, 3
PIN, WRONG_PIN = "482915", "739164"
DIGEST = "ab" * 32
STATEMENT = "Yes, I approve this as shown."
NAME = "Ruth Okafor"


class Clock(Protocol):
    def now(self) -> datetime: ...
    def advance(self, **parts: float) -> None: ...


@dataclass
class Room:
    db: Database
    clock: Clock

    def ask(self, **over: Any) -> ApprovalRequest:
        with self.db.begin() as session:
            return open_request(session, **self.question(**over))

    def question(self, **over: Any) -> dict[str, Any]:
        """What one question is made of."""
        now = self.clock.now()
        asked: dict[str, Any] = {
            "subject": "post:12",
            "version_ref": "version:34",
            "digest": DIGEST,
            "title": "Harvest festival",
            "summary": Summary(("X", "Facebook Page"), due_at=now + timedelta(hours=5), counts={"photos": 2}),
            "override_asked": False,
            "author_id": AUTHOR,
            "approver_id": HEAD,
            "now": now,
            "expires_at": now + timedelta(hours=5),
        }
        return asked | over

    def link(self, request: ApprovalRequest) -> str:
        """A fresh token, as the mail carries it."""
        with self.db.begin() as session:
            return mint(session, request=request, person_id=request.approver_id, purpose=DECIDE, now=self.clock.now())

    def opened(self, token: str) -> str:
        """The view-only secret a browser gets for a token."""
        with self.db.read() as session:
            return open_link(session, token, purpose=DECIDE, now=self.clock.now()).view_secret

    def give_pin(self, person_id: int = HEAD, pin: str = PIN) -> None:
        with self.db.begin() as session:
            set_pin(session, person_id, pin, now=self.clock.now())

    def enter(self, view_secret: str, pin: str = PIN) -> ProvedView:
        with self.db.begin() as session:
            return prove_view(session, view_secret, pin, now=self.clock.now())

    def proved(self, request: ApprovalRequest) -> str:
        """The secret of a browser in which the PIN has just been given for this request."""
        self.give_pin(request.approver_id)
        secret = self.enter(self.opened(self.link(request))).view_secret
        assert secret is not None
        return secret

    def decide(self, view_secret: str, *, may_decide: Callable[[int], bool] = lambda _: True, **over: Any) -> Decision:
        given: dict[str, Any] = {
            "view_secret": view_secret,
            "verdict": Verdict.APPROVE,
            "digest_shown": DIGEST,
            "typed_name": NAME,
            "statement": STATEMENT,
            "answers": {},
            "required_findings": {},
            "policy_version": "2022-03",
            "now": self.clock.now(),
        }
        with self.db.begin() as session:
            return decide(session, **(given | over), may_decide=may_decide)

    def approved(self, **over: Any) -> Decision:
        """An approval on record."""
        return self.decide(self.proved(self.ask(**over)))

    def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self.db.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in ApprovalBase.metadata.sorted_tables
            }

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every stored value, to compare before and after."""
        with self.db.read() as session:
            return {
                table.name: sorted((tuple(map(str, row)) for row in session.execute(select(table))), key=str)
                for table in ApprovalBase.metadata.sorted_tables
            }

    def run(self, statement: str, **values: Any) -> None:
        """Raw SQL, past every rule of ours."""
        with self.db.begin() as session:
            session.execute(text(statement), values)

    def unguard(self) -> None:
        """Take the triggers away, as somebody with full rights on the database could."""
        with self.db.begin() as session:
            for statement in drop_triggers(self.db.engine.dialect.name):
                session.execute(text(statement))
