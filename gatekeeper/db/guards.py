"""Triggers that keep a sealed version as it was sealed, whoever holds the database connection.

A version may be removed only together with the whole post it belongs to, and an attempt to send never. What may be
erased later, by whom and when, is a matter of retention and brings its own migration.
"""

_RULES = (
    ("version", "UPDATE", "a sealed version never changes"),
    ("version", "DELETE", "a sealed version is never removed"),
    ("attempt", "DELETE", "an attempt to send is never removed"),
)


def triggers(dialect: str) -> list[str]:
    """The statements that set the guards, to be run one by one after the tables exist."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for table, what, sentence in _RULES
        ]
    made: list[str] = []
    for table, what, sentence in _RULES:
        name = f"{table}_{what.lower()}"
        made.append(
            f"CREATE FUNCTION {name}_guard() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{sentence}'; END $$"
        )
        made.append(f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_guard()")
    return made
