"""The form of the decision page: what it sent, and what of it is still to be written."""

from collections.abc import Mapping
from typing import Any, Final

from flask import request

from approvals import tokens
from approvals.errors import AnswersAlike, FindingUnanswered, StatementMissing, WordsMissing
from approvals.statements import Mark, written
from approvals.tables import ApprovalRequest, Verdict
from gatekeeper.web.access import services
from gatekeeper.web.decide_link import typed_words
from gatekeeper.web.second_proof import typed_proof
from gatekeeper.workflow import decide as step
from gatekeeper.workflow.asked_about import post_in
from gatekeeper.workflow.conversation import marks_asked

_NO_ANSWER: Final = "Please answer this point in a sentence of your own, or choose another decision."
_NO_AUTHORITY: Final = (
    "Please tick that this logo may be shown and write who authorised it, or choose another decision."
)


def sent_form(verdict: Verdict, asked: ApprovalRequest) -> step.DecisionForm:
    """What this browser sent. Only who asks for changes points at places.

    Raises:
        MarksUnclear: a mark points at nothing, or does not say what should change.
    """
    typed = typed_words()
    marks: tuple[Mark, ...] = ()
    if verdict is Verdict.CHANGES and post_in(asked.subject) is not None:
        with services().db.read() as session:
            marks = marks_asked(session, asked, typed)
    ticked = [number for number in _numbered(typed, "mark-") if number.isdigit()]
    return step.DecisionForm(
        verdict=verdict,
        digest_shown=request.form.get("digest", ""),
        typed_name=typed.get("typed_name", ""),
        statement=typed.get("statement", ""),
        answers=_numbered(typed, "answer-"),
        authorised={number: typed.get(f"by-{number}", "") for number in ticked},
        marks=marks,
        assertion=typed_proof().assertion,
    )


def still_missing(form: step.DecisionForm, view: tokens.View, refused: WordsMissing) -> dict[str, str]:
    """Everything that is not written out yet, in the order of the page: nobody should be sent back for each in turn."""
    if isinstance(refused, AnswersAlike):
        return {f"answer-{finding_id}": str(refused) for finding_id in refused.finding_ids}
    findings, answers, marks = _of_post(form, view) if post_in(view.request.subject) is not None else ({}, {}, {})
    enough = "written out in full"
    given = {"typed_name": form.typed_name, "statement": form.statement, "answers": answers}
    filled = {"typed_name": enough, "statement": enough, "answers": dict.fromkeys(findings, enough)}
    missing: dict[str, str] = {}
    for part in ("answers", "statement", "typed_name"):
        words: dict[str, Any] = filled | {part: given[part]}
        try:
            written(form.verdict, required_findings=findings, marks=form.marks, **words)
        except StatementMissing as unwritten:
            missing[unwritten.field] = str(unwritten)
        except FindingUnanswered as unanswered:
            for finding_id in unanswered.finding_ids:
                first = marks.get(finding_id)
                missing[f"by-{first}" if first else f"answer-{finding_id}"] = _NO_AUTHORITY if first else _NO_ANSWER
    return missing or {"": str(refused)}


def _of_post(form: step.DecisionForm, view: tokens.View) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """What is to be answered, what was, and the first finding of each logo."""
    with services().db.read() as session:
        version_id = int(view.request.version_ref)
        groups = step.marks_of(session, version_id)
        return (
            step.required_findings(session, version_id),
            step.answers_to(session, version_id, form),
            {str(one.id): str(first) for first, group in groups.items() for one in group},
        )


def _numbered(typed: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The fields that are there once for each finding, by the finding's number."""
    return {key.removeprefix(prefix): words for key, words in typed.items() if key.startswith(prefix)}
