"""A small invented school for the word checker: the names are chosen to be awkward."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Checker, Draft, Hit, Picture, Pupil, SchoolWords, StaffName

PUPILS = (
    Pupil("p1", "Imelda", "Brackwater", "", "Year 2", "Plover", "2020-03-11"),
    Pupil("p2", "Ottoline", "Fennwick-Marsh", "Lina", "Year 5", "Curlew", "2017-01-30"),
    Pupil("p3", "Rose", "Tidemarsh", "", "Year 5", "Curlew", "2016-11-02"),
    Pupil("p4", "Benedict", "O'Quayle", "Benny", "Year 6", "Heron", "2015-12-24"),
    Pupil("p5", "Siobhán", "Ó Duibhir", "", "Year 6", "Heron", "2016-05-05"),
    Pupil("p6", "Wren", "Castleton", "", "Year 2", "Plover", "2020-06-19"),
    Pupil("p7", "Jago", "St-Aubynne", "", "Reception", "Wagtail", "2022-02-02"),
    Pupil("p8", "Hope", "Larkspurling", "", "Year 6", "Heron", "2016-02-14"),
    Pupil("p9", "Łucja", "Dąbrowicka", "", "Year 2", "Plover", "2020-01-21"),
    Pupil("p10", "Will", "Harbottle", "", "Year 5", "Curlew", "2017-04-17"),
)
STAFF = (StaffName("Mrs", "Prudence", "Hartnoll"), StaffName("Miss", "Ida", "Hope"), StaffName("Mr", "Silas", "Venn"))
SCHOOL = SchoolWords(
    name="Elm Tree Primary School",
    short_names=("Elm Tree", "Elm Tree Primary"),
    town="Ashby",
    address="Rook Lane, Ashby ZZ1 1AA",
    postcodes=("ZZ1 1AA",),
    phones=("01632 960000",),
    emails=("office@elmtree.example",),
    domains=("elmtree.example",),
    trusted_domains=("gov.uk", "nhs.uk"),
    handles=("ElmTreePri",),
    houses=("Falcon", "Kite"),
    classes=("Wagtail", "Plover", "Curlew", "Heron"),
)


@pytest.fixture(scope="session")
def checker() -> Checker:
    return Checker(PUPILS, STAFF, SCHOOL)


@pytest.fixture(scope="session")
def check(checker: Checker) -> Callable[..., list[Hit]]:
    """Hits of a text (and pictures as pairs of file and alt) from an account."""

    def run(text: str, *pictures: tuple[str, str | None], account: str = "school") -> list[Hit]:
        return checker.check(Draft(text, tuple(Picture(file, alt) for file, alt in pictures), "facebook", account))

    return run


@pytest.fixture(scope="session")
def names(check: Callable[..., list[Hit]]) -> Callable[[str], list[tuple[str, str]]]:
    """Rule and quote of every pupil's name in a text."""

    def run(text: str) -> list[tuple[str, str]]:
        return [(hit.rule, hit.quote or "") for hit in check(text) if hit.rule.startswith("pupil-name")]

    return run
