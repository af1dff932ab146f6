"""A school with thousands of approved posts, written in bulk, each with the question, decision and ledger entries it needs."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from approvals import decisions, ledger, ledger_entries, proofs
from approvals.columns import utc_text
from approvals.requests import OPENED, Summary
from approvals.signing import Signer
from approvals.tables import ApprovalRequest, Decision, LedgerEntry, RequestStatus, Verdict
from gatekeeper.db.bare import table_of
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.digest import ChannelContent, Content, digest_of
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.roles import write_new_decider

PAGE = "111"
STATEMENT = "I approve this post for this page."
_DAY = timedelta(days=1)


def words_of(number: int) -> str:
    """What a post says: its number is the last word but one."""
    return f"Our harvest table is full. Thank you to every family! Basket {number} today."


def number_in(words: str) -> int:
    """The number of the post that says this."""
    return int(words.split()[-2])


def found(db: Database, *, now: datetime) -> dict[str, int]:
    """The people and the one channel of an empty database; returns their ids."""
    with db.begin() as session:
        ids: dict[str, int] = {}
        for role in (Role.AUTHOR, Role.HEADTEACHER):
            person = Staff(email=f"{role}@bench.example", name=f"Mx {role.title()} Bench", role=role, created_at=now)
            session.add(person)
            session.flush()
            write_new_decider(session, person, by=None, now=now)
            ids[role] = person.id
        account = ChannelAccount(
            kind="facebook", name="The page", remote_id=PAGE, status="open", declared_own=True,
            opened_by=ids[Role.HEADTEACHER], opened_at=now, created_by=ids[Role.HEADTEACHER], created_at=now,
        )  # fmt: skip
        session.add(account)
        session.flush()
        ids["account"] = account.id
    return ids


def approve_many(db: Database, ids: dict[str, int], dues: list[datetime], *, signer: Signer, now: datetime) -> None:
    """One approved post for each of these moments, numbered in their order, in a database that has none yet."""
    author, head, account = ids[Role.AUTHOR], ids[Role.HEADTEACHER], ids["account"]
    posts: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    questions: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    publications: list[dict[str, Any]] = []
    with db.begin() as session:
        chain = _Chain(session, signer, now)
        channel = ChannelContent(account_id=account, kind="facebook", remote_id=PAGE)
        for number, due in enumerate(dues):
            row_id, text = number + 1, words_of(number)
            canonical = Content(text=text, photos=(), channels=(channel,), due=due, window_minutes=120).canonical()
            posts.append({
                "id": row_id, "author_id": author, "title": "Harvest", "text": text, "channels": [account],
                "due_at": due, "window_minutes": 120, "state": PostState.SCHEDULED, "created_at": now,
                "changed_at": now,
            })  # fmt: skip
            versions.append({
                "id": row_id, "post_id": row_id, "number": 1, "revision": 0, "canonical": canonical, "originals": [],
                "digest": digest_of(canonical), "sealed_by": author, "sealed_at": now,
            })  # fmt: skip
            asked = _question(chain, posts[-1], versions[-1], head=head, now=now)
            decision = _decision(chain, asked, head=head, now=now)
            questions.append(asked)
            verdicts.append({name: value for name, value in vars(decision).items() if not name.startswith("_")})
            publications.append({
                "id": row_id, "version_id": row_id, "account_id": account, "decision_id": decision.id,
                "digest": versions[-1]["digest"], "state": PublicationState.SCHEDULED, "due_at": due, "next_at": due,
                "closes_at": due + timedelta(minutes=120), "fence": 0, "owner": "", "reads": 0, "permalink": "",
                "problem": "",
            })  # fmt: skip
        for model, rows in (
            (Post, posts), (Version, versions), (LedgerEntry, chain.rows), (ApprovalRequest, questions),
            (Decision, verdicts), (Publication, publications),
        ):  # fmt: skip
            session.execute(insert(table_of(model)), rows)
        session.execute(update(Post).values(version_id=Post.id))


class _Chain:
    """The next entries of the ledger, signed as it signs them, and written all at once."""

    def __init__(self, session: Session, signer: Signer, now: datetime) -> None:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).one()
        self._seq, self._hash, self._signer, self._now = last.seq, last.hash, signer, now
        self.rows: list[dict[str, Any]] = []

    def append(self, kind: str, body: dict[str, Any]) -> int:
        self._seq += 1
        written = ledger.canonical(body)
        hashed = ledger.entry_hash(self._hash, seq=self._seq, at=utc_text(self._now), kind=kind, body=written)
        self.rows.append({
            "seq": self._seq, "at": self._now, "kind": kind, "body": written, "prev_hash": self._hash, "hash": hashed,
            "key_id": self._signer.key_id, "signature": self._signer.sign(hashed),
        })  # fmt: skip
        self._hash = hashed
        return self._seq


def _question(
    chain: _Chain, post: dict[str, Any], version: dict[str, Any], *, head: int, now: datetime
) -> dict[str, Any]:
    request_id, subject = uuid4().hex, subject_of(post["id"])
    seq = chain.append(
        OPENED,
        {
            "request": request_id, "subject": subject, "version": str(version["id"]), "digest": version["digest"],
            "author": post["author_id"], "approver": head, "override_asked": False, "expires_at": utc_text(now + _DAY),
        },
    )  # fmt: skip
    return {
        "id": request_id, "subject": subject, "version_ref": str(version["id"]), "digest": version["digest"],
        "title": post["title"], "summary": Summary(channels=("Facebook",), due_at=post["due_at"]).to_json(),
        "override_asked": False, "author_id": post["author_id"], "approver_id": head, "opened_at": now,
        "expires_at": now + _DAY, "status": RequestStatus.DECIDED, "closed_at": now,
        "closed_reason": "It was decided.", "message_id": f"approval-{request_id}", "opened_seq": seq,
    }  # fmt: skip


def _decision(chain: _Chain, asked: dict[str, Any], *, head: int, now: datetime) -> Decision:
    decision = Decision(
        id=uuid4().hex, request_id=asked["id"], subject=asked["subject"], version_ref=asked["version_ref"],
        digest=asked["digest"], verdict=Verdict.APPROVE, approver_id=head, typed_name="Head Teacher",
        statement=STATEMENT, answers=[], marks=None, appointment_id=None, assertion=None, assertion_hash=None,
        proof_method=proofs.PIN, policy_version="1", decided_at=now, text_salt=secrets.token_hex(32),
    )  # fmt: skip
    said = decisions._facts(decision) | decisions._hashed(decision)
    decision.ledger_seq = chain.append(decisions.RECORDED, said)
    return decision


def check(db: Database) -> None:
    """The gate's own question about the last decision, so that a mistake in here is no measurement.

    PostgreSQL gets to know its tables, as it does by itself a minute later.
    """
    if not db.is_sqlite:
        with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))
    with db.begin() as session:
        decision = session.scalars(select(Decision).order_by(Decision.ledger_seq.desc()).limit(1)).one()
        assert ledger_entries.as_written(session, decision.ledger_seq) is not None
        assert decisions.is_in_force(session, decision.id, keep=True)
