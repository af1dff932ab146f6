"""Other children's names are taken out of words about one child: rather too many than one too few."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from gatekeeper.db.session import Database
from gatekeeper.people.pupils import Pupil
from gatekeeper.workflow.withheld import WITHHELD, Withholder, withholder

ROLL = (
    ("Wren", "Applethwaite", ""),  # the child
    ("Jonty", "Applethwaite", ""),  # her brother
    ("Robin", "Applethwaite", ""),  # her twin
    ("Wren", "Barlow", ""),  # of the same first name
    ("Will", "Okonkwo-Price", ""),
    ("Mary-Ann", "O'Neill", "Polly"),
    ("Élodie", "Garçon", ""),
    ("Rose", "May", ""),
)
X = WITHHELD


@pytest.fixture
def words(sqlite_database: Database) -> Withholder:
    with sqlite_database.begin() as session:
        return _built(session)


def _built(session: Session) -> Withholder:
    rows = [
        Pupil(
            reference=f"R{number}", first_name=first, last_name=last, known_as=known, year="Year 3", class_name="Heron",
            created_at=datetime(2026, 9, 1, tzinfo=UTC),
        )
        for number, (first, last, known) in enumerate(ROLL)
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    return withholder(session, rows[0])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", ""),
        ("Wren Applethwaite won.", "Wren Applethwaite won."),
        ("Wren and Jonty won.", f"Wren and {X} won."),
        ("Jonty Applethwaite and Wren Applethwaite won.", f"{X} and Wren Applethwaite won."),
        ("Applethwaite, Robin and Wren", f"{X} and Wren"),
        ("As for her brother jonty.", f"As for her brother {X}."),
        ("JONTY'S marrow", f"{X}'S marrow"),
        ("Wren Barlow is another.", f"{X} is another."),
        ("Well done #TeamJonty and #jontyrocks!", f"Well done #{X} and #{X}!"),
        ("Will Okonkwo-Price helped; we will go.", f"{X} helped; we will go."),
        ("okonkwo-price helped", f"{X} helped"),
        ("Polly and Mary-Ann O'Neill", f"{X} and {X}"),
        ("Polly and MaryAnn sang", f"{X} and {X} sang"),
        ("Elodie garcon sang", f"{X} sang"),
        ("ÉLODIE sang", f"{X} sang"),
        ("Rose gave Wren a rose in May.", f"{X} gave Wren a rose in {X}."),  # rather a month too many
        ("The Applethwaites", "The Applethwaites"),
        ("J o n t y won", f"{X} won"),
    ],
    ids=str,
)
def test_every_other_name_goes_and_the_childs_own_stays(words: Withholder, typed: str, told: str) -> None:
    assert words.clean(typed) == told
    assert words.names_others(typed) == (X in told)


def test_none_is_no_words(words: Withholder) -> None:
    assert words.clean(None) == ""


def test_how_many_were_taken_out_is_counted_only_for_what_is_handed_out(words: Withholder) -> None:
    words.clean("Jonty and Polly")
    words.names_others("Robin")
    assert words.count == 2
