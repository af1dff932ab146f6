"""A school's own rules: read whole or refused with their line, bounded in time, and unable to weaken a shipped rule."""

import pytest

from gatekeeper.text import own
from gatekeeper.text.checker import Checker, Draft, Hit
from gatekeeper.text.lexicon import Lexicon, LexiconError
from gatekeeper.text.own import read_own
from gatekeeper.text.passage import read
from gatekeeper.text.reader import Reader
from gatekeeper.text.staff import StaffNames
from tests.fixtures.effort import effort
from tests.gatekeeper.text.conftest import PUPILS, SCHOOL, STAFF

WEIR = """
[families]
water = "weir, mill race, river bank"

[[rule]]
id = "our-weir"
clause = "3.8"
severity = "block"
sentence = "⟨q⟩ tells where our children play. Leave the place out."
patterns = ["{water} & pupils/children/class"]
unless = ["picture of"]
hit = "The children met at the weir."
miss = "The children drew a picture of the weir."
"""
ENTRY = """
[[entry]]
id = "our-pony"
rule = "confidential-info"
severity = "justify"
patterns = ["pony money"]
hit = "The pony money is late."
miss = "The pony is late."
"""


def _check(text: str, rules: str = "", **more: object) -> list[Hit]:
    checker = Checker(PUPILS, STAFF, SCHOOL, own=read_own(rules), **more)  # type: ignore[arg-type]
    return checker.check(Draft(text, (), "facebook", "school"))


def test_an_own_rule_is_found_with_its_own_sentence() -> None:
    [hit] = _check("The children met at the weir.", WEIR)
    assert (hit.rule, hit.clause, hit.severity) == ("our-weir", "3.8", "block")
    assert hit.message.startswith("“The children met at the weir.” tells")
    assert _check("The children drew a picture of the weir.", WEIR) == []


def test_an_own_entry_leads_to_a_shipped_rule() -> None:
    [hit] = _check("The pony money is late.", ENTRY)
    assert (hit.rule, hit.severity) == ("confidential-info", "justify")


def test_a_family_of_the_schools_own_changes_no_shipped_rule() -> None:
    text = "Year 5 are at the swimming pool right now."
    shipped = next(iter(Lexicon.shipped().families))
    emptied = "\n".join(f'{name} = "zebra crossing"' for name in list(Lexicon.shipped().families)[: own.MOST_FAMILIES])
    assert shipped in emptied
    assert _check(text, f"[families]\n{emptied}\n{ENTRY}") == _check(text)


@pytest.mark.parametrize("rule", ["pupil-name-full", "contact-dob", "pupil-name-first"])
def test_cannot_lead_an_own_entry_to_a_rule_that_goes_by_the_roll(rule: str) -> None:
    with pytest.raises(LexiconError, match="goes by the roll"):
        read_own(ENTRY.replace("confidential-info", rule))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WEIR.replace('clause = "3.8"', "clause = 3.8"), "Rule 'our-weir' needs a text for 'clause'"),
        (WEIR.replace('severity = "block"', 'severity = "block'), "Line 8, column 18 cannot be read"),
        (WEIR.replace('"3.8"', '"9.9"'), "does not have: 9.9"),
        (WEIR.replace('"block"', '"fatal"'), "severity"),
        (WEIR.replace("our-weir", "weir"), "such as “our-weir”"),
        (WEIR.replace("our-weir", "pupil-name-full"), "id of its own"),
        (WEIR.replace("Leave the place out.", "Leave it"), "whole sentence"),
        (WEIR.replace("{water}", "{lake}"), "Line 6: Entry 'our-weir'"),
        (WEIR.replace("unless", "unles"), "means nothing"),
        (WEIR.replace("[families]", "[family]"), "no part called"),
        (WEIR.replace("[[rule]]", "[rule]"), "two brackets"),
        (WEIR + WEIR.replace('[families]\nwater = "weir, mill race, river bank"\n', ""), "Two entries"),
        (WEIR.replace('hit = "The children met at the weir."\n', ""), "'hit'"),
        (ENTRY.replace("our-pony", "pony"), "such as"),
        (ENTRY.replace("confidential-info", "no-such-rule"), "no-such-rule"),
        ("a = " + "[" * 5_000, "too many brackets"),
        ("a = " + "9" * 9_000, "too long a figure"),
        ("# " + "x" * own.LONGEST_FILE, "longer than"),
    ],
)
def test_cannot_use_a_broken_file(text: str, says: str) -> None:
    with pytest.raises(LexiconError, match=says):
        read_own(text, clauses={"3.8"})


