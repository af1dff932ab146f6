"""The decision page of a reply to an enquiry: exactly the words that would be sent, to whom, and what was asked."""

from collections.abc import Mapping

from flask import render_template, url_for

from approvals import tokens
from gatekeeper.people.staff import Staff
from gatekeeper.web.access import services
from gatekeeper.web.second_proof import offer_of
from gatekeeper.workflow.capacity import capacity_of
from gatekeeper.workflow.case_reply_decide import reply_asked
from gatekeeper.workflow.case_reply_words import remarks


def reply_page(
    view: tokens.View, *, typed: Mapping[str, str], errors: Mapping[str, str], chosen: str, status: int = 200
) -> tuple[str, int]:
    """The reply in full, and the form for the answer. Only for a proved view."""
    now = services().clock.now()
    with services().db.read() as session:
        case, reply = reply_asked(session, view.request)
        author = session.get_one(Staff, view.request.author_id).name
        approver = session.get_one(Staff, view.person_id).name
        capacity = capacity_of(session, view.request, view.person_id, now=now)
        looked_at = remarks(session, reply.words)
    html = render_template(
        "web/decide/reply.html",
        view=view,
        case=case,
        reply=reply,
        author=author,
        approver=approver,
        capacity=capacity,
        remarks=looked_at,
        typed=typed,
        errors=errors,
        chosen=chosen,
        now=now,
        sign=offer_of(view.person_id, "approve", options=url_for("decide_proof.signing", request_id=view.request.id)),
    )
    return html, status
