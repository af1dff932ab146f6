"""Triggers that keep evidence as it was written, whoever holds the database connection.

Promised on SQLite and PostgreSQL alike:
- a ledger entry is never changed or removed, and a new one can only be the next one;
- a decision or withdrawal is never changed or removed; its free texts and their salt may become empty, nothing else;
- a request's question never changes, and a closed request never opens again;
- an appointment of a deputy and the public half of a passkey stay as they were given; once ended, they stay ended.

They guard against mistakes and against other code. Whoever may drop triggers can still rewrite rows; the hash chain
is there to show that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_NEXT = "NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM ledger)"
_LINKED = (
    "NEW.prev_hash IS DISTINCT FROM coalesce((SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1), '" + "0" * 64 + "')"
)


@dataclass(frozen=True)
class _Guarded:
    """What stays as it is in one table."""

    table: str
    frozen: Sequence[str]
    unique: Sequence[str]  # by which SQLite's INSERT OR REPLACE would remove a row without asking a delete trigger
    erasable: Sequence[str] = ()
    extra: str = ""

    def changed(self, *, cast: str) -> str:
        """The condition under which an update is refused."""
        frozen = [f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in self.frozen]
        erasable = [
            f"(NEW.{column} IS NOT NULL AND NEW.{column}{cast} IS DISTINCT FROM OLD.{column}{cast})"
            for column in self.erasable
        ]
        return " OR ".join([*frozen, *erasable, *([self.extra] if self.extra else [])])


_LEDGER = _Guarded(
    "ledger",
    frozen=("seq", "at", "kind", "body", "prev_hash", "hash", "key_id", "signature"),
    unique=("seq", "hash"),
)
_DECISION = _Guarded(
    "decision",
    frozen=(
        "id", "request_id", "subject", "version_ref", "digest", "verdict", "approver_id", "proof_method",
        "policy_version", "decided_at", "ledger_seq", "appointment_id", "assertion", "assertion_hash",
    ),
    unique=("id", "request_id", "ledger_seq", "assertion_hash"),
    erasable=("typed_name", "statement", "answers", "marks", "text_salt"),
)  # fmt: skip
_WITHDRAWAL = _Guarded(
    "withdrawal",
    frozen=("id", "decision_id", "by_person", "at", "ledger_seq"),
    unique=("id", "decision_id", "ledger_seq"),
    erasable=("reason", "reason_salt"),
)
_REQUEST = _Guarded(
    "approval_request",
    frozen=(
        "id", "subject", "version_ref", "digest", "override_asked", "author_id", "approver_id", "opened_at",
        "expires_at", "message_id", "opened_seq",
    ),
    unique=("id", "opened_seq", "message_id"),
    extra="(OLD.status <> 'open' AND NEW.status IS DISTINCT FROM OLD.status)",
)  # fmt: skip
_APPOINTMENT = _Guarded(
    "deputy_appointment",
    frozen=("id", "head_id", "deputy_id", "starts_at", "ends_at", "proof_method", "named_at", "ledger_seq"),
    unique=("id", "ledger_seq"),
    erasable=("reason", "reason_salt"),
    extra="(OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at "
    "OR NEW.ended_by IS DISTINCT FROM OLD.ended_by))",
)
_PASSKEY = _Guarded(
    "approver_passkey",
    frozen=("id", "person_id", "credential_id", "public_key", "added_at"),
    unique=("id", "credential_id"),
    extra="(OLD.ended_at IS NOT NULL AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at "
    "OR NEW.ended_by IS DISTINCT FROM OLD.ended_by))",
)
_ALL = (_LEDGER, _DECISION, _WITHDRAWAL, _REQUEST, _APPOINTMENT, _PASSKEY)

#: columns that came with the third schema
_LATER = frozenset({"key_id", "signature", "appointment_id", "assertion", "assertion_hash", "marks"})


def _before_signatures(guarded: _Guarded) -> _Guarded:
    return replace(
        guarded,
        frozen=[name for name in guarded.frozen if name not in _LATER],
        unique=[name for name in guarded.unique if name not in _LATER],
        erasable=[name for name in guarded.erasable if name not in _LATER],
    )


_FIRST = tuple(_before_signatures(guarded) for guarded in (_LEDGER, _DECISION, _WITHDRAWAL, _REQUEST))


def triggers(dialect: str) -> list[str]:
    """The statements that set the guards, to be run one by one after the tables exist."""
    return _sqlite(_ALL) if _known(dialect) == "sqlite" else _postgresql(_ALL)


def first_triggers(dialect: str) -> list[str]:
    """The guards of the first schema, which a later migration replaces."""
    return _sqlite(_FIRST) if _known(dialect) == "sqlite" else _postgresql(_FIRST)


def drop_triggers(dialect: str) -> list[str]:
    """The statements that take the guards away again (for a migration's way back)."""
    names = [(table.table, f"{table.table}_{what}") for table in _ALL for what in ("change", "delete", "insert")]
    if _known(dialect) == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for _, name in names]
    names += [(table.table, f"{table.table}_truncate") for table in _ALL]
    drops = [f"DROP TRIGGER IF EXISTS {name} ON {table}" for table, name in names]
    drops += [f"DROP FUNCTION IF EXISTS {table.table}_guard()" for table in _ALL]
    return [*drops, "DROP FUNCTION IF EXISTS approvals_keep()", "DROP FUNCTION IF EXISTS ledger_next()"]


