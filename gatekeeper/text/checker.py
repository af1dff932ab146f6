"""The checker: one draft in, every finding out, with exact quotes and one sentence each."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gatekeeper.text.alttext import is_missing
from gatekeeper.text.contacts import Contacts
from gatekeeper.text.draft import Draft, Hit, Picture, Pupil, SchoolWords, StaffName
from gatekeeper.text.fold import fold_word
from gatekeeper.text.lexicon import Lexicon
from gatekeeper.text.merge import merged
from gatekeeper.text.own import NOTHING, OwnRules
from gatekeeper.text.passage import Passage, read
from gatekeeper.text.pupils import PupilNames
from gatekeeper.text.reader import Reader
from gatekeeper.text.roster import Roster
from gatekeeper.text.rules import rules
from gatekeeper.text.staff import StaffNames
from gatekeeper.text.swearing import swearwords
from gatekeeper.text.taught import in_force

__all__ = ["Checker", "Draft", "Hit", "Picture", "Pupil", "SchoolWords", "StaffName"]


class Checker:
    """Checks drafts against one school's roll, staff and words. Safe to share between threads."""

    def __init__(
        self,
        pupils: Iterable[Pupil],
        staff: Iterable[StaffName],
        school: SchoolWords,
        *,
        lexicon: Lexicon | None = None,
        known_phrases: Iterable[str] = (),
        own: OwnRules = NOTHING,
        softened: Mapping[str, str] | None = None,
    ) -> None:
        """Builds the index once.

        Args:
            pupils: the roll.
            staff: adults of the school, whose names are no findings.
            school: the school's own contact details and names.
            lexicon: the phrases of the clauses; as shipped when left out.
            known_phrases: phrases the school has said name no pupil (a book, a place); those that do are not used.
            own: the rules the school added.
            softened: rule id -> what the school softened it to; a hard rule keeps its own severity.
        """
        roll, adults = tuple(pupils), tuple(staff)
        self._book = {**rules(), **{rule.id: rule for rule in own.rules}}
        self._softened = dict(softened or {})
        self._school = school
        self._adults = self._staff = StaffNames(adults, ())
        self._roster = Roster(roll)
        handles = frozenset(fold_word(handle).lstrip("@") for handle in school.handles)
        houses = frozenset(word for house in school.houses for word in fold_word(house).split())
        self._names = PupilNames(self._roster, school.classes, self._staff.words, handles, houses)
        self._contacts = Contacts(school, frozenset(pupil.dob for pupil in roll if pupil.dob), self._staff.words)
        self._reader = Reader(lexicon or Lexicon.shipped(), school, self._staff)
        # apart from the shipped ones, so that nothing a school writes can change how those are read
        self._own_reader = Reader(own.lexicon(), school, self._staff) if own.entries else None
        if phrases := tuple(phrase for phrase in known_phrases if in_force(phrase, self._names, self._adults)):
            self._staff = StaffNames(adults, phrases)

    def entries_in(self, lexicon: Lexicon, text: str, *, account: str = "school") -> set[str]:
        """Which entries of a lexicon match this text, as this school's names and words make it read."""
        passage = read("text", text)
        names = self._names.find(passage, blocked=self._staff.words_in(passage))
        reader = Reader(lexicon, self._school, self._staff)
        return {match.entry for match in reader.find(passage, account, self._names.rooms.find(passage), names)}

    def names_a_pupil(self, phrase: str) -> bool:
        """Whether a phrase names a child on the roll so surely that nobody may teach it away."""
        return not in_force(phrase, self._names, self._adults)

    def forms_of(self, pupil_id: str) -> frozenset[str]:
        """Every written form, folded and without gaps, of one pupil's first name and surname."""
        roster = self._roster
        return frozenset(
            form
            for at, pupil in enumerate(roster.pupils)
            if pupil.id == pupil_id
            for form in (*roster.first_squashed[at], *roster.last_squashed[at])
        )

    def named_in(self, field: str, text: str) -> frozenset[str]:
        """The ids of every pupil whom this text may name, whatever the school has softened."""
        return frozenset(number for _, _, ids in self.names_in(field, text) for number in ids)

    def names_in(self, field: str, text: str) -> tuple[tuple[int, int, frozenset[str]], ...]:
        """Where this text may name pupils, and the ids of those it may be, whatever the school has softened."""
        passage = read(field, text)
        names = self._names.find(passage, blocked=self._staff.words_in(passage))
        return tuple(
            (*passage.folded.place(name.start, name.end), frozenset(self._roster.ids(name.pupils))) for name in names
        )

    def check(self, draft: Draft) -> list[Hit]:
        """Every finding in the draft, the strictest first. No finding does not mean that the policy allows it."""
        hits = self._check_passage(read("text", draft.text), draft.account)
        for field, words in draft.wordings:
            hits += self._check_passage(read(field, words), draft.account)
        for number, picture in enumerate(draft.pictures):
            alt = picture.alt or ""
            if is_missing(alt, picture.file):
                field = f"images[{number}].alt"
                quoted = (0, len(alt), alt) if alt else (None, None, None)
                hits.append(self._book["alt-text-missing"].hit(field, *quoted))
            hits += self._check_passage(read(f"images[{number}].alt", alt), draft.account)
            hits += self._check_passage(read(f"images[{number}].file", picture.file), draft.account)
        return merged([hit for one in hits if (hit := self._as_softened(one))], self._book)

    def _as_softened(self, hit: Hit) -> Hit | None:
        """The hit as the school takes it. Before hits are merged, so that one switched off hides none beside it."""
        severity = self._book[hit.rule].softened(hit.severity, self._softened.get(hit.rule))
        if severity == hit.severity:
            return hit
        return None if severity == "off" else replace(hit, severity=severity)

    def _check_passage(self, passage: Passage, account: str) -> list[Hit]:
        if not passage.folded.text.strip():
            return []
        book = self._book
        hits: list[Hit] = []
        names = self._names.find(passage, blocked=self._staff.words_in(passage))
        for name in names:
            start, end = passage.folded.place(name.start, name.end)
            quote = passage.folded.original[start:end]
            hits.append(book[name.rule].hit(passage.field, start, end, quote, pupil_ids=self._roster.ids(name.pupils)))
        if passage.field.endswith(".file"):
            return hits
        found = [
            *(
                (detail.rule, detail.start, detail.end, detail.severity)
                for detail in self._contacts.find(passage, [(name.start, name.end) for name in names])
            ),
            *(
                ("profanity", start, end, None)
                for start, end in swearwords(passage)
                if not any(name.start < end and start < name.end for name in names)
            ),
            *(
                (match.rule, match.start, match.end, match.severity)
                for reader in (self._reader, self._own_reader)
                if reader is not None
                for match in reader.find(passage, account, self._names.rooms.find(passage), names)
            ),
        ]
        for rule, first, last, severity in found:
            start, end = passage.folded.place(first, last)
            hits.append(
                book[rule].hit(passage.field, start, end, passage.folded.original[start:end], severity=severity)
            )
        return hits
