"""What is kept about a request, its links, the proof given and the decision made.

The tables stand in a MetaData of their own and know no other room: a person is a number, a post is an opaque
reference such as "post:12". Rules that must never fail stand here as constraints too, each with its reason;
`triggers` adds what constraints cannot say.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from approvals.columns import UtcDateTime, UtcText
from approvals.triggers import drop_triggers, triggers

__all__ = [
    "ApprovalBase",
    "ApprovalRequest",
    "ApprovalToken",
    "ApprovalView",
    "ApproverPasskey",
    "ApproverPin",
    "Decision",
    "DeputyAppointment",
    "LedgerEntry",
    "PasskeyChallenge",
    "ProofRecovery",
    "RequestStatus",
    "Verdict",
    "Withdrawal",
    "drop_triggers",  # a migration takes tables and triggers from one place
    "triggers",
]


class ApprovalBase(DeclarativeBase):
    """Every table of the approval room; constraints get names, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


class RequestStatus(StrEnum):
    """Where a request stands. Every state but open is final."""

    OPEN = "open"
    DECIDED = "decided"
    VOID = "void"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """The three answers a request can get."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CHANGES = "changes"


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class ApprovalRequest(ApprovalBase):
    """One question to one person about one sealed version."""

    __tablename__ = "approval_request"
    __table_args__ = (
        CheckConstraint(_one_of("status", RequestStatus), name="status"),
        # a closed request says when and why; an open one has neither
        CheckConstraint(
            "(status = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_reason IS NULL)", name="closing"
        ),
        CheckConstraint("author_id <> approver_id", name="author_never_approves"),
        CheckConstraint("length(digest) = 64", name="digest"),
        CheckConstraint("expires_at > opened_at", name="time_to_decide"),
        # two open questions about one post would let the older one be answered
        Index(
            "uq_approval_request_open_subject",
            "subject",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_approval_request_due", "status", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    version_ref: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[dict[str, Any]]
    override_asked: Mapped[bool]
    author_id: Mapped[int]
    approver_id: Mapped[int] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(8), default=RequestStatus.OPEN)
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)  # the same for every copy of the mail
    # the order of requests is the ledger's, because two can share a moment and a clock can be set back
    opened_seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), unique=True)


class ApprovalToken(ApprovalBase):
    """One e-mailed link. Only hashes are kept: whoever reads the database can open nothing with it."""

    __tablename__ = "approval_token"
    __table_args__ = (CheckConstraint("expires_at > created_at", name="lifetime"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"), index=True)
    person_id: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(32))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    view_hash: Mapped[str] = mapped_column(String(64), unique=True)  # of the cookie derived from the token
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ApprovalView(ApprovalBase):
    """One browser in which the second proof was given, for one request. Opening a link makes no row here."""

    __tablename__ = "approval_view"
    __table_args__ = (CheckConstraint("proved_until > proved_at", name="proof_lasts"),)

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[str] = mapped_column(ForeignKey("approval_token.id"), index=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"))
    person_id: Mapped[int] = mapped_column(index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    proved_at: Mapped[datetime]
    proved_until: Mapped[datetime]
    proof_method: Mapped[str] = mapped_column(String(16))


class ApproverPin(ApprovalBase):
    """A person's PIN, hashed, and how often it was tried in vain."""

    __tablename__ = "approver_pin"
    __table_args__ = (
        CheckConstraint("failures >= 0 AND failures <= 5", name="failures"),
        CheckConstraint("locked_at IS NULL OR failures = 5", name="lock"),
        CheckConstraint("unlock_failures >= 0 AND unlock_failures <= 5", name="unlock_failures"),
    )

    person_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pin_hash: Mapped[str] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(default=0)
    locked_at: Mapped[datetime | None]
    unlock_failures: Mapped[int] = mapped_column(default=0, server_default="0")  # tries behind the password
    set_at: Mapped[datetime]


