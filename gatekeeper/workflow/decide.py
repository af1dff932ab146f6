"""Records the written decision of the headteacher or their deputy, and does at once what follows from it.

One transaction holds the decision, its ledger entry, the end of the link, the publications and the post's new state:
all of it or nothing. What a yes rests on is looked at again first: the stored words and pictures must still be those
with the digest that the page showed, and every pupil's permission is asked anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import decisions, ledger, proofs, requests, tokens
from approvals.errors import DigestMismatch, RequestClosed
from approvals.outcomes import told_closing
from approvals.statements import Mark
from approvals.tables import ApprovalRequest, Decision, RequestStatus, Verdict
from gatekeeper.errors import Conflict
from gatekeeper.people.own_rules import version_label
from gatekeeper.people.staff import record
from gatekeeper.policy.verdict import NEVER
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Finding, Post, Publication, Version
from gatekeeper.posts.repository import findings_of, move, move_publication, post_for_update, publications_of
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.workflow import sign
from gatekeeper.workflow.asked_about import post_in
from gatekeeper.workflow.case_reply import expired as replies_expired
from gatekeeper.workflow.case_reply import lock_replies_asked_about
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.deciders import check_entitled, deciders
from gatekeeper.workflow.head_only import LOGO_RULE
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.recheck import DAMAGED, Seen, find_against, look_at_pictures, take_back
from gatekeeper.workflow.request import expire
from gatekeeper.workflow.services import Services

NO_LONGER = (
    "Something changed since this post was checked, such as a permission. Your approval was not recorded and nothing "
    "will be published; the post went back to its author, who can see what it is."
)
NOT_IN_TIME = "The headteacher did not decide before its time came. Choose a new time and send it again."
MARK_RULE: Final = LOGO_RULE
_SHORTEST_AUTHORITY: Final = 2  # letters and digits
_STATE_AFTER = {
    Verdict.APPROVE: PostState.SCHEDULED,
    Verdict.REFUSE: PostState.REFUSED,
    Verdict.CHANGES: PostState.CHANGES,
}


@dataclass(frozen=True, kw_only=True)
class DecisionForm:
    """What the form on the decision page sent.

    Attributes:
        answers: finding id -> the head's own sentence about it.
        authorised: for each logo that was ticked, the id of its first finding -> who authorised it.
        marks: where the head wants what changed; only asking for changes keeps them.
        assertion: what the browser's passkey signed, where the head proved themselves by one and approves.
    """

    verdict: Verdict
    digest_shown: str
    typed_name: str
    statement: str
    answers: Mapping[str, str]
    authorised: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    assertion: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: the decision on record, or why a yes could not be taken."""

    decision: Decision | None
    sentence: str = ""


def decide(services: Services, view_secret: str, form: DecisionForm) -> Outcome:
    """Record one decision and what follows from it.

    Raises:
        LinkRefused: the link opens nothing (any more).
        DeciderRefused, ProofRefused, QuestionClosed: not this person, not proved, or settled already.
        DigestMismatch, WordsMissing: not what was shown, or not written out. Nothing was recorded.
    """
    now = services.clock.now()
    with services.db.read() as session:
        request = tokens.view(session, view_secret, now=now).request
        version = session.get_one(Version, int(request.version_ref))
    seen = look_at_pictures(services, version)
    approving = form.verdict is Verdict.APPROVE
    signed = sign.checked(services, view_secret, form.assertion) if approving else None
    now = services.clock.now()
    with services.step() as session:
        post = post_for_update(session, post_id_of(request))  # first the post and then the ledger, as every edit does
        ledger.hold(session)
        view = tokens.view(session, view_secret, now=now)
        request = view.request
        who = deciders(session, now=now)

        def entitled(person_id: int) -> bool:
            return who.may(session, person_id, request)

        if request.status == RequestStatus.OPEN:
            check_entitled(session, request, view.person_id, now=now)
        decisions.check_can_decide(session, view, may_decide=entitled, now=now)
        if post.state != PostState.WAITING or str(post.version_id) != request.version_ref:
            raise RequestClosed(told_closing(request))
        version = session.get_one(Version, int(request.version_ref), populate_existing=True)
        if form.digest_shown != request.digest:
            raise DigestMismatch
        if approving and (stopped := _stop(services, session, post, version, seen, now=now)):
            return stopped
        decision = decisions.decide(
            session,
            view_secret=view_secret,
            verdict=form.verdict,
            digest_shown=form.digest_shown,
            typed_name=form.typed_name,
            statement=form.statement,
            answers=answers_to(session, version.id, form),
            required_findings=required_findings(session, version.id),
            policy_version=version_label(session),
            now=now,
            may_decide=entitled,
            marks=form.marks,
            assertion=signed,
            appointment_id=who.appointment_of(view.person_id, author_id=request.author_id),
            one_matter=matters(session, version.id),
            never=never_allowed(session, version.id),
        )
        _follow(session, post, version, decision, now=now)
    return Outcome(decision=decision)


