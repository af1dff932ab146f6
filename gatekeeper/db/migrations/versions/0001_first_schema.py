"""The first schema of both rooms, with the triggers that keep evidence as it was written."""

import sqlalchemy as sa
from alembic import op

from approvals import triggers
from approvals.columns import UtcDateTime, UtcText
from gatekeeper.db import guards

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "approver_pin",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_at", UtcDateTime(), nullable=True),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("failures >= 0 AND failures <= 5", name=op.f("ck_approver_pin_failures")),
        sa.CheckConstraint("locked_at IS NULL OR failures = 5", name=op.f("ck_approver_pin_lock")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_approver_pin")),
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcText(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_ledger_hash")),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_ledger_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("hash", name=op.f("uq_ledger_hash")),
    )
    op.create_table(
        "approval_request",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("version_ref", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("override_asked", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("opened_seq", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_reason IS NULL)",
            name=op.f("ck_approval_request_closing"),
        ),
        sa.CheckConstraint("status IN ('open', 'decided', 'void', 'expired')", name=op.f("ck_approval_request_status")),
        sa.CheckConstraint("author_id <> approver_id", name=op.f("ck_approval_request_author_never_approves")),
        sa.CheckConstraint("expires_at > opened_at", name=op.f("ck_approval_request_time_to_decide")),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_approval_request_digest")),
        sa.ForeignKeyConstraint(["opened_seq"], ["ledger.seq"], name=op.f("fk_approval_request_opened_seq_ledger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
        sa.UniqueConstraint("message_id", name=op.f("uq_approval_request_message_id")),
        sa.UniqueConstraint("opened_seq", name=op.f("uq_approval_request_opened_seq")),
    )
    op.create_index(op.f("ix_approval_request_approver_id"), "approval_request", ["approver_id"], unique=False)
    op.create_index("ix_approval_request_due", "approval_request", ["status", "expires_at"], unique=False)
    op.create_index(op.f("ix_approval_request_subject"), "approval_request", ["subject"], unique=False)
    op.create_index(
        "uq_approval_request_open_subject",
        "approval_request",
        ["subject"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "approval_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("view_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_approval_token_lifetime")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_token_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_approval_token_token_hash")),
        sa.UniqueConstraint("view_hash", name=op.f("uq_approval_token_view_hash")),
    )
    op.create_index(op.f("ix_approval_token_request_id"), "approval_token", ["request_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("version_ref", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("approver_id", sa.Integer(), nullable=False),
        sa.Column("typed_name", sa.Text(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=True),
        sa.Column("answers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("proof_method", sa.String(length=16), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.Column("text_salt", sa.String(length=64), nullable=True),
        sa.CheckConstraint("verdict IN ('approve', 'refuse', 'changes')", name=op.f("ck_decision_verdict")),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_decision_digest")),
        sa.CheckConstraint(
            "text_salt IS NOT NULL OR (statement IS NULL AND typed_name IS NULL AND answers IS NULL)",
            name=op.f("ck_decision_salt"),
        ),
        sa.ForeignKeyConstraint(["ledger_seq"], ["ledger.seq"], name=op.f("fk_decision_ledger_seq_ledger")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_decision_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("ledger_seq", name=op.f("uq_decision_ledger_seq")),
        sa.UniqueConstraint("request_id", name=op.f("uq_decision_request_id")),
    )
    op.create_index("ix_decision_version", "decision", ["subject", "version_ref", "digest"], unique=False)
    op.create_table(
        "approval_view",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("proved_at", UtcDateTime(), nullable=False),
        sa.Column("proved_until", UtcDateTime(), nullable=False),
        sa.Column("proof_method", sa.String(length=16), nullable=False),
        sa.CheckConstraint("proved_until > proved_at", name=op.f("ck_approval_view_proof_lasts")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_view_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["approval_token.id"], name=op.f("fk_approval_view_token_id_approval_token")
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_approval_view")),
    )
    op.create_index(op.f("ix_approval_view_expires_at"), "approval_view", ["expires_at"], unique=False)
    op.create_index(op.f("ix_approval_view_person_id"), "approval_view", ["person_id"], unique=False)
    op.create_index(op.f("ix_approval_view_token_id"), "approval_view", ["token_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("by_person", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_salt", sa.String(length=64), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ledger_seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason_salt IS NOT NULL OR reason IS NULL", name=op.f("ck_withdrawal_salt")),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name=op.f("fk_withdrawal_decision_id_decision")),
        sa.ForeignKeyConstraint(["ledger_seq"], ["ledger.seq"], name=op.f("fk_withdrawal_ledger_seq_ledger")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_withdrawal_decision_id")),
        sa.UniqueConstraint("ledger_seq", name=op.f("uq_withdrawal_ledger_seq")),
    )
    op.create_table(
        "job_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=20), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_order")),
    )
    op.create_index("ix_job_order_due", "job_order", ["queue", "next_at"], unique=False)
    op.create_index("uq_job_order_work", "job_order", ["job", "subject_id"], unique=True)
    op.create_table(
        "photo_scan",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=60), nullable=False),
        sa.Column("faces", sa.JSON(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("scanned_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "engine", name=op.f("pk_photo_scan")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("line_manager_id", sa.Integer(), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deactivated_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_staff_email_lower")),
        sa.ForeignKeyConstraint(["line_manager_id"], ["staff.id"], name=op.f("fk_staff_line_manager_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_audit_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_staff_id"), "audit", ["staff_id"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)
    op.create_table(
        "channel_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("remote_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("check_result", sa.Text(), nullable=False),
        sa.Column("identity", sa.String(length=200), nullable=False),
        sa.Column("declared_own", sa.Boolean(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("held_reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status <> 'open' OR (opened_by IS NOT NULL AND opened_at IS NOT NULL)",
            name=op.f("ck_channel_account_open_has_head"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_channel_account_created_by_staff")),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.id"], name=op.f("fk_channel_account_opened_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_account")),
        sa.UniqueConstraint("kind", "remote_id", name=op.f("uq_channel_account_kind")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_invitation_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index(op.f("ix_invitation_staff_id"), "invitation", ["staff_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_notice_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("kind", "staff_id", "subject", name=op.f("uq_notice_kind")),
    )
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("due_wall", sa.String(length=40), nullable=False),
        sa.Column("window_minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("send_when_clear", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("progress", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["staff.id"], name=op.f("fk_post_author_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
    )
    op.create_index(op.f("ix_post_author_id"), "post", ["author_id"], unique=False)
    op.create_index(op.f("ix_post_state"), "post", ["state"], unique=False)
    op.create_index("ix_post_state_due", "post", ["state", "due_at"], unique=False)
    op.create_table(
        "pupil",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("known_as", sa.String(length=80), nullable=False),
        sa.Column("year", sa.String(length=40), nullable=False),
        sa.Column("class_name", sa.String(length=40), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("never_publish", sa.Boolean(), nullable=False),
        sa.Column("never_reason", sa.Text(), nullable=True),
        sa.Column("never_by", sa.Integer(), nullable=True),
        sa.Column("never_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "never_publish = false OR (never_by IS NOT NULL AND never_at IS NOT NULL)",
            name=op.f("ck_pupil_never_has_author"),
        ),
        sa.ForeignKeyConstraint(["never_by"], ["staff.id"], name=op.f("fk_pupil_never_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupil")),
        sa.UniqueConstraint("reference", name=op.f("uq_pupil_reference")),
    )
    op.create_index("ix_pupil_class", "pupil", ["class_name"], unique=False)
    op.create_table(
        "role_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("new_role", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("stopped_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["requested_by"], ["staff.id"], name=op.f("fk_role_change_requested_by_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_role_change_staff_id_staff")),
        sa.ForeignKeyConstraint(["stopped_by"], ["staff.id"], name=op.f("fk_role_change_stopped_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_change")),
    )
    op.create_table(
        "school_setting",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["staff.id"], name=op.f("fk_school_setting_changed_by_staff")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_school_setting")),
    )
    op.create_table(
        "staff_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_staff_id"), "staff_session", ["staff_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("channel_kind", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)", name=op.f("ck_consent_withdrawal_has_author")
        ),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_consent_pupil_id_pupil")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_consent_recorded_by_staff")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["staff.id"], name=op.f("fk_consent_withdrawn_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_pupil", "consent", ["pupil_id", "channel_kind", "purpose", "id"], unique=False)
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("preview_sha256", sa.String(length=64), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("crop", sa.JSON(), nullable=True),
        sa.Column("rendition_sha256", sa.String(length=64), nullable=True),
        sa.Column("rendition_width", sa.Integer(), nullable=False),
        sa.Column("rendition_height", sa.Integer(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("people", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("scanned_sha256", sa.String(length=64), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_photo_post_id_post"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("post_id", "original_sha256", name=op.f("uq_photo_post_id")),
    )
    op.create_index(op.f("ix_photo_post_id"), "photo", ["post_id"], unique=False)
    op.create_table(
        "version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_by", sa.Integer(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_version_post_id_post"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["sealed_by"], ["staff.id"], name=op.f("fk_version_sealed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("post_id", "number", name=op.f("uq_version_post_id")),
    )
    op.create_index(op.f("ix_version_digest"), "version", ["digest"], unique=False)
    op.create_table(
        "face",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("x1", sa.Double(), nullable=False),
        sa.Column("y1", sa.Double(), nullable=False),
        sa.Column("x2", sa.Double(), nullable=False),
        sa.Column("y2", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state <> 'pupil' OR pupil_id IS NOT NULL", name=op.f("ck_face_pupil_is_named")),
        sa.CheckConstraint(
            "state = 'unknown' OR (resolved_by IS NOT NULL AND resolved_at IS NOT NULL)",
            name=op.f("ck_face_has_resolver"),
        ),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_face_photo_id_photo"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_face_pupil_id_pupil")),
        sa.ForeignKeyConstraint(["resolved_by"], ["staff.id"], name=op.f("fk_face_resolved_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face")),
    )
    op.create_index(op.f("ix_face_photo_id"), "face", ["photo_id"], unique=False)
    op.create_index(op.f("ix_face_pupil_id"), "face", ["pupil_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("clause", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["resolved_by"], ["staff.id"], name=op.f("fk_finding_resolved_by_staff")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_finding_version_id_version"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_version_id"), "finding", ["version_id"], unique=False)
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.String(length=80), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state <> 'published' OR remote_id IS NOT NULL", name=op.f("ck_publication_published_has_remote_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_publication_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk_publication_version_id_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("account_id", "remote_id", name=op.f("uq_publication_account_id")),
        sa.UniqueConstraint("version_id", "account_id", name=op.f("uq_publication_version_id")),
    )
    op.create_index("ix_publication_due", "publication", ["state", "due_at"], unique=False)
    op.create_index("ix_publication_lease", "publication", ["state", "lease_until"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("publication_id", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_attempt_publication_id_publication")
        ),
        sa.PrimaryKeyConstraint("publication_id", "fence", name=op.f("pk_attempt")),
    )
    op.create_table(
        "face_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_face_answer_by_staff")),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_face_answer_face_id_face"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_face_answer_pupil_id_pupil")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_answer")),
    )
    op.create_index(op.f("ix_face_answer_face_id"), "face_answer", ["face_id"], unique=False)
    with op.batch_alter_table("post") as post:  # a post and its versions point at each other
        post.create_foreign_key("fk_post_version_id_version", "version", ["version_id"], ["id"])
    dialect = op.get_bind().dialect.name
    for statement in [*triggers.first_triggers(dialect), *guards.triggers(dialect)]:
        op.execute(statement)


def downgrade() -> None:
    """There is nothing before the first schema; going back would delete the school's evidence."""
    raise NotImplementedError