def _refused(text: str, says: str) -> None:
    with pytest.raises(LexiconError, match=says):
        read_own(text)


def _many(patterns: str, count: int = 1) -> str:
    return "".join(
        f'[[rule]]\nid = "our-x{number}"\nclause = "3.8"\nseverity = "advice"\nsentence = "No."\n'
        f'patterns = [{patterns}]\nhit = "a"\nmiss = "b"\n'
        for number in range(count)
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_many('"' + "a/" * 98 + 'a"', 13), "too much work"),
        (_many('"' + "a ... " * 30 + 'a"', 24), "too much work"),
        (_many('"a"', own.MOST_ENTRIES + 1), "more than 100 rules"),
        (_many(", ".join(['"a"'] * (own.MOST_PATTERNS + 1))), "more than 30 patterns"),
        (_many('"' + "a " * 101 + '"'), "200 characters"),
        ("[families]\n" + "".join(f'f{n} = "@f{n + 1}, @f{n + 1}"\n' for n in range(20)) + 'f20 = "a"\n' + ENTRY, "phrases"),
        ("[families]\n" + "".join(f'f{n} = "a"\n' for n in range(61)), "families"),
        ('[families]\na = "' + ", ".join(f"the w{n}" for n in range(70)) + '"\n', "begin with 'the'"),
        ('[families]\na = "@b"\nb = "@a"\n' + _many('"{a}"'), "contains itself"),
    ],
)  # fmt: skip
def test_cannot_add_rules_without_end(text: str, says: str) -> None:
    assert effort(lambda: _refused(text, says)) < 40


@pytest.mark.parametrize(
    "patterns",
    ['"' + "a/b/" * 20 + 'a $ ^"', '"a ... b? ... a? ... b ... a ... zz", "b ... a ... b $"'],
    ids=["row", "gaps"],
)
def test_the_worst_that_is_let_in_reads_the_longest_post_with_little_work(patterns: str) -> None:
    """Rules filled up to the limit, on a text of nothing but the words that they wait for, twice the longest post."""
    count = own.MOST_ENTRIES
    while True:
        try:
            found = read_own(_many(patterns, count))
            break
        except LexiconError:
            count -= 1
    reader = Reader(found.lexicon(), SCHOOL, StaffNames(STAFF, ()))
    passage = read("text", "a b " * 2_500)
    assert effort(lambda: reader.find(passage, "school", [], [])) < 200


def test_softening_changes_the_severity_and_off_hides_nothing_else() -> None:
    text = "Our management could not organise a raffle, they are useless, said Imelda Brackwater."
    soft = {"disparagement": "advice", "pupil-name-full": "off"}
    assert {(hit.rule, hit.severity) for hit in _check(text, softened=soft)} == {
        ("disparagement", "advice"),
        ("pupil-name-full", "block"),
    }
    assert {hit.rule for hit in _check(text, softened={"disparagement": "off"})} == {"pupil-name-full"}
    location = "Year 4 leave for the museum at 9.30am on Friday."
    assert [hit.rule for hit in _check(location, softened={"pupil-live-location": "off"})] == ["pupil-planned-location"]


@pytest.mark.parametrize("text", ["a" + ".a" * 24_000 + " = 1", "[a" + ".a" * 24_000 + "]"], ids=["name", "heading"])
def test_cannot_hang_the_page_by_a_name_of_a_thousand_parts(text: str) -> None:
    assert effort(lambda: _refused(text, r"Line 1 .* too many dots")) < 20


def test_the_longest_allowed_file_of_parted_names_takes_little_work() -> None:
    text = "\n".join("a." * 480 + f"b{number} = 1" for number in range(50))
    assert effort(lambda: _refused(text, "no part called 'a'")) < 120
