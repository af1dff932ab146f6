"""What a browser holds for one request: the cookie behind an e-mailed link, and what was typed on the decision page.

The link's secret leaves the address at once for a cookie that only the pages of this one request are sent, and that
shows no more than the e-mail said. Looking it up changes nothing.
"""

import hashlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Final

from flask import g, request
from werkzeug.wrappers import Response

from approvals import tokens
from approvals.errors import DeciderRefused, LinkUnknown
from gatekeeper.web.access import person_or_none, services
from gatekeeper.workflow.deciders import check_entitled

COOKIE: Final = "gatekeeper-view"
_TOKEN: Final = 43  # letters of a link's secret
_LONGEST: Final = 5_000  # characters of one field; more was not typed by a person
_KEPT: Final = ("answer-", "mark-", "by-")  # one field for each override; a tick and a name for each logo


class NotYours(DeciderRefused):
    """Somebody else than the person asked is signed in at this browser."""

    def __init__(self, *, author: bool) -> None:
        super().__init__(
            "You wrote this post, so somebody else has to decide about it."
            if author
            else "This decision was asked of somebody else. Sign out first if you are not the person signed in here."
        )


def as_long(token: str) -> str:
    """The token, or, where a part of it is missing, one that nobody has: either way the answer takes as long."""
    if len(token) == _TOKEN:
        return token
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")


def view_secret() -> str:
    """What this browser holds instead of the link's token; where it holds nothing, what nobody has."""
    return as_long(request.cookies.get(COOKIE, ""))


def look(request_id: str) -> tokens.View:
    """What this browser holds for this request.

    Raises:
        LinkRefused: nothing, or nothing any more.
        NotYours: somebody else than the person asked is signed in here.
        DeciderRefused: the person asked may not decide it, or not any longer; then they may not read it either.
    """
    now = services().clock.now()
    with services().db.read() as session:
        view = tokens.view(session, view_secret(), now=now)
    if view.request.id != request_id:
        raise LinkUnknown
    signed_in = person_or_none()
    if signed_in is not None and signed_in.id != view.person_id:
        raise NotYours(author=signed_in.id == view.request.author_id)
    with services().db.read() as session:
        check_entitled(session, view.request, view.person_id, now=now)
    return view


def typed_words() -> dict[str, str]:
    """What was typed on the decision page, so that it is kept while the proof is given again."""
    return {
        key: words[:_LONGEST]
        for key, words in request.form.items()
        if (key in {"typed_name", "statement", "verdict"} or key.startswith(_KEPT)) and words.strip()
    }


def with_cookie(answer: Response, request_id: str, secret: str, *, lasts: timedelta) -> Response:
    """Hand the view's secret to the pages of this one request and to no other page."""
    g.link_holder = True
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=max(1, int(lasts.total_seconds())),
        path=f"/decide/{request_id}",
        secure=services().settings.secure,
        httponly=True,
        samesite="Lax",
    )
    return answer
