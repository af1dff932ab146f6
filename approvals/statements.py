"""What must be written for a decision to be a written one, and how the words are tied to the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.errors import AnswersAlike, FindingUnanswered, StatementMissing
from approvals.ledger import salted_hash
from approvals.tables import Verdict

SHORTEST_NAME = 2
SHORTEST_APPROVAL = 3
SHORTEST_REFUSAL = 10
SHORTEST_ANSWER = 10
SHORTEST_MARK = 3


@dataclass(frozen=True)
class Answer:
    """The approver's own sentence about one blocked finding."""

    finding_id: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Mark:
    """One place in what was shown, and what the approver wants changed there.

    `where` is the caller's own spelling of the place, opaque to this room, such as "text:12-30" or "photo:2:face:3".
    """

    where: str
    words: str


@dataclass(frozen=True)
class Words:
    """Everything a person wrote to make the decision theirs."""

    typed_name: str
    statement: str
    answers: tuple[Answer, ...]
    marks: tuple[Mark, ...] = ()

    def marks_json(self) -> list[dict[str, str]]:
        """As they are stored with the decision."""
        return [{"where": mark.where, "words": mark.words} for mark in self.marks]

    def answers_json(self) -> list[dict[str, str]]:
        """As they are stored with the decision."""
        return [{"id": a.finding_id, "rule": a.rule, "sentence": a.sentence} for a in self.answers]


def written(
    verdict: Verdict,
    *,
    typed_name: str,
    statement: str,
    answers: Mapping[str, str],
    required_findings: Mapping[str, str],
    marks: Sequence[Mark] = (),
) -> Words:
    """The words in order, if they are enough for this verdict.

    Args:
        verdict: what they are to carry.
        typed_name: the approver's name as they typed it.
        statement: their statement.
        answers: finding id -> their sentence about it.
        required_findings: finding id -> rule id, for every finding that blocks; approving answers each.
        marks: what is to be changed where. Only asking for changes keeps them, and then they say why by themselves.

    Raises:
        StatementMissing: no name, or hardly a statement and no mark in its place.
        FindingUnanswered: an approval leaves blocked findings without a sentence.
    """
    typed_name, statement = tidy(typed_name), tidy(statement)
    given = tuple(
        Answer(finding_id, rule, sentence)
        for finding_id, rule in required_findings.items()
        if (sentence := tidy(answers.get(finding_id, "")))
    )
    kept = (
        tuple(Mark(mark.where, words) for mark in marks if _weight(words := tidy(mark.words)) >= SHORTEST_MARK)
        if verdict == Verdict.CHANGES
        else ()
    )
    if _weight(typed_name) < SHORTEST_NAME:
        raise StatementMissing("Please type your name.", field="typed_name")
    if verdict == Verdict.APPROVE:
        if _weight(statement) < SHORTEST_APPROVAL:
            raise StatementMissing("Please write a few words that say you approve.", field="statement")
        enough = {answer.finding_id for answer in given if _weight(answer.sentence) >= SHORTEST_ANSWER}
        open_findings = [finding_id for finding_id in required_findings if finding_id not in enough]
        if open_findings:
            raise FindingUnanswered(open_findings)
    elif _weight(statement) < SHORTEST_REFUSAL and not kept:
        raise StatementMissing(
            "Please write in a sentence why, so that the author knows what to do.", field="statement"
        )
    return Words(typed_name, statement, given, kept)


def check_each_its_own(answers: Sequence[Answer], one_matter: Mapping[str, str]) -> None:
    """Refuse one sentence that was put under different findings: each is a decision of its own.

    Args:
        answers: the sentences of an approval.
        one_matter: finding id -> a word for what it is about; findings with the same word may be answered alike.

    Raises:
        AnswersAlike: different findings got the same words, however they are spaced, capitalised or stopped.
    """
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        plain = "".join(sign for sign in answer.sentence.casefold() if sign.isalnum())
        groups.setdefault(plain, []).append(answer)
    alike = [
        answer.finding_id
        for group in groups.values()
        if len({one_matter.get(answer.finding_id, answer.finding_id) for answer in group}) > 1
        for answer in group
    ]
    if alike:
        raise AnswersAlike(alike)


def tidy(words: str) -> str:
    """The words as they can be kept: one kind of line end, nothing that a database or UTF-8 cannot hold."""
    plain = words.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return plain.encode(errors="ignore").decode().strip()


def hashes(words: Words, salt: str) -> dict[str, Any]:
    """What of the words goes into the ledger: one salted hash for each."""
    return {
        "typed_name": salted_hash(words.typed_name, salt=salt).digest,
        "statement": salted_hash(words.statement, salt=salt).digest,
        "answers": [
            {"finding": a.finding_id, "rule": a.rule, "words": salted_hash(a.sentence, salt=salt).digest}
            for a in words.answers
        ],
        "marks": [{"where": mark.where, "words": salted_hash(mark.words, salt=salt).digest} for mark in words.marks],
    }


def _weight(words: str) -> int:
    """How many letters and digits there are: dots and spaces say nothing."""
    return sum(character.isalnum() for character in words)
