"""Triggers that keep a sealed version as it was sealed and a school's rules as they were, whoever holds the connection.

A version is never removed and never changed, with one exception: once its post is marked as erased, its words may be
emptied; its digest stays, and what has no words left can never be sent. An attempt to send is never removed, and once
it has ended never changed but for such emptying. Versions of the school's rules stay for ever and are numbered without
a gap: each decision names the one it was made under. A publication is in the database only together with the approval
of exactly its content.
"""

from collections.abc import Sequence

_Guard = tuple[str, str, str]

#: of the first schema
_RULES: Sequence[_Guard] = (
    ("version", "UPDATE", "a sealed version never changes"),
    ("version", "DELETE", "a sealed version is never removed"),
    ("attempt", "DELETE", "an attempt to send is never removed"),
)

#: of the second
_POLICY: Sequence[_Guard] = (
    ("policy_version", "UPDATE", "a version of the rules never changes"),
    ("policy_version", "DELETE", "a version of the rules is never removed"),
)

#: of the fourth
_EDITIONS: Sequence[_Guard] = (
    ("policy_edition", "UPDATE", "an edition of the policy never changes"),
    ("policy_edition", "DELETE", "an edition of the policy is never removed"),
)
_NOT_NEXT = "NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM policy_version)"


def triggers(dialect: str) -> list[str]:
    """The statements that set the guards, to be run one by one after the tables exist."""
    return _guards(dialect, _RULES)


def policy_triggers(dialect: str) -> list[str]:
    """The same for the versions of the school's rules; a new one can only be the next one."""
    sentence = "versions of the rules are numbered one by one"
    if dialect == "sqlite":
        order = [
            (
                f"CREATE TRIGGER policy_version_insert BEFORE INSERT ON policy_version WHEN {_NOT_NEXT} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
        ]
    else:
        order = [
            (
                f"CREATE FUNCTION policy_version_insert_guard() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {_NOT_NEXT} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN NEW; END $$"
            ),
            (
                "CREATE TRIGGER policy_version_insert BEFORE INSERT ON policy_version "
                "FOR EACH ROW EXECUTE FUNCTION policy_version_insert_guard()"
            ),
        ]
    return [*_guards(dialect, _POLICY), *order]


def edition_triggers(dialect: str) -> list[str]:
    """The same for the editions of the school's policy."""
    return _guards(dialect, _EDITIONS)


def erasure_triggers(dialect: str) -> list[str]:
    """A version may lose its words, all of them at once, where its post is erased; a post once erased stays so."""
    kept = ("id", "post_id", "number", "revision", "digest", "sealed_by", "sealed_at")
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"  # SQLite before 3.39 knows only the former
    changed = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in kept)
    unasked = "NOT EXISTS (SELECT 1 FROM post WHERE post.id = OLD.post_id AND post.erased_at IS NOT NULL)"
    version = f"{changed} OR NEW.canonical <> '' OR NEW.originals IS NOT NULL OR {unasked}"
    sentence, back = "a sealed version never changes", "what was erased stays erased"
    post = f"OLD.erased_at IS NOT NULL AND NEW.erased_at {differs} OLD.erased_at"
    if dialect == "sqlite":
        return [
            "DROP TRIGGER version_update",
            (
                f"CREATE TRIGGER version_update BEFORE UPDATE ON version WHEN {version} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            ),
            (
                f"CREATE TRIGGER post_erased BEFORE UPDATE OF erased_at ON post WHEN {post} "
                f"BEGIN SELECT RAISE(ABORT, '{back}'); END"
            ),
        ]
    return [
        (
            f"CREATE OR REPLACE FUNCTION version_update_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {version} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN NEW; END $$"
        ),
        (
            f"CREATE FUNCTION post_erased_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {post} THEN RAISE EXCEPTION '{back}'; END IF; RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER post_erased BEFORE UPDATE OF erased_at ON post "
            "FOR EACH ROW EXECUTE FUNCTION post_erased_guard()"
        ),
    ]


def attempt_triggers(dialect: str) -> list[str]:
    """An attempt to send is written down before a byte leaves and ended once; nothing else about it ever changes.

    What the platform said of it may be emptied where the post is erased.
    """
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    kept = ("publication_id", "fence", "started_at", "digest")
    changed = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in kept)
    ended = "OLD.ended_at IS NOT NULL OR OLD.outcome <> '' OR OLD.detail <> ''"
    erased = (
        "EXISTS (SELECT 1 FROM publication JOIN version ON version.id = publication.version_id JOIN post ON "
        "post.id = version.post_id WHERE publication.id = OLD.publication_id AND post.erased_at IS NOT NULL)"
    )
    same = f"NEW.outcome = OLD.outcome AND NOT (NEW.ended_at {differs} OLD.ended_at)"
    emptied = f"NEW.detail = '' AND {same} AND {erased}"
    wrong = f"{changed} OR (({ended} OR NEW.ended_at IS NULL OR NEW.outcome = '') AND NOT ({emptied}))"
    sentence = "an attempt to send is ended once and never changes"
    if dialect == "sqlite":
        body = f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        return [f"CREATE TRIGGER attempt_update BEFORE UPDATE ON attempt WHEN {wrong} {body}"]
    return [
        (
            f"CREATE FUNCTION attempt_update_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN NEW; END $$"
        ),
        ("CREATE TRIGGER attempt_update BEFORE UPDATE ON attempt FOR EACH ROW EXECUTE FUNCTION attempt_update_guard()"),
    ]