class ApproverPasskey(ApprovalBase):
    """A passkey of a person: the public half, with which what it signed can be checked for ever."""

    __tablename__ = "approver_passkey"
    __table_args__ = (CheckConstraint("sign_count >= 0", name="sign_count"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[int] = mapped_column(index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url; at most 1,023 bytes (WebAuthn)
    public_key: Mapped[str] = mapped_column(Text)  # COSE, base64url
    sign_count: Mapped[int] = mapped_column(default=0)
    label: Mapped[str] = mapped_column(String(60))  # as its owner calls it
    transports: Mapped[list[Any]] = mapped_column(default=list)
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # never removed: decisions rest on it
    ended_by: Mapped[int | None]


class PasskeyChallenge(ApprovalBase):
    """A random challenge that a passkey has answered: it counts no second time. Giving one out writes nothing."""

    __tablename__ = "passkey_challenge"
    __table_args__ = (CheckConstraint("expires_at > created_at", name="lifetime"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  # hash of the challenge itself
    person_id: Mapped[int] = mapped_column(index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(64), default="")  # the request it opens, where it opens one
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class ProofRecovery(ApprovalBase):
    """Leave to choose a new second proof without the old one. It waits, so that its person can stop it."""

    __tablename__ = "proof_recovery"
    __table_args__ = (
        CheckConstraint("effective_at > asked_at", name="cooling_off"),
        CheckConstraint("person_id <> asked_by", name="asked_by_another"),
        CheckConstraint("(stopped_at IS NULL) = (stopped_by IS NULL)", name="stopping"),
        CheckConstraint("used_at IS NULL OR stopped_at IS NULL", name="one_end"),
        Index(
            "uq_proof_recovery_open_person",
            "person_id",
            unique=True,
            sqlite_where=text("used_at IS NULL AND stopped_at IS NULL"),
            postgresql_where=text("used_at IS NULL AND stopped_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[int]
    asked_by: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None]


class DeputyAppointment(ApprovalBase):
    """The headteacher's word that somebody decides for them from one moment to another, and why."""

    __tablename__ = "deputy_appointment"
    __table_args__ = (
        CheckConstraint("head_id <> deputy_id", name="another_person"),
        CheckConstraint("ends_at > starts_at", name="lasts"),
        CheckConstraint("ended_at IS NOT NULL OR ended_by IS NULL", name="ending"),
        CheckConstraint("reason_salt IS NOT NULL OR reason IS NULL", name="salt"),
        Index("ix_deputy_appointment_time", "starts_at", "ends_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    head_id: Mapped[int]
    deputy_id: Mapped[int] = mapped_column(index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(Text)
    reason_salt: Mapped[str | None] = mapped_column(String(64))
    proof_method: Mapped[str] = mapped_column(String(16))
    named_at: Mapped[datetime]
    ledger_seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), unique=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None]  # empty where its time was over, or one of the two is no longer what they were


class Decision(ApprovalBase):
    """What a person decided, in their own words, about exactly one digest. Never changed; its texts may be purged."""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint(_one_of("verdict", Verdict), name="verdict"),
        CheckConstraint("length(digest) = 64", name="digest"),
        # a text without its salt could no longer be held against the ledger
        CheckConstraint(
            "text_salt IS NOT NULL OR (statement IS NULL AND typed_name IS NULL AND answers IS NULL)", name="salt"
        ),
        CheckConstraint("text_salt IS NOT NULL OR marks IS NULL", name="marks_salt"),
        CheckConstraint("(assertion IS NULL) = (assertion_hash IS NULL)", name="assertion"),
        Index("uq_decision_assertion_hash", "assertion_hash", unique=True),  # what was signed serves once
        Index("ix_decision_version", "subject", "version_ref", "digest"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"), unique=True)  # decided once
    subject: Mapped[str] = mapped_column(String(64))
    version_ref: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(8))
    approver_id: Mapped[int]
    typed_name: Mapped[str | None] = mapped_column(Text)
    statement: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[list[Any] | None]
    marks: Mapped[list[Any] | None]  # what the changes asked for point at: [{"where": ..., "words": ...}, ...]
    # empty where the headteacher decided; otherwise the appointment under which a deputy did
    appointment_id: Mapped[str | None] = mapped_column(ForeignKey("deputy_appointment.id"))
    assertion: Mapped[str | None] = mapped_column(Text)  # what a passkey signed for this approval, as canonical JSON
    assertion_hash: Mapped[str | None] = mapped_column(String(64))
    proof_method: Mapped[str] = mapped_column(String(16))
    policy_version: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]  # who and when stand together: neither can be left out
    ledger_seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), unique=True)
    text_salt: Mapped[str | None] = mapped_column(String(64))


class Withdrawal(ApprovalBase):
    """The end of an approval. `by_person` is empty where the program itself found that it no longer holds."""

    __tablename__ = "withdrawal"
    __table_args__ = (CheckConstraint("reason_salt IS NOT NULL OR reason IS NULL", name="salt"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decision.id"), unique=True)
    by_person: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(Text)
    reason_salt: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime]
    ledger_seq: Mapped[int] = mapped_column(ForeignKey("ledger.seq"), unique=True)


class LedgerEntry(ApprovalBase):
    """One link of the chain. `at` and `body` are kept as the very text that was hashed.

    Entries from before the ledger was signed have neither key nor signature; none can follow a signed one.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint("seq >= 1", name="seq"),
        CheckConstraint("length(hash) = 64", name="hash"),
        CheckConstraint("(key_id IS NULL) = (signature IS NULL)", name="signed"),
        Index("ix_ledger_kind", "kind"),  # who had which role is asked at every send
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # computed under the lock: no gaps
    at: Mapped[datetime] = mapped_column(UtcText())
    kind: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    key_id: Mapped[str | None] = mapped_column(String(16))
    signature: Mapped[str | None] = mapped_column(String(88))  # Ed25519 over the hash, base64
