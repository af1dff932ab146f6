"""Triggers that keep a sealed version as it was sealed and a school's rules as they were, whoever holds the connection.

A version may be removed only together with the whole post it belongs to, and an attempt to send never. What may be
erased later, by whom and when, is a matter of retention and brings its own migration. Versions of the school's rules
stay for ever and are numbered without a gap: each decision names the one it was made under. A publication is in the
database only together with the approval of exactly its content.
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