def _known(dialect: str) -> str:
    if dialect not in {"sqlite", "postgresql"}:
        msg = f"no triggers are written for {dialect}: the ledger would be unguarded"
        raise ValueError(msg)
    return dialect


def _sentence(table: str, verb: str) -> str:
    return f"rows of {table} are evidence and are not {verb}"


def _sqlite(tables: Sequence[_Guarded]) -> list[str]:
    statements = []
    for guarded in tables:
        table = guarded.table
        taken = [f"NEW.{column} IN (SELECT {column} FROM {table})" for column in guarded.unique]  # noqa: S608 - every name stands above
        misplaced = [_NEXT, _LINKED] if table == "ledger" else []
        statements += [
            _sqlite_guard(table, "change", "UPDATE", "changed", when=guarded.changed(cast="")),
            _sqlite_guard(table, "delete", "DELETE", "removed"),
            _sqlite_guard(table, "insert", "INSERT", "replaced", when=" OR ".join(taken + misplaced)),
        ]
    return statements


def _sqlite_guard(table: str, name: str, event: str, verb: str, *, when: str = "true") -> str:
    # SQLite before 3.39 does not know IS DISTINCT FROM; its IS NOT means the same
    when = when.replace("IS DISTINCT FROM", "IS NOT")
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_sentence(table, verb)}'); END"
    return f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} WHEN {when} {refuse}"


def _postgresql(tables: Sequence[_Guarded]) -> list[str]:
    statements = [_refusing("approvals_keep", "true", "'rows of ' || TG_TABLE_NAME || ' are evidence and stay'")]
    for guarded in tables:
        table, guard = guarded.table, f"{guarded.table}_guard"
        statements += [
            _refusing(guard, guarded.changed(cast="::text"), f"'{_sentence(table, 'changed')}'"),
            f"CREATE TRIGGER {table}_change BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}()",
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION approvals_keep()",
            # TRUNCATE asks no row trigger
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION approvals_keep()",
        ]
    statements += [
        _refusing("ledger_next", f"{_NEXT} OR {_LINKED}", f"'{_sentence('ledger', 'replaced')}'"),
        "CREATE TRIGGER ledger_insert BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_next()",
    ]
    return statements


def _refusing(name: str, condition: str, message: str) -> str:
    refuse = f"RAISE EXCEPTION USING MESSAGE = {message}, ERRCODE = 'restrict_violation'"
    body = f"BEGIN IF {condition} THEN {refuse}; END IF; RETURN NEW; END"
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
