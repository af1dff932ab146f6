"""Judges a first name that stands alone: a pupil, or a month, a flower, a book, a visitor?

A roll of a few hundred children holds most of the English flowers. A name that is nothing else needs only its
capital; a name that is also a word needs evidence that a person is meant.
"""

from collections.abc import Callable

from gatekeeper.text.names import Mention, Taken
from gatekeeper.text.passage import Passage
from gatekeeper.text.roster import Kind, Roster
from gatekeeper.text.vocabulary import vocabulary

_ENOUGH = 2
_CUE_WORDS = 4
_NEAR_PRONOUN = 70
_LOWER_LENGTH = 4
_TITLE_WORDS = 3
_LIST = 12
_WIDE_CUES = frozenset({"for", "with", "to", "from", "and", "of", "is"})


class FirstNames:
    """The judgement over first names without surname, class or initial."""

    def __init__(self, roster: Roster, class_words: frozenset[str], staff_words: frozenset[str]) -> None:
        self._roster = roster
        self._words = vocabulary()
        self._class_words = class_words
        self._staff_words = staff_words
        self.titles = self._words.titles
        self.common = self._words.function_words | self._words.kin | self._words.person_verbs | self._words.class_links
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        for phrase in self._words.phrases:
            for place, word in enumerate(phrase):
                if word in roster.given:
                    self._phrases.setdefault(word, []).append((*phrase[:place], "\0", *phrase[place:]))

    def wordy(self, mention: Mention, passage: Passage) -> bool:
        """Whether this name is also an ordinary word, a place or a class."""
        if mention.end - mention.start > 1:
            return False
        word = passage.words[mention.start]
        common = self._words
        return word in common.word_names or word in common.places or word in self._class_words or len(word) <= 2  # noqa: PLR2004

    def accept(self, passage: Passage, mention: Mention, taken: Taken, sure: Callable[[int], bool]) -> bool:
        """Whether this first name names a pupil. `sure` tells which words are names beyond doubt."""
        word = passage.words[mention.start]
        wordy = self.wordy(mention, passage)
        capital = passage.capital[mention.start]
        if not taken.free(mention.start, mention.end) or self._excluded(passage, mention, wordy=wordy):
            return False
        if not capital:
            long = len(word) >= _LOWER_LENGTH and not wordy and word not in self._words.surname_like
            return long and mention.kind is not Kind.SHORT and self._cue(passage, mention) >= _ENOUGH
        if mention.kind is Kind.SHORT:
            return not wordy and self._cue(passage, mention) >= _ENOUGH
        if not wordy:
            return True
        return self._evidence(passage, mention, sure) >= _ENOUGH

    # -- what speaks against -----------------------------------------------------------------------------------

    def _excluded(self, passage: Passage, mention: Mention, *, wordy: bool) -> bool:
        words, start, end = passage.words, mention.start, mention.end
        before = words[start - 1] if start else ""
        after = words[end] if end < len(words) else ""
        gap_before = passage.gap(start - 1) if start else ""
        gap_after = passage.gap(end - 1)
        touches = gap_before in {" ", ". ", " '", ' "'}
        if self._other_person(passage, mention, before, touches=touches):
            return True
        if self._phrase(passage, mention) or self._animal(passage, mention) or self._fiction(passage, mention):
            return True
        if touches and self._other_surname(passage, start, wordy=wordy):
            return True
        if (
            gap_after == " "
            and end < len(words)
            and passage.capital[end]
            and self._surname_follows(passage, end, wordy=wordy)
        ):
            return True
        local = words[start] in self._class_words and (
            after in {"class", "classes", "classroom", "are", "were", "have"}
            or before == "in"
            or "their" in words[end : end + 3]
        )
        if local or self._adult(passage, mention):
            return True
        joined = gap_before.endswith("-") or gap_after.startswith("-")
        fixed = touches and before in self._words.determiners and not self._cue(passage, mention)
        return wordy and (joined or fixed)

    def _other_person(self, passage: Passage, mention: Mention, before: str, *, touches: bool) -> bool:
        """A title, an article or an author's name stands before: an adult, a copy, a book."""
        common, start = self._words, mention.start
        if touches and before in common.titles and (passage.capital[start - 1] or before in common.plain_titles):
            return True
        if touches and (before in common.articles or before.isdigit()):
            return True
        return before == "'s" and start > 1 and passage.words[start - 2] in common.fiction_cues

    def _other_surname(self, passage: Passage, start: int, *, wordy: bool) -> bool:
        """Whether a capitalised stranger stands before a name that is also a surname: "Quentin Blake"."""
        before = passage.words[start - 1]
        if not passage.capital[start - 1] or before in self._roster.given or self._is_cue_word(before):
            return False
        if (
            before in self._words.function_words
            or before in self._words.tag_words
            or before.isdigit()
            or before in self._class_words
        ):
            return False
        if passage.shouted(start) and passage.shouted(start - 1):
            return False
        word = passage.words[start]
        return word in self._words.surname_like or (wordy and not passage.opening[start - 1])

    def _is_cue_word(self, word: str) -> bool:
        return any(cue[-1] == word for cue in self._words.cues)

    def _surname_follows(self, passage: Passage, end: int, *, wordy: bool) -> bool:
        """Whether a capitalised stranger follows the name: "Robin Ashgrove"."""
        word = passage.words[end]
        if (
            word in self._words.function_words
            or word in self._roster.given
            or word in {"'s", "'ll", "'d"}
            or len(word) == 1
            or not word[0].isalpha()
        ):
            return False
        if word in self._class_words or word in {"year", "reception"}:
            return False
        shouted = passage.shouted(end) and passage.shouted(end - 1)
        return wordy or not (shouted or word in self._words.person_verbs)

    def _phrase(self, passage: Passage, mention: Mention) -> bool:
        for phrase in self._phrases.get(passage.words[mention.start], ()):
            mark = phrase.index("\0")
            first = mention.start - mark
            if (
                first >= 0
                and tuple(passage.words[first : first + len(phrase) - 1]) == phrase[:mark] + phrase[mark + 1 :]
            ):
                return True
        return False

    def _animal(self, passage: Passage, mention: Mention) -> bool:
        words, animals = passage.words, self._words.animals
        after = words[mention.end : mention.end + 4]
        if len(after) > 1 and after[0] in {"the", "our", "a"} and any(word in animals for word in after[1:]):
            return True
        before = range(max(0, mention.start - 3), mention.start)
        same = [word for word in before if passage.sentence[word] == passage.sentence[mention.start]]
        near = [place for place in same if words[place] in animals]
        if not near:
            return self._christened(passage, mention)
        between = range(near[-1] + 1, mention.start)
        return all(
            words[place] in self._roster.given or words[place] in {"and", "called", "named", "is"} for place in between
        )

    def _christened(self, passage: Passage, mention: Mention) -> bool:
        """Whether hens or kittens were spoken of just before: "They are called Faith and Hope"."""
        words, place = passage.words, mention.start - 1
        while place > max(0, mention.start - _LIST) and (words[place] in self._roster.given or words[place] == "and"):
            place -= 1
        if place < 0 or words[place] not in self._words.naming:
            return False
        return any(word in self._words.animals for word in words[max(0, place - 25) : place])

    def _fiction(self, passage: Passage, mention: Mention) -> bool:
        words, start = passage.words, mention.start
        if (
            start
            and words[start - 1] in self._words.fiction_cues
            and words[start] in (self._words.word_names | self._words.surname_like | {"matilda", "alice", "oliver"})
        ):
            return True
        if (
            start > 1
            and words[start - 1] in {"of", "called"}
            and words[start - 2] in self._words.fiction_cues
            and words[start - 2] not in {"poem", "story-of"}
        ):
            return words[start - 2] in {
                "production",
                "performance",
                "book",
                "film",
                "musical",
                "play",
                "novel",
                "panto",
                "pantomime",
            }
        return self._dressed_up(passage, mention) or self._in_title(passage, mention)

    def _dressed_up(self, passage: Passage, mention: Mention) -> bool:
        """On World Book Day "a very tall Matilda" is a costume."""
        before = range(max(passage.sentences[passage.sentence[mention.start]][0], mention.start - 3), mention.start)
        return "world book day" in passage.text and any(passage.words[word] in self._words.articles for word in before)

    def _in_title(self, passage: Passage, mention: Mention) -> bool:
        """Inside quotation marks with several capitalised words: a book, a song, a play."""
        text = passage.text
        begin, stop = passage.starts[mention.start], passage.ends[mention.end - 1]
        for quote in ('"', "'"):
            left = text.rfind(quote, max(0, begin - 60), begin)
            right = text.find(quote, stop, stop + 60)
            while right > 0 and quote == "'" and right + 1 < len(text) and text[right + 1].isalnum():
                right = text.find(quote, right + 1, stop + 60)
            if left < 0 or right < 0 or (left and text[left - 1].isalnum()):
                continue
            inside = [
                word
                for word in range(max(0, mention.start - 8), min(len(passage.words), mention.end + 8))
                if left < passage.starts[word] and passage.ends[word] <= right
            ]
            capitals = sum(passage.capital[word] for word in inside)
            if (
                len(inside) >= _TITLE_WORDS
                and capitals * 2 >= len(inside)
                and not any(mark in text[left + 1 : right] for mark in "!?.,")
            ):
                return True
        return False

    def _adult(self, passage: Passage, mention: Mention) -> bool:
        words, roles = passage.words, self._words.adult_roles
        before = words[mention.start - 1] if mention.start else ""
        if before in roles and passage.gap(mention.start - 1) in {" ", ", "}:
            return True
        after = words[mention.end : mention.end + 4]
        if after[:2] == ["from", "the"] and any(word in self._words.institutions for word in after[2:]):
            return True
        gap = passage.gap(mention.end - 1)
        return (
            gap.startswith((",", " ("))
            and after[:1] in (["our"], ["a"], ["an"], ["the"])
            and any(word in roles for word in after[1:3])
        )

    # -- what speaks for ---------------------------------------------------------------------------------------

    def _cue(self, passage: Passage, mention: Mention) -> int:
        words, start = passage.words, mention.start
        for length in range(1, _CUE_WORDS + 1):
            if start >= length and tuple(words[start - length : start]) in self._words.cues:
                between = passage.text[passage.ends[start - 1] : passage.starts[start]]
                if not any(mark in between for mark in ".;"):
                    return _ENOUGH
        return 0

    def _long_cue(self, passage: Passage, mention: Mention) -> bool:
        start = mention.start
        return any(
            tuple(passage.words[start - length : start]) in self._words.cues
            for length in range(2, min(_CUE_WORDS, start) + 1)
        )

    def _evidence(self, passage: Passage, mention: Mention, sure: Callable[[int], bool]) -> int:
        words, start, end = passage.words, mention.start, mention.end
        season = words[start] in self._words.seasons
        local = words[start] in self._class_words or words[start] in self._words.places
        after = words[end] if end < len(words) else ""
        apart = passage.gap(end - 1)
        score = self._cue(passage, mention)
        before = words[start - 1] if start else ""
        lone = start > 0 and not self._long_cue(passage, mention)
        travels = before == "to" and start > 1 and words[start - 2] in {"goes", "went", "trip", "off", "back", "visit"}
        if (season and lone and before in {"by", "see", "love", "miss", "welcome", "missing", "remember"}) or (
            local and (before in {"goes", "went"} or travels or (lone and before in {"from", "see", "for", "to", "by"}))
        ):
            score = 0
        if after in self._words.person_verbs and apart == " ":
            score += _ENOUGH
        elif after in self._words.soft_verbs and apart == " " and not season:
            score += 1
        if after == "'s" and end + 1 < len(words) and words[end + 1] in self._words.kin and not season:
            score += _ENOUGH
        score += self._beside(passage, mention, sure)
        if score or not (season or local):
            score += self._pronoun(passage, mention)
        if not passage.opening[start] and not season and not local:
            score += 1
            if before in {"is", "was"} and apart[:1] in {",", ".", "!", "?", ""}:
                score += 1
            if (
                before in _WIDE_CUES
                and apart[:1] in {".", "!", "", "?"}
                and passage.sentence[start] != passage.sentence[min(end, len(words) - 1)]
            ):
                score += 1
            if start and "," in passage.gap(start - 1) and apart[:1] in {".", "!", "?", ""}:
                score += 1
        return score

    def _beside(self, passage: Passage, mention: Mention, sure: Callable[[int], bool]) -> int:
        """Beside a sure name in a list: 2. Beside other word names, 1 for a list of three."""
        words = passage.words
        best = 0
        for step in (-1, 1):
            place = mention.start - 1 if step < 0 else mention.end
            hops = others = 0
            while (
                0 <= place < len(words)
                and hops < 2 * _CUE_WORDS
                and passage.sentence[place] == passage.sentence[mention.start]
            ):
                gap = passage.gap(place) if step < 0 else passage.gap(place - 1)
                if sure(place):
                    return _ENOUGH
                if words[place] in {"and", "with"} or "," in gap or "&" in gap or "+" in gap:
                    others += words[place] in self._roster.given and passage.capital[place]
                    if words[place] not in self._roster.given and words[place] not in {"and", "with"}:
                        break
                elif words[place] not in self._roster.given:
                    break
                place += step
                hops += 1
            best = max(best, 1 if others > 1 else 0)
        return best

    def _pronoun(self, passage: Passage, mention: Mention) -> int:
        limit = passage.ends[mention.end - 1] + _NEAR_PRONOUN
        place = mention.end
        while place < len(passage.words) and passage.starts[place] < limit:
            if passage.words[place] in self._words.pronouns:
                return 1
            place += 1
        return 0
