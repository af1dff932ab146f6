"""Finds he and she where nobody has been named: "Home from the ward, and his first words were ...".

A post that names an adult, an author or an animal and goes on with "he" is an ordinary post. One that starts with
"he", or with a child nobody names, speaks about one person whom the reader is meant to know.
"""

from collections.abc import Collection, Iterator, Sequence

from gatekeeper.text.passage import Passage
from gatekeeper.text.vocabulary import vocabulary

_ANYBODY = frozenset(["your", "every", "each", "any", "no", "if", "when", "whether"])


def unnamed(passage: Passage, known: Collection[int], places: Collection[int]) -> Iterator[int]:
    """The words he, she, him, her and his that no person before them explains.

    Args:
        passage: the field that is read.
        known: the words that name somebody already: staff, pupils, titles.
        places: the words that name a class, a year or a house: capitals that are nobody's name.
    """
    words, common = passage.words, vocabulary()
    explained = False
    for at, word in enumerate(words):
        if word in common.pronouns:
            if not explained and not _either(words, at) and not _explained_soon(passage, at, known, places):
                yield at
        elif (
            at in known
            or word in common.he_or_she
            or _name_like(passage, at, places)
            or (word in common.one_child and any(before in _ANYBODY for before in words[max(0, at - 4) : at]))
        ):
            explained = True


def _either(words: Sequence[str], at: int) -> bool:
    """Whether this is "his or her coat", which speaks about everybody."""
    around = words[max(0, at - 2) : at + 3]
    return "or" in around and sum(word in vocabulary().pronouns for word in around) > 1


def _explained_soon(passage: Passage, at: int, known: Collection[int], places: Collection[int]) -> bool:
    """Whether a little later the person is named: "With her whistle in her hand, Miss Lark ..."."""
    number = passage.sentence[at]
    end = passage.sentences[number][1]
    soon = passage.sentences[min(number + 1, len(passage.sentences) - 1)][1]
    return any(passage.words[after] in vocabulary().he_or_she for after in range(at + 1, end)) or any(
        after in known or (not passage.opening[after] and _name_like(passage, after, places))
        for after in range(at + 1, soon)
    )


def _name_like(passage: Passage, at: int, places: Collection[int]) -> bool:
    """A capital inside a sentence, or an unknown word that opens one and is followed by what a person does."""
    if not passage.capital[at] or at in places or passage.words[at] in vocabulary().calendar:
        return False
    common = vocabulary()
    if not passage.opening[at]:
        return True
    word = passage.words[at]
    after = passage.words[at + 1] if at + 1 < len(passage.words) else ""
    return word not in common.function_words and (
        after in common.person_verbs or after in {"is", "was", "has", "'s", "will", "and", "had"}
    )
