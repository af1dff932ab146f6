"""Passkeys, deputies, recoveries and a signed ledger; limits, costs, the emergency stop; answers to asked changes."""

import sqlalchemy as sa
from alembic import op

from approvals import triggers
from approvals.columns import UtcDateTime
from gatekeeper.db import guards

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "approver_passkey",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("transports", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_approver_passkey_sign_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approver_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_approver_passkey_credential_id")),
    )
    op.create_index(op.f("ix_approver_passkey_person_id"), "approver_passkey", ["person_id"], unique=False)
    op.create_table(
        "passkey_challenge",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_passkey_challenge_lifetime")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenge")),
    )
    op.create_index(op.f("ix_passkey_challenge_expires_at"), "passkey_challenge", ["expires_at"], unique=False)
    op.create_index(op.f("ix_passkey_challenge_person_id"), "passkey_challenge", ["person_id"], unique=False)
    op.create_table(
        "proof_recovery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.Column("lapses_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(stopped_at IS NULL) = (stopped_by IS NULL)", name=op.f("ck_proof_recovery_stopping")),
        sa.CheckConstraint("effective_at > asked_at", name=op.f("ck_proof_recovery_cooling_off")),
        sa.CheckConstraint("person_id <> asked_by", name=op.f("ck_proof_recovery_asked_by_another")),
        sa.CheckConstraint("used_at IS NULL OR stopped_at IS NULL", name=op.f("ck_proof_recovery_one_end")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_recovery")),
    )
    op.create_index(
        "uq_proof_recovery_open_person",
        "proof_recovery",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
        postgresql_where=sa.text("used_at IS NULL AND stopped_at IS NULL"),
    )
    op.create_table(
        "deputy_appointment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("head_id", sa.Integer(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_salt", sa.String(length=64), nullable=True),
        sa.Column("proof_method", sa.String(length=16), nullable=False),
        sa.Column("named_at", UtcDateTime(), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("ended_at IS NOT NULL OR ended_by IS NULL", name=op.f("ck_deputy_appointment_ending")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_deputy_appointment_lasts")),
        sa.CheckConstraint("head_id <> deputy_id", name=op.f("ck_deputy_appointment_another_person")),
        sa.CheckConstraint("reason_salt IS NOT NULL OR reason IS NULL", name=op.f("ck_deputy_appointment_salt")),
        sa.ForeignKeyConstraint(["ledger_seq"], ["ledger.seq"], name=op.f("fk_deputy_appointment_ledger_seq_ledger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy_appointment")),
        sa.UniqueConstraint("ledger_seq", name=op.f("uq_deputy_appointment_ledger_seq")),
    )
    op.create_index(op.f("ix_deputy_appointment_deputy_id"), "deputy_appointment", ["deputy_id"], unique=False)
    op.create_index("ix_deputy_appointment_time", "deputy_appointment", ["starts_at", "ends_at"], unique=False)
    op.create_table(
        "restoration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("restored_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restoration")),
    )
    op.create_table(
        "emergency_stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pressed_by", sa.Integer(), nullable=False),
        sa.Column("pressed_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.Integer(), nullable=True),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.Column("standing", sa.Integer(), nullable=True),
        sa.Column("proof_method", sa.String(length=16), nullable=False),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_emergency_stop_lifting")),
        sa.CheckConstraint("(lifted_at IS NULL) = (standing IS NOT NULL)", name=op.f("ck_emergency_stop_standing")),
        sa.ForeignKeyConstraint(["lifted_by"], ["staff.id"], name=op.f("fk_emergency_stop_lifted_by_staff")),
        sa.ForeignKeyConstraint(["pressed_by"], ["staff.id"], name=op.f("fk_emergency_stop_pressed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_stop")),
        sa.UniqueConstraint("standing", name=op.f("uq_emergency_stop_standing")),
    )
    op.create_table(
        "change_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_change_reply_by_staff")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["post.id"], name=op.f("fk_change_reply_post_id_post"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_reply")),
        sa.UniqueConstraint("decision_id", "mark", name=op.f("uq_change_reply_decision_id")),
    )
    op.create_index(op.f("ix_change_reply_post_id"), "change_reply", ["post_id"], unique=False)
    op.create_table(
        "channel_cost",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_channel_cost_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", "kind", name=op.f("pk_channel_cost")),
    )
    op.create_table(
        "channel_limit",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("resets_at", UtcDateTime(), nullable=True),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_channel_limit_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "route", name=op.f("pk_channel_limit")),
    )
    op.add_column("channel_account", sa.Column("scopes", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("channel_account", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("channel_account", sa.Column("next_check_at", UtcDateTime(), nullable=True))
    op.add_column("channel_account", sa.Column("told_expiry", sa.Integer(), nullable=True))
    op.add_column("notice", sa.Column("failed_at", UtcDateTime(), nullable=True))
    op.add_column("notice", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("post", sa.Column("wordings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("version", sa.Column("originals", sa.JSON(), nullable=True))
    for statement in _WITH_RULES.split(";"):
        op.execute(statement)
    op.create_index("uq_decision_assertion_hash", "decision", ["assertion_hash"], unique=True)
    op.create_index("ix_ledger_kind", "ledger", ["kind"], unique=False)
    dialect = op.get_bind().dialect.name
    for statement in [*triggers.drop_triggers(dialect), *triggers.triggers(dialect)]:
        op.execute(statement)
    for statement in guards.publication_triggers(dialect):
        op.execute(statement)


#: written out, because SQLite takes a rule only together with the column it comes with
_WITH_RULES = """
ALTER TABLE approver_pin ADD COLUMN unlock_failures INTEGER DEFAULT 0 NOT NULL
    CONSTRAINT ck_approver_pin_unlock_failures CHECK (unlock_failures >= 0 AND unlock_failures <= 5);
ALTER TABLE ledger ADD COLUMN key_id VARCHAR(16);
ALTER TABLE ledger ADD COLUMN signature VARCHAR(88)
    CONSTRAINT ck_ledger_signed CHECK ((key_id IS NULL) = (signature IS NULL));
ALTER TABLE decision ADD COLUMN marks JSON
    CONSTRAINT ck_decision_marks_salt CHECK (text_salt IS NOT NULL OR marks IS NULL);
ALTER TABLE decision ADD COLUMN appointment_id VARCHAR(32)
    CONSTRAINT fk_decision_appointment_id_deputy_appointment REFERENCES deputy_appointment (id);
ALTER TABLE decision ADD COLUMN assertion TEXT;
ALTER TABLE decision ADD COLUMN assertion_hash VARCHAR(64)
    CONSTRAINT ck_decision_assertion CHECK ((assertion IS NULL) = (assertion_hash IS NULL))
"""
