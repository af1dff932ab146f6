"""Records the written decision about a reply to an enquiry, by the same rules as about a post.

The same link, the same second proof, the same written statement, the same ledger. There are no pictures
in it, and the check of words only remarks: the person reads exactly the words that would be sent, and to whom.
"""

from sqlalchemy.orm import Session

from approvals import decisions, ledger, tokens
from approvals.errors import AuthorCannotDecide, DigestMismatch, RequestClosed
from approvals.outcomes import told_closing
from approvals.tables import ApprovalRequest, Decision, RequestStatus, Verdict
from gatekeeper.cases.model import Case, CaseReply
from gatekeeper.people.own_rules import version_label
from gatekeeper.people.staff import record
from gatekeeper.workflow import sign
from gatekeeper.workflow.asked_about import reply_in
from gatekeeper.workflow.case_reply import ReplyState, digest_of, tell_author, writers
from gatekeeper.workflow.cases import write
from gatekeeper.workflow.decide import DecisionForm
from gatekeeper.workflow.deciders import check_entitled, deciders
from gatekeeper.workflow.services import Services

_AFTER = {Verdict.APPROVE: ReplyState.APPROVED, Verdict.REFUSE: ReplyState.REFUSED, Verdict.CHANGES: ReplyState.CHANGES}


def decide(services: Services, view_secret: str, form: DecisionForm) -> Decision:
    """Record one decision about one reply.

    Raises:
        LinkRefused, DeciderRefused, ProofRefused, QuestionClosed: the link, the person, the proof, or it is settled.
        DigestMismatch, WordsMissing: not what was shown, or not written out. Nothing was recorded.
    """
    approving = form.verdict is Verdict.APPROVE
    signed = sign.checked(services, view_secret, form.assertion) if approving else None
    now = services.clock.now()
    with services.db.read() as session:
        asked = tokens.view(session, view_secret, now=now).request
    with services.step() as session:
        case, reply = _locked(session, asked)  # first the case and then the ledger, as every step about a reply does
        ledger.hold(session)
        view = tokens.view(session, view_secret, now=now)
        request = view.request
        who = deciders(session, now=now)

        def entitled(person_id: int) -> bool:
            return who.may(session, person_id, request)

        if request.status == RequestStatus.OPEN:
            check_entitled(session, request, view.person_id, now=now)
        if view.person_id in writers(session, reply):
            raise AuthorCannotDecide
        decisions.check_can_decide(session, view, may_decide=entitled, now=now)
        if reply.state != ReplyState.ASKED or reply.request_id != request.id:
            raise RequestClosed(told_closing(request))
        if form.digest_shown != request.digest or digest_of(reply) != request.digest:
            raise DigestMismatch
        decision = decisions.decide(
            session,
            view_secret=view_secret,
            verdict=form.verdict,
            digest_shown=form.digest_shown,
            typed_name=form.typed_name,
            statement=form.statement,
            answers={},
            required_findings={},
            policy_version=version_label(session),
            now=now,
            may_decide=entitled,
            assertion=signed,
            appointment_id=who.appointment_of(view.person_id, author_id=request.author_id),
        )
        verdict = Verdict(decision.verdict)
        reply.state = _AFTER[verdict]
        reply.decision_id = decision.id
        write(
            session, case, "decided", by=decision.approver_id, now=now, words=decision.statement or "",
            number=reply.number, verdict=str(verdict),
        )  # fmt: skip
        record(
            session,
            at=now,
            staff_id=decision.approver_id,
            action=f"decision.{verdict}",
            subject=request.subject,
            detail={"decision": decision.id},
        )
        tell_author(session, reply, now=now)
    return decision


def reply_asked(session: Session, request: ApprovalRequest) -> tuple[Case, CaseReply]:
    """The reply that a question is about, and its case."""
    reply = session.get_one(CaseReply, reply_in(request.subject))
    return session.get_one(Case, reply.case_id), reply


def _locked(session: Session, request: ApprovalRequest) -> tuple[Case, CaseReply]:
    _, reply = reply_asked(session, request)
    case = session.get_one(Case, reply.case_id, with_for_update=True, populate_existing=True)
    session.refresh(reply)
    return case, reply
