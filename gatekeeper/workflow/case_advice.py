"""Asking first (policy 5.5): whoever is uncertain refrains until somebody answered in writing, and the answer is kept.

A question about a post freezes it: it can be written on, and it cannot be sent. "Go ahead" lets it go; after "please do
not" it stays frozen until another question about it is answered otherwise. The headteacher decides about it as ever.
"""

from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from approvals.statements import tidy
from gatekeeper.cases.model import Case, CaseKind, CaseState
from gatekeeper.cases.rules import Act
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Staff, record
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import post_for_update
from gatekeeper.workflow.case_freeze import why_frozen
from gatekeeper.workflow.case_right import case_for
from gatekeeper.workflow.case_work import finish
from gatekeeper.workflow.cases import Opening, needed, open_as, subject_of, write
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.own_post import own_post
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.submit import SUBMITTABLE

GO_AHEAD, PLEASE_DO_NOT, TAKEN_BACK = "go_ahead", "please_do_not", "taken_back"
ANSWERS: Final = {GO_AHEAD: "Go ahead", PLEASE_DO_NOT: "Please do not", TAKEN_BACK: "Taken back"}


def ask(services: Services, title: str, words: str, *, by: Staff, post_id: int | None = None, link: str = "") -> int:
    """Ask the line manager, or the headteacher where there is none; a post it is about is frozen from this moment.

    Raises:
        BadInput: nothing is asked, or there is nobody to ask.
        NotFound: the post is not their own.
        Conflict: the post has been sent, or a question about it waits already.
    """
    now = services.clock.now()
    with services.step() as session:
        words = needed(words, field="words", ask="Please write what you are not sure about.")
        post = own_post(session, post_id, by.id) if post_id is not None else None
        if post is not None:
            if post.state not in SUBMITTABLE:
                raise Conflict("This post has been sent or is being checked. Take it back first, then ask.")
            if _waits(session, post):
                raise Conflict("You have asked about this post already, and the answer is still to come.")
        opening = Opening(kind=CaseKind.ADVICE, title=title, words=words, link=link, post_id=post_id)
        if post is not None:
            # whoever is asked cannot open a draft; an earlier "please do not" stands until somebody says otherwise
            facts = {"post_words": post.text, "post_photos": len(post.photos), "before": post.asked_first}
            opening = replace(opening, facts=facts)
        case_id = open_as(session, opening, by=by, now=now)
        if post is not None:
            post.asked_first, post.send_when_clear = case_id, False
            record(session, at=now, staff_id=by.id, action="post.asked_first", subject=f"post:{post.id}")
        return case_id


def answer(services: Services, case_id: int, verdict: str, words: str, *, by: Staff) -> None:
    """Answer in writing. It is answered once, and the answer is kept.

    Raises:
        BadInput: neither yes nor no, or nothing is written.
    """
    now = services.clock.now()
    with services.step() as session:
        case = _locked(session, case_id, by, Act.ANSWER)
        if verdict not in (GO_AHEAD, PLEASE_DO_NOT):
            raise BadInput("Please choose an answer.", fields={"verdict": "Please choose an answer."})
        words = needed(words, field="answer", ask="Please write your answer in a sentence.")
        write(session, case, "answer", by=by.id, now=now, words=words, shared=True, verdict=verdict)
        finish(session, case, verdict, "", by=by.id, now=now)
        if verdict == GO_AHEAD:
            _release(session, case)
        tell(
            session,
            "case_news",
            staff_id=case.opened_by,
            subject=f"{subject_of(case.id)}:answered:{now:%Y%m%dT%H%M%S}",
            context={"case_id": case.id, "kind": case.kind},
            now=now,
        )


def take_back(services: Services, case_id: int, words: str, *, by: Staff) -> None:
    """Take one's own question back while nobody has answered; that it was asked is kept."""
    now = services.clock.now()
    with services.step() as session:
        case = _locked(session, case_id, by, Act.TAKE_BACK)
        if words := tidy(words):
            write(session, case, "note", by=by.id, now=now, words=words, shared=True)
        finish(session, case, TAKEN_BACK, "", by=by.id, now=now)
        _release(session, case, to=case.facts.get("before"))  # an earlier "please do not" is not got round this way


def question_of(session: Session, post_id: int) -> tuple[int, str, bool] | None:
    """(case, sentence, whether it waits for an answer) of the question that freezes a post."""
    post = session.get(Post, post_id)
    if post is None or post.asked_first is None:
        return None
    return post.asked_first, why_frozen(session, post), _waits(session, post)


def _waits(session: Session, post: Post) -> bool:
    case = session.get(Case, post.asked_first) if post.asked_first is not None else None
    return case is not None and case.state != CaseState.CLOSED


def _locked(session: Session, case_id: int, by: Staff, act: Act) -> Case:
    """The case, and its post locked before it as every edit of a post does."""
    seen = case_for(session, case_id, by)
    if seen.post_id is not None:
        post_for_update(session, seen.post_id)
    return case_for(session, case_id, by, act)


def _release(session: Session, case: Case, *, to: int | None = None) -> None:
    post = session.get(Post, case.post_id) if case.post_id is not None else None
    if post is not None and post.asked_first == case.id:
        post.asked_first = to
