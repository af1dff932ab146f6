"""Pupils' names in every form people write them, and the words that only look like one."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords
from tests.gatekeeper.text.conftest import SCHOOL

Names = Callable[[str], list[tuple[str, str]]]
Check = Callable[..., list[Hit]]


@pytest.mark.parametrize(
    ("text", "rule", "quote"),
    [
        ("A poem by Imelda Brackwater won.", "pupil-name-full", "Imelda Brackwater"),
        ("a poem by imelda brackwater won", "pupil-name-full", "imelda brackwater"),
        ("WELL DONE IMELDA BRACKWATER", "pupil-name-full", "IMELDA BRACKWATER"),
        ("Brackwater, Imelda: gold", "pupil-name-full", "Brackwater, Imelda"),
        ("Imelda Jane Brackwater sang.", "pupil-name-full", "Imelda Jane Brackwater"),
        ("Ottoline Fennwick scored.", "pupil-name-full", "Ottoline Fennwick"),
        ("Ottoline Fennwick-Marsh scored.", "pupil-name-full", "Ottoline Fennwick-Marsh"),
        ("imelda_brackwater came first", "pupil-name-full", "imelda_brackwater"),
        ("Siobhan O'Duibhir plays the harp.", "pupil-name-full", "Siobhan O'Duibhir"),
        ("Benedict O’Quayle's boat floats.", "pupil-name-full", "Benedict O’Quayle"),
        ("Lucja Dabrowicka drew this.", "pupil-name-full", "Lucja Dabrowicka"),
        ("Benny O'Quayle read.", "pupil-name-known-as", "Benny O'Quayle"),
        ("Ben O'Quayle read.", "pupil-name-known-as", "Ben O'Quayle"),
        ("Thanks to Lina for the cake.", "pupil-name-known-as", "Lina"),
        ("Rose from Curlew found it.", "pupil-name-class", "Rose from Curlew"),
        ("Siobhán (Year 6) swam a mile.", "pupil-name-class", "Siobhán (Year 6)"),
        ("Year 6's Siobhán swam a mile.", "pupil-name-class", "Year 6's Siobhán"),
        ("Y2 Wren was brave.", "pupil-name-class", "Y2 Wren"),
        ("Our prefect is Imelda B.", "pupil-name-initials", "Imelda B"),
        ("Goal by I. Brackwater!", "pupil-name-initials", "I. Brackwater"),
        ("A medal for OFM today.", "pupil-name-initials", "OFM"),
        ("A medal for B.O. (Heron).", "pupil-name-initials", "B.O. (Heron)"),
        ("Well done #ImeldaBrackwater", "pupil-name-tag", "ImeldaBrackwater"),
        ("So proud #goimelda", "pupil-name-tag", "imelda"),
        ("So quick #jagoinwagtail", "pupil-name-tag", "jago"),
        ("Silver for 1m3lda Br4ckwater", "pupil-name-disguised", "1m3lda Br4ckwater"),
        ("Silver for Im*lda Brackwater", "pupil-name-disguised", "Im*lda Brackwater"),
        ("Silver for Immelda Brakwater", "pupil-name-disguised", "Immelda Brakwater"),
        ("Go Imeldaaa Brackwater", "pupil-name-disguised", "Imeldaaa Brackwater"),
        ("Captain: I m e l d a", "pupil-name-disguised", "I m e l d a"),
        ("Captain: I.m.e.l.d.a B.r.a.c.k.w.a.t.e.r", "pupil-name-disguised", "I.m.e.l.d.a B.r.a.c.k.w.a.t.e.r"),
        ("Bravo Imel\u200bda Brackwater", "pupil-name-disguised", "Imel\u200bda Brackwater"),
        ("Bravo Im\u0435lda Brackwater", "pupil-name-disguised", "Im\u0435lda Brackwater"),
        ("We will miss Imelda.", "pupil-name-first", "Imelda"),
    ],
)
def test_finds_a_name_in_every_form_and_quotes_it_exactly(names: Names, text: str, rule: str, quote: str) -> None:
    assert (rule, quote) in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rose petals covered the path.",
        "The temperature rose to thirty degrees.",
        "We hope to see you. Hope you can come!",
        "Will you help us? Will there be cake?",
        "Miss Hope joins us in January.",
        "Mrs Hartnoll and Silas Venn opened the fair.",
        "Wren Hoskins, our visiting potter, showed us her wheel.",
        "A wren has nested in the shed.",
        "Our class names are Plover, Curlew and Heron.",
        "Three hens have arrived. They are called Hope, Rose and Cluckity.",
        "Meet Rose the pony.",
        "The PTA and the BBC were there.",
        "Year 5 will walk on 3 May.",
    ],
)
def test_takes_no_ordinary_word_for_a_pupil(names: Names, text: str) -> None:
    assert names(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Well done Rose for your goal!",
        "Could Hope's mum ring us?",
        "We have missed you, Rose.",
        "Imelda and Rose sang.",
    ],
)
def test_takes_a_word_for_a_pupil_when_a_person_is_meant(names: Names, text: str) -> None:
    assert any(rule == "pupil-name-first" for rule, quote in names(text) if quote in {"Rose", "Hope"})


def test_names_every_pupil_it_could_be(checker: Checker, check: Check) -> None:
    twins = Checker(
        [Pupil(str(at), "Imelda", name, "", "Year 1", "", "") for at, name in enumerate(("Brack", "Tarn"))],
        [],
        SchoolWords("", (), "", "", (), (), (), (), (), (), (), ()),
    )
    assert check("Imelda Brackwater won")[0].pupil_ids == ("p1",)
    assert twins.check(Draft("Imelda won.", (), "x", "school"))[0].pupil_ids == ("0", "1")


def test_reads_alt_texts_and_file_names_like_the_text(checker: Checker) -> None:
    pictures = (
        Picture("IMG_2031_Imelda.jpg", "Imelda Brackwater holding a cup"),
        Picture("rose.jpg", "A garden in June"),
    )
    found = {(hit.field, hit.quote) for hit in checker.check(Draft("Well played!", pictures, "x", "school"))}
    assert found == {("images[0].alt", "Imelda Brackwater"), ("images[0].file", "Imelda")}


def test_a_phrase_the_school_has_explained_names_no_pupil(checker: Checker) -> None:
    pupils = [Pupil("p1", "Imelda", "Brackwater", "", "Year 2", "Plover", "")]
    taught = Checker(
        pupils, [], SchoolWords("", (), "", "", (), (), (), (), (), (), (), ()), known_phrases=["Imelda and the Bear"]
    )
    assert taught.check(Draft("We read Imelda and the Bear.", (), "x", "school")) == []
    assert taught.check(Draft("We read with Imelda.", (), "x", "school"))


@pytest.mark.parametrize(
    "pupil",
    [
        Pupil("a", "J", "K", "", "Year 1", "A", ""),
        Pupil("a", "", "", "", "", "", ""),
        Pupil("a", "-", "'", "!", "?", "5W", "not a date"),
        Pupil("a", "李", "明", "", "Year 1", "Oak", ""),
        Pupil("a", "Al", "El", "", "R", "", ""),
    ],
)
def test_an_odd_roll_breaks_nothing(pupil: Pupil) -> None:
    odd = Checker([pupil, pupil], [], SchoolWords("", (), "", "", (), (), (), (), (), (), (), ()))
    assert isinstance(odd.check(Draft("J K went to A, Year 1. 李明 said so. #al", (), "x", "school")), list)


def test_a_one_letter_name_does_not_flag_every_letter() -> None:
    odd = Checker(
        [Pupil("a", "J", "K", "", "Year 1", "A", "")], [], SchoolWords("", (), "", "", (), (), (), (), (), (), (), ())
    )
    assert odd.check(Draft("Plan J is better than plan K.", (), "x", "school")) == []


def test_offsets_are_code_points_of_the_original(check: Check) -> None:
    text = "🎉🎉 Zoë e\u0301 Łucja Dąbrowicka 🎉"
    hit = next(hit for hit in check(text) if hit.rule == "pupil-name-full")
    assert text[hit.start : hit.end] == "Łucja Dąbrowicka" == hit.quote


@pytest.mark.parametrize("mark", ["!", "!!", "?!", "...!"])
def test_a_name_that_ends_like_a_mark_is_no_disguise_for_the_mark_after_it(mark: str) -> None:
    pupils = [Pupil("1", "Mabel", "Oakshaw", "", "Year 3", "Heron", "")]
    checker = Checker(pupils, [], SCHOOL)
    (hit,) = checker.check(Draft(f"Well done Mabel{mark}", (), "x", "school"))
    assert (hit.rule, hit.quote) == ("pupil-name-first", "Mabel")
    (hidden,) = checker.check(Draft("Well done Mabe! and all.", (), "x", "school"))
    assert hidden.rule == "pupil-name-disguised"


def test_a_house_that_bears_a_pupils_name_is_found_only_where_a_person_is_meant() -> None:
    pupils = [Pupil("1", "Kite", "Oakshaw", "", "Year 3", "Heron", "")]
    checker = Checker(pupils, [], SCHOOL)
    assert checker.check(Draft("Falcon and Kite tied in the house points.", (), "x", "school")) == []
    assert checker.check(Draft("Kite read his poem.", (), "x", "school")) != []
