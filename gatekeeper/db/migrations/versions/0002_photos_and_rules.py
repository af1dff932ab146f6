"""Letters, codes, marks and patches in photos; suggestions and templates; the school's own rules."""

import sqlalchemy as sa
from alembic import op

from approvals.columns import UtcDateTime
from gatekeeper.db import guards

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "picture_reading",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=60), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "engine", name=op.f("pk_picture_reading")),
    )
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("registered_by", sa.Integer(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("retired_by", sa.Integer(), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["registered_by"], ["staff.id"], name=op.f("fk_mark_registered_by_staff")),
        sa.ForeignKeyConstraint(["retired_by"], ["staff.id"], name=op.f("fk_mark_retired_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
    )
    op.create_table(
        "policy_version",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("softened", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_policy_version_made_by_staff")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "taught_phrase",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("phrase", sa.String(length=120), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("taught_by", sa.Integer(), nullable=False),
        sa.Column("taught_at", UtcDateTime(), nullable=False),
        sa.Column("retired_by", sa.Integer(), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["retired_by"], ["staff.id"], name=op.f("fk_taught_phrase_retired_by_staff")),
        sa.ForeignKeyConstraint(["taught_by"], ["staff.id"], name=op.f("fk_taught_phrase_taught_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taught_phrase")),
    )
    op.create_table(
        "word_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("quote", sa.String(length=120), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("answer IN ('', 'taught', 'pupil')", name=op.f("ck_word_question_answer")),
        sa.CheckConstraint(
            "(answer = '') = (answered_at IS NULL) AND (answered_by IS NULL) = (answered_at IS NULL)",
            name=op.f("ck_word_question_answer_has_author"),
        ),
        sa.CheckConstraint(
            "answer = '' OR (quote = '' AND sentence = '')", name=op.f("ck_word_question_words_are_gone")
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["staff.id"], name=op.f("fk_word_question_answered_by_staff")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_word_question_asked_by_staff")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["post.id"], name=op.f("fk_word_question_post_id_post"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_question")),
    )
    op.create_index(op.f("ix_word_question_post_id"), "word_question", ["post_id"], unique=False)
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("media_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state = 'waiting' OR media_sha256 = ''", name=op.f("ck_enrolment_photo_is_gone")),
        sa.CheckConstraint("state IN ('waiting', 'done', 'refused')", name=op.f("ck_enrolment_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_enrolment_asked_by_staff")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_enrolment_pupil_id_pupil")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
    )
    op.create_index(op.f("ix_enrolment_pupil_id"), "enrolment", ["pupil_id"], unique=False)
    op.create_table(
        "face_template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("consent_id", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(length=60), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_face_template_consent_id_consent")),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_face_template_made_by_staff")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_face_template_pupil_id_pupil")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_template")),
    )
    op.create_index(op.f("ix_face_template_key_id"), "face_template", ["key_id"], unique=False)
    op.create_index(op.f("ix_face_template_pupil_id"), "face_template", ["pupil_id"], unique=False)
    op.create_table(
        "biometric_facts",
        sa.Column("consent_id", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(length=20), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.CheckConstraint("said IN ('yes', 'parent', 'child', 'not_given')", name=op.f("ck_biometric_facts_said")),
        sa.CheckConstraint(
            "said <> 'yes' OR (written_by <> '' AND told <> '')", name=op.f("ck_biometric_facts_yes_has_facts")
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_biometric_facts_consent_id_consent")),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_biometric_facts")),
    )
    op.create_table(
        "patch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("x1", sa.Double(), nullable=False),
        sa.Column("y1", sa.Double(), nullable=False),
        sa.Column("x2", sa.Double(), nullable=False),
        sa.Column("y2", sa.Double(), nullable=False),
        sa.Column("placed_by", sa.Integer(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], name=op.f("fk_patch_photo_id_photo"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["placed_by"], ["staff.id"], name=op.f("fk_patch_placed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patch")),
    )
    op.create_index(op.f("ix_patch_photo_id"), "patch", ["photo_id"], unique=False)
    op.create_table(
        "face_suggestion",
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("pupil_id", sa.Integer(), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_id"], ["face.id"], name=op.f("fk_face_suggestion_face_id_face"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupil.id"], name=op.f("fk_face_suggestion_pupil_id_pupil")),
        sa.PrimaryKeyConstraint("face_id", "rank", name=op.f("pk_face_suggestion")),
    )
    op.create_index(op.f("ix_face_suggestion_pupil_id"), "face_suggestion", ["pupil_id"], unique=False)
    op.create_table(
        "second_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("face_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("no_face", sa.Boolean(), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(answered_by IS NULL) = (answered_at IS NULL)", name=op.f("ck_second_look_answer_has_author")
        ),
        sa.CheckConstraint("answered_by IS NULL OR answered_by <> asked_by", name=op.f("ck_second_look_second_person")),
        sa.ForeignKeyConstraint(["answered_by"], ["staff.id"], name=op.f("fk_second_look_answered_by_staff")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_second_look_asked_by_staff")),
        sa.ForeignKeyConstraint(["face_id"], ["face.id"], name=op.f("fk_second_look_face_id_face"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_look")),
    )
    op.create_index(op.f("ix_second_look_face_id"), "second_look", ["face_id"], unique=False)
    op.add_column("finding", sa.Column("box", sa.JSON(), nullable=True))
    op.add_column("finding", sa.Column("alone", sa.JSON(), nullable=True))
    op.add_column("finding", sa.Column("about", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("photo", sa.Column("classes", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("photo", sa.Column("full_size", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("photo", sa.Column("full_size_reason", sa.Text(), nullable=False, server_default=""))
    for statement in guards.policy_triggers(op.get_bind().dialect.name):
        op.execute(statement)
