"""The statement for parents, governors and the data protection officer: every sentence follows from a fact.

Nothing in it is typed by hand, so nothing in it can be left behind by what the school changes. What the school has not
recorded is said as missing. Gatekeeper shows it to staff and makes a PDF; the school publishes it itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from approvals.wall_clock import when
from gatekeeper.workflow import statement_sentences as told
from gatekeeper.workflow.statement_facts import Facts


class Reader(StrEnum):
    """For whom it is."""

    PARENTS = "parents"
    GOVERNORS = "governors"
    DPO = "dpo"


READER_WORDS: Final = {
    Reader.PARENTS: "For parents and carers",
    Reader.GOVERNORS: "For governors",
    Reader.DPO: "For the data protection officer",
}


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with its sentences, and a table where there is one: the first row names the columns."""

    title: str
    sentences: tuple[str, ...]
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """Something to be read, on the page or on paper."""

    title: str
    lead: str
    sections: tuple[Section, ...]


def statement_for(reader: Reader, facts: Facts) -> Document:
    """What is true at this moment, for one kind of reader."""
    parts = {Reader.PARENTS: _parents, Reader.GOVERNORS: _governors, Reader.DPO: _dpo}[reader](facts)
    demo = " This is a demonstration with invented people, and nothing of it is published." if facts.demo else ""
    return Document(
        title=f"Children's photographs on the school's social media: {facts.school}",
        lead=f"{READER_WORDS[reader]}. As it stands on {when(facts.at)}, Gatekeeper version {facts.version}.{demo}",
        sections=tuple(parts),
    )


def _parents(facts: Facts) -> Iterable[Section]:
    yield Section(
        title="What happens before something is published",
        sentences=(told.where_to(facts), told.checked(), told.who(facts)),
    )
    yield Section(title="Faces", sentences=told.faces(facts))
    yield Section(title="What is kept, and where", sentences=(*told.kept(facts), *told.kept_short(facts)))
    yield Section(title="What the school looks at", sentences=told.watching(facts))
    yield Section(title="If you change your mind", sentences=told.withdrawing(facts))
    yield Section(title="Questions and complaints", sentences=told.complaining(facts))


def _governors(facts: Facts) -> Iterable[Section]:
    yield Section(title="Who decides", sentences=(told.who(facts), *told.deciding(facts)))
    yield Section(title="The policy", sentences=told.policy(facts))
    yield Section(title="What is watched", sentences=told.watched_in_full(facts))
    yield Section(title="Faces", sentences=told.faces(facts))
    yield Section(title="The record", sentences=told.record(facts))


def _dpo(facts: Facts) -> Iterable[Section]:
    yield Section(title="The controller and its officer", sentences=told.officer(facts))
    yield Section(title="What is processed", sentences=told.processed(facts))
    yield Section(title="Biometric data", sentences=told.faces(facts))
    yield Section(title="Where it stays", sentences=told.kept(facts))
    yield Section(title="Who receives it", sentences=told.recipients(facts))
    yield Section(title="What is watched", sentences=told.watched_in_full(facts))
    yield Section(title="How long it is kept", sentences=told.kept_long(), table=told.periods(facts))
    yield Section(title="Rights", sentences=(*told.withdrawing(facts), *told.complaining(facts)))
