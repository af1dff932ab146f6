"""Phrases that a school taught the check: "Grace Darling" is no pupil here. A pupil's own name is never one of them."""

from functools import cache
from typing import Final

from gatekeeper.text.passage import Passage, read
from gatekeeper.text.pupils import PupilNames
from gatekeeper.text.staff import StaffNames
from gatekeeper.text.vocabulary import vocabulary

#: a first name alone is what phrases are taught for; every other form picks out one child
TEACHABLE: Final = frozenset({"pupil-name-first", "pupil-name-known-as"})
_FEWEST: Final = 2
_LETTERS: Final = 2


def in_force(phrase: str, names: PupilNames, staff: StaffNames) -> bool:
    """Whether the phrase may be passed over in posts.

    Asked again whenever the roll changes: a phrase taught last year gives way to a child who now bears that name. It
    needs a word of its own beside whatever could be a pupil's first name, and praise or a little word is none.
    """
    passage = read("text", phrase)
    if len(passage.words) < _FEWEST:
        return False
    found = names.find(passage, blocked=staff.words_in(passage))
    if any(one.rule not in TEACHABLE for one in found):
        return False
    firsts = {at for one in found for at in passage.words_in(one.start, one.end)}
    firsts |= {at for at, word in enumerate(passage.words) if _could_be_pupil(word, names)}
    return any(
        at not in firsts and word[:1].isalpha() and len(word) >= _LETTERS and word not in _ordinary()
        for at, word in enumerate(passage.words)
    ) and not _is_whole_name(passage, names)


def _could_be_pupil(word: str, names: PupilNames) -> bool:
    return word in names.roster.given


def _is_whole_name(passage: Passage, names: PupilNames) -> bool:
    """Whether the phrase holds first name and surname of one pupil, in any order and with anything between."""
    words = frozenset(passage.words)
    given: set[int] = set()
    family: set[int] = set()
    for word in words:
        given.update(*(one.pupils for one in names.roster.given.get(word, ()) if words.issuperset(one.rest)))
        family.update(*(one.pupils for one in names.roster.family.get(word, ()) if words.issuperset(one.rest)))
    return not given.isdisjoint(family)


@cache
def _ordinary() -> frozenset[str]:
    """Words that make no phrase out of a name: "well done Grace" is still Grace."""
    lists = vocabulary()
    return (
        lists.function_words
        | lists.titles
        | lists.kin
        | lists.person_verbs
        | lists.soft_verbs
        | lists.pronouns
        | lists.class_links
        | lists.articles
        | frozenset(word for cue in lists.cues for word in cue)
    )