def publication_triggers(dialect: str) -> list[str]:
    """Nothing is put in line to be published without the approval, on record, of exactly this digest.

    The approval stands in the other room's tables, so no foreign key can say this.
    """
    decided = (
        "NOT EXISTS (SELECT 1 FROM decision WHERE decision.id = NEW.decision_id "
        "AND decision.verdict = 'approve' AND decision.digest = NEW.digest)"
    )
    sentence = "nothing is published without an approval of exactly this content"
    when = (("insert", "INSERT"), ("update", "UPDATE OF decision_id, digest"))
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER publication_{name} BEFORE {what} ON publication WHEN {decided} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for name, what in when
        ]
    return [
        (
            f"CREATE FUNCTION publication_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {decided} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN NEW; END $$"
        ),
        *(
            f"CREATE TRIGGER publication_{name} BEFORE {what} ON publication "
            f"FOR EACH ROW EXECUTE FUNCTION publication_guard()"
            for name, what in when
        ),
    ]


def reply_triggers(dialect: str) -> list[str]:
    """A reply to an enquiry keeps its words once somebody was asked about it, and is sent only on a standing approval.

    The approval must be of exactly this digest and about exactly this reply. Its words may be erased with its case.
    """
    differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    kept = " OR ".join(
        f"NEW.{column} {differs} OLD.{column}" for column in ("id", "case_id", "number", "digest", "written_by")
    )
    words = " OR ".join(f"NEW.{column} {differs} OLD.{column}" for column in ("recipient", "words"))
    erased = (
        "NEW.words = '' AND NEW.recipient = '' AND EXISTS "
        "(SELECT 1 FROM case_file WHERE case_file.id = OLD.case_id AND case_file.erased_at IS NOT NULL)"
    )
    changed = (
        f"OLD.request_id IS NOT NULL AND (NEW.request_id IS NULL OR {kept} OR (({words}) AND NOT ({erased}))) "
        f"OR OLD.sent_at IS NOT NULL AND (NEW.sent_at {differs} OLD.sent_at OR NEW.decision_id {differs} OLD.decision_id)"
    )
    unapproved = (
        "NEW.sent_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decision WHERE decision.id = NEW.decision_id "
        "AND decision.verdict = 'approve' AND decision.digest = NEW.digest AND decision.subject = 'reply:' || NEW.id "
        "AND NOT EXISTS (SELECT 1 FROM withdrawal WHERE withdrawal.decision_id = decision.id))"
    )
    rules = (
        ("sent_insert", "INSERT", unapproved, "a reply is sent only with the approval of exactly its words"),
        # what was sent once stays sent: a later end of the approval does not touch it
        (
            "sent_update",
            "UPDATE",
            f"OLD.sent_at IS NULL AND ({unapproved})",
            "a reply is sent only with the approval of exactly its words",
        ),
        ("kept", "UPDATE", changed, "a reply that was asked about never changes"),
        ("delete", "DELETE", "OLD.request_id IS NOT NULL", "a reply that was asked about is never removed"),
    )
    made: list[str] = []
    for name, what, wrong, sentence in rules:
        trigger = f"CREATE TRIGGER case_reply_{name} BEFORE {what} ON case_reply"
        if dialect == "sqlite":
            made.append(f"{trigger} WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{sentence}'); END")
            continue
        back = "OLD" if what == "DELETE" else "NEW"
        made.append(
            f"CREATE FUNCTION case_reply_{name}_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {wrong} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN {back}; END $$"
        )
        made.append(f"{trigger} FOR EACH ROW EXECUTE FUNCTION case_reply_{name}_guard()")
    return made


def _guards(dialect: str, rules: Sequence[_Guard]) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for table, what, sentence in rules
        ]
    made: list[str] = []
    for table, what, sentence in rules:
        name = f"{table}_{what.lower()}"
        made.append(
            f"CREATE FUNCTION {name}_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{sentence}'; END $$"
        )
        made.append(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_guard()")
    return made
