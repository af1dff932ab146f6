"""The documentation says what the program does."""

import re
from pathlib import Path

from gatekeeper.posts.status import (
    BADGE,
    MOVES,
    PUBLICATION_MOVES,
    PUBLICATION_WORDS,
    TURN,
    PostState,
    PublicationState,
)
from gatekeeper.settings import ALL_SECRETS, SECRETS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "gatekeeper" / "docs"


def rows(page: str, heading: str) -> list[list[str]]:
    text = (DOCS / page).read_text().split(f"## {heading}")[1].split("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|\n ").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return cells[2:]


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


def test_the_table_of_post_states_is_current() -> None:
    written = {row[0].strip("`"): row for row in rows("a-posts-way.md", "States of a post")}
    assert set(written) == set(PostState)
    for state in PostState:
        word, _colour, sign = BADGE[state]
        assert written[state][1] == f"{sign} {word}"
        assert written[state][2] == TURN[state]
        assert named(written[state][3]) == {str(move) for move in MOVES[state] if move != state}


def test_the_table_of_publication_states_is_current() -> None:
    written = {row[0].strip("`"): row for row in rows("a-posts-way.md", "States of a publication")}
    assert set(written) == set(PublicationState)
    for state in PublicationState:
        assert written[state][1] == PUBLICATION_WORDS[state]
        assert named(written[state][2]) == {str(move) for move in PUBLICATION_MOVES[state]}


def test_the_table_of_secrets_names_every_process_that_holds_one() -> None:
    listed = {row[0].strip("`") for row in rows("running.md", "Who holds which secret")}
    assert set(SECRETS) <= listed
    assert {name for held in SECRETS.values() for name in held} == set(ALL_SECRETS)


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\((?!https?:|mailto:|#|/)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_every_page_can_be_found_from_the_first() -> None:
    first = (DOCS / "index.md").read_text()
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in first, f"index.md does not lead to {page.name}"
