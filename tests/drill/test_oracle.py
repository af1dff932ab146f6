"""The judge of the drill: what is seen twice, what nobody approved, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.ops.drill.oracle import Oracle
from gatekeeper.ops.drill.schedule import Ordeal
from gatekeeper.ops.drill.school import Sent, words_of
from gatekeeper.simulator.server import Simulator


def sent(number: int, *, change: str = "") -> Sent:
    ordeal = Ordeal(number=number, kind="x", fault={}, change=change)
    return Sent(ordeal=ordeal, post=number, publication=number, due=datetime(2026, 11, 23, tzinfo=UTC))


def judged(folder: Path, *posts: str, kind: str = "x", forbidden: frozenset[int] = frozenset()) -> tuple[int, int]:
    with Simulator(folder=folder) as simulator:
        for text in posts:
            simulator.control.external_post({"kind": kind, "text": text})
    oracle = Oracle(folder)
    oracle.look()
    verdict = oracle.judge({1: sent(1), 2: sent(2)}, set(forbidden))
    return len(verdict.duplicates), len(verdict.unapproved)


def test_what_was_approved_and_is_seen_once_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, words_of(1), words_of(2)) == (0, 0)


def test_the_same_post_twice_is_a_duplicate(tmp_path: Path) -> None:
    assert judged(tmp_path, words_of(1), words_of(2), words_of(1)) == (1, 0)


@pytest.mark.parametrize(
    "text",
    ["Changed after the approval. Basket 1 of many.", words_of(3), "Nobody knows this one."],
    ids=["changed", "never sent", "strange"],
)
def test_what_nobody_approved_is_seen(tmp_path: Path, text: str) -> None:
    assert judged(tmp_path, text) == (0, 1)


def test_what_was_taken_back_must_not_be_seen(tmp_path: Path) -> None:
    assert judged(tmp_path, words_of(1), forbidden=frozenset({1})) == (0, 1)


def test_the_right_words_on_the_wrong_channel_are_not_approved(tmp_path: Path) -> None:
    assert judged(tmp_path, words_of(1), kind="facebook") == (0, 1)
