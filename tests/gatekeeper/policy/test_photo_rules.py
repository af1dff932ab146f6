"""The second verdict about photos: each rule says its sentence where it should, and is silent on an ordinary photo."""

from typing import Any

import pytest

from gatekeeper.policy import photo_rules
from gatekeeper.policy.clauses import clauses
from gatekeeper.policy.photo_rules import LOWERED_SIDE, Person, PublishedPhoto, remarks_about

REMEDIES = {"cover", "crop", "smaller"}


def pupil(height: float = 60.0) -> Person:
    return Person(state="pupil", box=(10.0, 20.0, 60.0, 20.0 + height), height=height)


def photo(*people: Person, **more: Any) -> PublishedPhoto:
    return PublishedPhoto(**{"index": 0, "width": 1280, "height": 960, "people": people, **more})


def rules_said(*photos: PublishedPhoto, text: str = "Our harvest table is full.") -> list[str]:
    return [remark.rule for remark in remarks_about(photos, text=text)]


def test_an_ordinary_group_photo_is_met_with_silence() -> None:
    assert rules_said(photo(*[pupil() for _ in range(12)])) == []


def test_every_rule_names_a_clause_a_source_a_sentence_and_a_remedy() -> None:
    for rule in photo_rules.photo_rules().values():
        assert rule.clause in clauses(), rule.id
        assert rule.severity in {"block", "justify", "advice"}, rule.id
        assert rule.source, rule.id
        assert rule.sentence.endswith("."), rule.id
        assert set(rule.remedy) <= REMEDIES, rule.id
        assert rule.remedy, rule.id


@pytest.mark.parametrize(
    ("height", "size", "said"),
    [
        (320.0, (1280, 960), True),  # head and shoulders
        (150.0, (1280, 960), False),  # from the waist up
        (100.0, (2000, 400), False),  # one of a row, in a wide strip
        (330.0, (960, 1280), True),  # head and shoulders, upright
    ],
    ids=["head and shoulders", "waist up", "wide strip", "upright"],
)
def test_a_close_up_is_a_face_that_fills_much_of_the_picture(height: float, size: tuple[int, int], said: bool) -> None:
    shown = photo(pupil(height), pupil(30.0), width=size[0], height=size[1])
    assert ("photo-close-up" in rules_said(shown)) is said


@pytest.mark.parametrize("state", ["staff", "adult", "covered", "unknown"])
def test_nobody_but_a_pupil_makes_a_close_up(state: str) -> None:
    assert rules_said(photo(Person(state=state, box=(0, 0, 9, 9), height=500.0))) == []


def test_one_pupil_alone_is_advised_against_and_two_people_are_not() -> None:
    assert rules_said(photo(pupil())) == ["photo-lone-child"]
    assert rules_said(photo(pupil(), Person(state="staff", box=(0, 0, 9, 9), height=50.0))) == []


@pytest.mark.parametrize("word", ["swimming", "Paddling pool", "PE kit", "leotards"])
def test_words_of_swimming_beside_a_pupil_are_told_honestly(word: str) -> None:
    (remark,) = remarks_about([photo(pupil(), pupil())], text=f"What a day: {word} in the sun!")
    assert remark.rule == "photo-swimwear"
    assert word.casefold() in remark.message
    assert "by the words alone" in remark.message


def test_words_of_swimming_without_a_pupil_are_none_of_its_business() -> None:
    assert rules_said(photo(), text="Swimming starts on Monday.") == []
    assert rules_said(photo(pupil(), pupil()), text="It all went swimmingly.") == []


def test_the_schools_name_beside_a_pupil_is_advised_against() -> None:
    assert rules_said(photo(pupil(), pupil(), school_seen="Quarry Bank School")) == ["photo-school-name"]
    assert rules_said(photo(school_seen="Quarry Bank School")) == []


def test_a_large_picture_is_advised_against_only_with_a_pupil_in_it() -> None:
    large = {"width": LOWERED_SIDE + 1, "height": 900}
    assert rules_said(photo(pupil(), pupil(), **large)) == ["photo-large"]
    assert rules_said(photo(**large)) == []


def test_pupils_whom_only_the_author_declares_count_where_no_face_is_boxed() -> None:
    assert photo(declared_pupils=True).shows_pupil
    covered = Person(state="covered", box=(0, 0, 9, 9), height=50.0)
    assert not photo(covered, declared_pupils=True).shows_pupil


def test_a_school_may_soften_a_rule_but_none_that_blocks() -> None:
    assert photo_rules.severity_of("photo-close-up", {}) == "justify"
    assert photo_rules.severity_of("photo-close-up", {"photo-close-up": "off"}) == "off"
    assert photo_rules.severity_of("photo-name", {"photo-name": "off"}) == "block"
    assert photo_rules.severity_of("photo-large", {"photo-large": "block"}) == "advice"