def prove(services: Services, view_secret: str, pin: str) -> proofs.ProvedView:
    """Try the PIN for this request. The try stays counted whatever comes of it: call `demand` on what is returned.

    Raises:
        LinkRefused: the link opens nothing (any more); no try is counted.
    """
    now = services.clock.now()
    with services.step() as session:
        proof = proofs.prove_view(session, view_secret, pin, now=now)
        secret = proof.view_secret or view_secret
        view = tokens.view(session, secret, now=now)
        if proof.ok or proof.locked_now:
            record(
                session,
                at=now,
                staff_id=view.person_id,
                action="decide.proved" if proof.ok else "pin.locked",
                subject=view.request.subject,  # from here on this browser is shown who is in the photos
            )
        if proof.locked_now:
            tell(
                session,
                "pin_locked",
                staff_id=view.person_id,
                subject=f"pin:{now:%Y%m%dT%H%M%S}",
                context={},
                now=now,
            )
    return proof


def required_findings(session: Session, version_id: int) -> dict[str, str]:
    """The findings that the head has to answer one by one before a yes counts: finding id -> rule."""
    return {str(f.id): f.rule for f in findings_of(session, version_id) if f.severity == "block" or f.rule == MARK_RULE}


def matters(session: Session, version_id: int) -> dict[str, str]:
    """What each finding is about. The same words under the same rule are one matter, wherever they stand in the post.

    Logos are one matter as well: what the head says of each is its own tick and name, which may well be the same.
    """
    return {
        str(f.id): f.rule if f.rule == MARK_RULE else f"{f.rule}:{' '.join(f.quote.casefold().split())}"
        for f in findings_of(session, version_id)
    }


def never_allowed(session: Session, version_id: int) -> frozenset[str]:
    """The findings that nobody can allow: they stand for a mark "never publish"."""
    return frozenset(str(f.id) for f in findings_of(session, version_id) if f.rule.startswith(NEVER))


def marks_among(findings: Sequence[Finding]) -> dict[int, list[Finding]]:
    """The findings about each logo: one authority serves for all the places where it is seen."""
    groups: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: one.id):
        if finding.rule == MARK_RULE:
            groups.setdefault(finding.quote, []).append(finding)
    return {group[0].id: group for group in groups.values()}


def marks_of(session: Session, version_id: int) -> dict[int, list[Finding]]:
    """The findings about each logo of a version, under the id of its first."""
    return marks_among(findings_of(session, version_id))


def answers_to(session: Session, version_id: int, form: DecisionForm) -> dict[str, str]:
    """What the head wrote about each finding. A logo is answered by its tick and a name, by nothing else."""
    findings = findings_of(session, version_id)
    marks = {str(finding.id) for finding in findings if finding.rule == MARK_RULE}
    answers = {finding_id: words for finding_id, words in form.answers.items() if finding_id not in marks}
    for first, group in marks_among(findings).items():
        who = " ".join(form.authorised.get(str(first), "").split())
        if sum(sign.isalnum() for sign in who) >= _SHORTEST_AUTHORITY:
            answers |= {str(finding.id): f"Authorised by {who}" for finding in group}
    return answers


def post_id_of(request: ApprovalRequest) -> int:
    """The post that a request asks about."""
    return post_id_in(request.subject)


def post_id_in(subject: str) -> int:
    """The number of the post that bears this name in the approval room."""
    return int(subject.removeprefix(subject_of(0).removesuffix("0")))


def waiting_for(session: Session, person_id: int, *, now: datetime) -> list[ApprovalRequest]:
    """What this person may decide at this moment, whoever was asked, the most urgent first."""
    who = deciders(session, now=now)
    asked = session.scalars(
        select(ApprovalRequest)
        .where(ApprovalRequest.status == RequestStatus.OPEN, ApprovalRequest.expires_at > now)
        .order_by(ApprovalRequest.expires_at, ApprovalRequest.opened_seq)
    ).all()
    return [request for request in asked if who.may(session, person_id, request)]


