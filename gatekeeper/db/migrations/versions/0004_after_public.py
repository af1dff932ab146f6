"""What follows after a post is public: the watch, removals, reviews of consent, cases, editions of the policy, erasure."""

import sqlalchemy as sa
from alembic import op

from approvals.columns import UtcDateTime
from gatekeeper.db import guards

revision = "0004"
down_revision = "0003"


def upgrade() -> None:

    op.create_table(
        "policy_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("section_two", sa.String(length=2), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("adopted_by", sa.Integer(), nullable=True),
        sa.Column("adopted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("section_two IN ('', '2A', '2B', '2C')", name=op.f("ck_policy_edition_section_two")),
        sa.ForeignKeyConstraint(["adopted_by"], ["staff.id"], name=op.f("fk_policy_edition_adopted_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_edition")),
        sa.UniqueConstraint("label", name=op.f("uq_policy_edition_label")),
    )
    op.create_table(
        "account_watch",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("reads_day", sa.Date(), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_account_watch_account_id_channel_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_watch")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["policy_edition.id"], name=op.f("fk_acknowledgement_edition_id_policy_edition")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_acknowledgement_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "edition_id", name=op.f("pk_acknowledgement")),
    )
    op.create_table(
        "put_away_card",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("card", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["policy_edition.id"], name=op.f("fk_put_away_card_edition_id_policy_edition")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_put_away_card_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "edition_id", "card", name=op.f("pk_put_away_card")),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("about_id", sa.Integer(), nullable=True),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_case_file_closing")),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_case_file_closed_by")),
        sa.ForeignKeyConstraint(["about_id"], ["staff.id"], name=op.f("fk_case_file_about_id_staff")),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"], name=op.f("fk_case_file_closed_by_staff")),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.id"], name=op.f("fk_case_file_opened_by_staff")),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name=op.f("fk_case_file_owner_id_staff")),
        sa.ForeignKeyConstraint(["parent_id"], ["case_file.id"], name=op.f("fk_case_file_parent_id_case_file")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_case_file_post_id_post")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
    )
    op.create_index(op.f("ix_case_file_opened_by"), "case_file", ["opened_by"], unique=False)
    op.create_index(op.f("ix_case_file_owner_id"), "case_file", ["owner_id"], unique=False)
    op.create_index(op.f("ix_case_file_post_id"), "case_file", ["post_id"], unique=False)
    op.create_index("ix_case_file_state", "case_file", ["state", "kind"], unique=False)
    op.create_table(
        "consent_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_consent_review_closing")),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"], name=op.f("fk_consent_review_closed_by_staff")),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.id"], name=op.f("fk_consent_review_opened_by_staff")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_consent_review_pupil_id_pupil")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_review")),
    )
    op.create_index("ix_consent_review_open", "consent_review", ["closed_at"], unique=False)
    op.create_index(op.f("ix_consent_review_pupil_id"), "consent_review", ["pupil_id"], unique=False)
    op.create_table(
        "case_attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["staff.id"], name=op.f("fk_case_attachment_added_by_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_attachment_case_id_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_attachment")),
    )
    op.create_index(op.f("ix_case_attachment_case_id"), "case_attachment", ["case_id"], unique=False)
    op.create_table(
        "case_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("met_at", UtcDateTime(), nullable=True),
        sa.Column("met_by", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.CheckConstraint("(met_at IS NULL) = (met_by IS NULL)", name=op.f("ck_case_clock_meeting")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_clock_case_id_case_file")),
        sa.ForeignKeyConstraint(["met_by"], ["staff.id"], name=op.f("fk_case_clock_met_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_clock")),
        sa.UniqueConstraint("case_id", "name", name=op.f("uq_case_clock_case_id")),
    )
    op.create_index(
        "ix_case_clock_due",
        "case_clock",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL"),
    )
    op.create_table(
        "case_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["staff.id"], name=op.f("fk_case_entry_by_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_entry_case_id_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_entry")),
    )
    op.create_index(op.f("ix_case_entry_case_id"), "case_entry", ["case_id"], unique=False)
    op.create_table(
        "case_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("decision_id", sa.String(length=32), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("sent_how", sa.Text(), nullable=False),
        sa.CheckConstraint("(sent_at IS NULL) = (sent_by IS NULL)", name=op.f("ck_case_reply_sending")),
        sa.CheckConstraint(
            "sent_at IS NULL OR decision_id IS NOT NULL", name=op.f("ck_case_reply_sent_needs_decision")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_reply_case_id_case_file")),
        sa.ForeignKeyConstraint(["sent_by"], ["staff.id"], name=op.f("fk_case_reply_sent_by_staff")),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"], name=op.f("fk_case_reply_written_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reply")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_case_reply_case_id")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Integer(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_legal_hold_ending")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_legal_hold_case_id_case_file")),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"], name=op.f("fk_legal_hold_ended_by_staff")),
        sa.ForeignKeyConstraint(["placed_by"], ["staff.id"], name=op.f("fk_legal_hold_placed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_case_id"), "legal_hold", ["case_id"], unique=False)
    op.create_index("ix_legal_hold_subject", "legal_hold", ["subject"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("remote_id", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name=op.f("ck_incident_closing")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_incident_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["staff.id"], name=op.f("fk_incident_closed_by_staff")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_incident_publication_id_publication")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("account_id", "kind", "remote_id", "about", name=op.f("uq_incident_account_id")),
    )
    op.create_index("ix_incident_open", "incident", ["closed_at", "seen_at"], unique=False)
    op.create_index(op.f("ix_incident_publication_id"), "incident", ["publication_id"], unique=False)
    op.create_table(
        "remote_post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.String(length=80), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media_count", sa.Integer(), nullable=False),
        sa.Column("permalink", sa.Text(), nullable=False),
        sa.Column("posted_at", UtcDateTime(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("missing_since", UtcDateTime(), nullable=True),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_remote_post_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_remote_post_publication_id_publication")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_post")),
        sa.UniqueConstraint("account_id", "remote_id", name=op.f("uq_remote_post_account_id")),
    )
    op.create_index("ix_remote_post_created", "remote_post", ["account_id", "posted_at"], unique=False)
    op.create_index(op.f("ix_remote_post_publication_id"), "remote_post", ["publication_id"], unique=False)
    op.create_table(
        "takedown",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("remote_id", sa.String(length=80), nullable=True),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.Integer(), nullable=True),
        sa.Column("remaining", sa.JSON(), nullable=True),
        sa.CheckConstraint("state <> 'gone' OR confirmed_at IS NOT NULL", name=op.f("ck_takedown_gone_is_confirmed")),
        sa.CheckConstraint(
            "publication_id IS NOT NULL OR remote_id IS NOT NULL", name=op.f("ck_takedown_names_a_post")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_account.id"], name=op.f("fk_takedown_account_id_channel_account")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_takedown_asked_by_staff")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_takedown_case_id_case_file")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["staff.id"], name=op.f("fk_takedown_confirmed_by_staff")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_takedown_incident_id_incident")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_takedown_publication_id_publication")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedown")),
    )
    op.create_index(op.f("ix_takedown_publication_id"), "takedown", ["publication_id"], unique=False)
    op.create_index("ix_takedown_state", "takedown", ["state", "next_at"], unique=False)
    op.create_index(
        "uq_takedown_open_publication",
        "takedown",
        ["publication_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'ordered', 'by_hand')"),
        postgresql_where=sa.text("state IN ('waiting', 'ordered', 'by_hand')"),
    )
    op.create_index(
        "uq_takedown_open_remote",
        "takedown",
        ["account_id", "remote_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'ordered', 'by_hand')"),
        postgresql_where=sa.text("state IN ('waiting', 'ordered', 'by_hand')"),
    )
    op.create_table(
        "review_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("publication_id", sa.Integer(), nullable=True),
        sa.Column("takedown_id", sa.Integer(), nullable=True),
        sa.Column("how", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (state = 'open')", name=op.f("ck_review_item_ending")),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"], name=op.f("fk_review_item_ended_by_staff")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_review_item_post_id_post")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_review_item_publication_id_publication")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["consent_review.id"], name=op.f("fk_review_item_review_id_consent_review")
        ),
        sa.ForeignKeyConstraint(["takedown_id"], ["takedown.id"], name=op.f("fk_review_item_takedown_id_takedown")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_item")),
        sa.UniqueConstraint("review_id", "post_id", "publication_id", name=op.f("uq_review_item_review_id")),
    )
    op.create_index(op.f("ix_review_item_post_id"), "review_item", ["post_id"], unique=False)
    op.create_index(op.f("ix_review_item_review_id"), "review_item", ["review_id"], unique=False)
    op.create_index("ix_notice_kind", "notice", ["kind", "id"], unique=False)
    op.create_index("ix_notice_failed", "notice", ["failed_at"], unique=False)
    op.create_index("ix_audit_action", "audit", ["action", "id"], unique=False)

    op.add_column("post", sa.Column("held_for_consent", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("post", sa.Column("erased_at", UtcDateTime(), nullable=True))
    op.add_column("photo", sa.Column("original_gone_at", UtcDateTime(), nullable=True))

    # written out, because SQLite takes a reference only together with the column it comes with
    op.execute(
        "ALTER TABLE post ADD COLUMN asked_first INTEGER "
        "CONSTRAINT fk_post_asked_first_case_file REFERENCES case_file (id)"
    )
    dialect = op.get_bind().dialect.name
    more = (guards.erasure_triggers, guards.edition_triggers, guards.attempt_triggers)
    for statement in (statement for made in more for statement in made(dialect)):
        op.execute(statement)
    for statement in guards.reply_triggers(op.get_bind().dialect.name):
        op.execute(statement)
