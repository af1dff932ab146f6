import pytest

from approvals.errors import FindingUnanswered, StatementMissing
from approvals.statements import Answer, Words, hashes, written
from approvals.tables import Verdict

FINDINGS = {"f1": "3.1d", "f2": "3.5"}
SENTENCE = "The parents asked for this."


def write(verdict: Verdict = Verdict.APPROVE, **over: object) -> Words:
    given: dict[str, object] = {
        "typed_name": "Ruth Okafor",
        "statement": "Yes, this may go out.",
        "answers": {},
        "required_findings": {},
    }
    return written(verdict, **(given | over))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", " ", "R", "…", ".,", "\u200b\u200b\u200b"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_no_decision_without_a_typed_name(verdict: Verdict, name: str) -> None:
    with pytest.raises(StatementMissing, match="type your name") as refused:
        write(verdict, typed_name=name)
    assert refused.value.field == "typed_name"


@pytest.mark.parametrize("statement", ["", "   \n ", "ok", "....................", "\u200b" * 40, "o k !"])
def test_no_approval_without_a_few_words(statement: str) -> None:
    with pytest.raises(StatementMissing, match="few words") as refused:
        write(statement=statement)
    assert refused.value.field == "statement"


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
@pytest.mark.parametrize("statement", ["", "no", "Not yet.", "n o - n o - n o"])
def test_no_refusal_without_a_sentence(verdict: Verdict, statement: str) -> None:
    with pytest.raises(StatementMissing, match="in a sentence why"):
        write(verdict, statement=statement)


def test_a_short_yes_is_enough_and_so_is_any_language() -> None:
    assert write(statement="Yes").statement == "Yes"
    assert write(Verdict.REFUSE, statement="写真に子どもの名前が写っています").statement


def test_every_blocked_finding_needs_an_answer_of_its_own() -> None:
    with pytest.raises(FindingUnanswered, match="2 blocked findings have no answer") as refused:
        write(required_findings=FINDINGS)
    assert refused.value.finding_ids == ("f1", "f2")
    for too_short in ("", "  ", "fine", "- - - - - - - - -"):
        with pytest.raises(FindingUnanswered, match="One blocked finding has") as refused:
            write(required_findings=FINDINGS, answers={"f1": SENTENCE, "f2": too_short})
        assert refused.value.finding_ids == ("f2",)


def test_an_answer_to_another_finding_answers_nothing() -> None:
    with pytest.raises(FindingUnanswered):
        write(required_findings={"f1": "3.1d"}, answers={"f9": SENTENCE})


def test_answers_are_kept_with_their_rule_in_the_order_asked() -> None:
    words = write(required_findings=FINDINGS, answers={"f2": SENTENCE, "f1": f" {SENTENCE} ", "f9": SENTENCE})
    assert words.answers == (Answer("f1", "3.1d", SENTENCE), Answer("f2", "3.5", SENTENCE))


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
def test_a_refusal_answers_no_finding_but_keeps_what_was_written(verdict: Verdict) -> None:
    words = write(verdict, required_findings=FINDINGS, answers={"f1": "Not so."})
    assert words.answers == (Answer("f1", "3.1d", "Not so."),)


def test_words_that_no_database_can_hold_are_made_fit() -> None:
    words = write(statement="  Yes,\r\nit may\x00 go \ud800out.\r ")
    assert words.statement == "Yes,\nit may go out."


def test_each_text_has_its_own_hash_under_the_salt() -> None:
    words = write(required_findings=FINDINGS, answers={"f1": SENTENCE, "f2": SENTENCE + "!"})
    found = hashes(words, "ab" * 32)
    texts = [found["typed_name"], found["statement"], *(answer["words"] for answer in found["answers"])]
    assert len(set(texts)) == 4
    assert hashes(words, "cd" * 32)["statement"] != found["statement"]
    assert SENTENCE not in str(found)