def open_for(services: Services, request_id: str, *, person_id: int) -> tokens.OpenedLink | None:
    """Give whoever may decide it the same kind of link that the e-mail holds, opened; the PIN is still theirs to give.

    None where this person may decide nothing of the kind, or not any more.
    """
    now = services.clock.now()
    with services.step() as session:
        request = session.get(ApprovalRequest, request_id)
        if request is None or request.status != RequestStatus.OPEN or request.expires_at <= now:
            return None
        if not deciders(session, now=now).may(session, person_id, request):
            return None
        token = tokens.mint(session, request=request, person_id=person_id, purpose=tokens.DECIDE, now=now)
        return tokens.open_link(session, token, purpose=tokens.DECIDE, now=now)


def expire_due(services: Services) -> int:
    """Close every question whose time has come, and tell the authors. Says how many posts expired."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        asked = select(ApprovalRequest.subject).where(
            ApprovalRequest.status == RequestStatus.OPEN, ApprovalRequest.expires_at <= now
        )
        unasked = select(Post.id).where(Post.state == PostState.REQUESTING, Post.due_at <= now)
        ended = session.scalars(asked).all()
        due = {number for one in ended if (number := post_in(one)) is not None} | set(session.scalars(unasked))
    if not due and not ended:
        return 0
    expired = 0
    with services.step() as session:
        # the posts before the ledger, as every edit does; a post that was deleted leaves its question behind
        found = [session.get(Post, post_id, with_for_update=True, populate_existing=True) for post_id in sorted(due)]
        lock_replies_asked_about(session)
        over = requests.expire_due(session, now)
        closed = {request.version_ref for request in over if post_in(request.subject) is not None}
        replies_expired(session, over, now=now)
        for post in found:
            if post is None:
                continue
            undecided = post.state == PostState.WAITING and str(post.version_id) in closed
            unasked_for = post.state == PostState.REQUESTING and post.due_at is not None and post.due_at <= now
            if undecided or unasked_for:
                expire(session, post, sentence=NOT_IN_TIME, now=now)
                expired += 1
    return expired


def _stop(
    services: Services, session: Session, post: Post, version: Version, seen: Seen, *, now: datetime
) -> Outcome | None:
    """Take the post back where a yes could no longer stand on it."""
    against = find_against(services, session, post, version, seen)
    if against is None:
        return None
    take_back(session, post, against, now=now)
    record(session, at=now, staff_id=None, action="approval.stopped", subject=subject_of(post.id))
    damage = f"{DAMAGED} Your approval was not recorded; you will be asked again."
    return Outcome(decision=None, sentence=damage if against.damaged else NO_LONGER)


def _follow(session: Session, post: Post, version: Version, decision: Decision, *, now: datetime) -> None:
    """What follows from a decision: where it was a yes, one publication for each channel."""
    verdict = Verdict(decision.verdict)
    move(post, _STATE_AFTER[verdict])
    post.note = "" if verdict is Verdict.APPROVE else decision.statement or ""
    if verdict is Verdict.APPROVE:
        _schedule(session, version, decision)
    record(
        session,
        at=now,
        staff_id=decision.approver_id,
        action=f"decision.{verdict}",
        subject=subject_of(post.id),
        detail={"decision": decision.id, "version": version.id},
    )
    tell(
        session,
        "decided",
        staff_id=post.author_id,
        subject=f"decision:{decision.id}",
        context={"post_id": post.id, "verdict": str(verdict)},
        now=now,
    )


def _schedule(session: Session, version: Version, decision: Decision) -> None:
    content = Content.from_canonical(version.canonical)
    earlier = {publication.account_id: publication for publication in publications_of(session, version.id)}
    for channel in content.channels:
        publication = earlier.get(channel.account_id)
        if publication is None:
            publication = Publication(version_id=version.id, account_id=channel.account_id)
            session.add(publication)
        elif publication.state != PublicationState.CANCELLED:
            raise Conflict("This post is being sent already.")
        else:
            move_publication(publication, PublicationState.SCHEDULED)
        publication.decision_id, publication.digest = decision.id, decision.digest
        publication.due_at = publication.next_at = content.due
        publication.closes_at = content.due + timedelta(minutes=content.window_minutes)
        publication.problem = ""
