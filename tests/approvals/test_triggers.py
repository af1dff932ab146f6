import pytest
from sqlalchemy import text

from approvals.triggers import drop_triggers, triggers
from tests.approvals.room import Room

# What the triggers refuse is tested beside each table: test_ledger, test_requests, test_decisions.


@pytest.mark.parametrize("statements", [triggers, drop_triggers])
def test_a_database_without_written_guards_is_refused(statements: type[list[str]]) -> None:
    with pytest.raises(ValueError, match="mysql"):
        statements("mysql")


def test_the_guards_can_be_taken_away_and_set_again(room: Room) -> None:
    """A migration goes both ways, also when some guard is already gone."""
    room.unguard()
    room.unguard()
    with room.db.begin() as session:
        for statement in triggers(room.db.engine.dialect.name):
            session.execute(text(statement))
    room.approved()
    with pytest.raises(Exception, match="evidence"):
        room.run("DELETE FROM decision")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_no_statement_holds_what_a_driver_would_take_for_a_parameter(dialect: str) -> None:
    assert not any("%" in statement for statement in triggers(dialect) + drop_triggers(dialect))
