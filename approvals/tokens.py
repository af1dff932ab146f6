"""The links in the e-mails, and what a browser holds after opening one.

Mail scanners open every link, often many times, and run the page's scripts. So opening a link is a pure read, first
time or thousandth: nothing is written, counted or spent. The browser gets a second secret, derived from the token by
a keyed hash, and is sent on to an address without any secret in it. From the cookie nobody can find the token.

Everyone who opens the same link holds the same derived secret, and it shows only what the e-mail said anyway. When
the second proof is given, the browser that gave it gets a fresh random secret (`proofs.prove_view`), so that a
scanner or a reader of a forwarded mail never becomes proved by somebody else's PIN.

Only a decision, a newer version or expiry ends a link. Methods other than GET are the web's business.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import uuid4

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from approvals.errors import AuthorCannotDecide, LinkExpired, LinkSpent, LinkUnknown, RequestClosed
from approvals.outcomes import decision_of, told_closing, told_decision
from approvals.proof_records import view_is_on_record
from approvals.tables import ApprovalRequest, ApprovalToken, ApprovalView, RequestStatus
from approvals.wall_clock import when

DECIDE = "decide"
"""The purpose of a link through which its person may decide."""

_VIEW_DOMAIN = b"gatekeeper/view/1"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class OpenedLink:
    """A link that was opened: the secret for the view-only cookie, and until when it serves."""

    view_secret: str
    request_id: str
    expires_at: datetime


@dataclass(frozen=True)
class View:
    """Who looks at which request, and whether the second proof stands at this moment."""

    request: ApprovalRequest
    person_id: int
    purpose: str
    proved: bool
    proved_until: datetime | None
    proof_method: str | None


@dataclass(frozen=True)
class Holding:
    """What a view secret belongs to, live or not. For this room's own use."""

    token: ApprovalToken
    proved: ApprovalView | None

    def as_view(self, request: ApprovalRequest, *, now: datetime) -> View:
        """The view at this moment. A proof from the future is none: somebody set the clock back."""
        proved = self.proved
        mine = proved is not None and proved.person_id == self.token.person_id
        stands = mine and proved is not None and proved.proved_at <= now < proved.proved_until
        return View(
            request=request,
            person_id=self.token.person_id,
            purpose=self.token.purpose,
            proved=stands,
            proved_until=proved.proved_until if proved and stands else None,
            proof_method=proved.proof_method if proved and stands else None,
        )


def mint(session: Session, *, request: ApprovalRequest, person_id: int, purpose: str, now: datetime) -> str:
    """Make a link's token for this person, request and purpose, and keep only its hash.

    A mail may have to be sent again, so a request may have several; each works until the question is settled.

    Raises:
        RequestClosed: the request takes no decision any more.
        AuthorCannotDecide: a link for deciding is never made for the author. Whether the person may decide at all
            the caller has asked, and it is asked again when they do.
    """
    if request.status != RequestStatus.OPEN or now >= request.expires_at:
        raise RequestClosed(told_closing(request))
    if purpose == DECIDE and person_id == request.author_id:
        raise AuthorCannotDecide
    token = secrets.token_urlsafe(32)
    session.add(
        ApprovalToken(
            id=uuid4().hex,
            request_id=request.id,
            person_id=person_id,
            purpose=purpose,
            token_hash=secret_hash(token),
            view_hash=secret_hash(_view_secret(token)),
            created_at=now,
            expires_at=request.expires_at,
        )
    )
    session.flush()
    return token


def open_link(session: Session, token: str, *, purpose: str, now: datetime) -> OpenedLink:
    """Say what a link opens. Writes nothing at all, however often and by whomever it is asked.

    Raises:
        LinkUnknown: no such link for this purpose, or a part of it is missing.
        LinkExpired: nobody decided in time.
        LinkSpent: the question is settled; carries how.
    """
    if not _SHAPE.fullmatch(token):
        raise LinkUnknown
    row = session.scalars(select(ApprovalToken).where(ApprovalToken.token_hash == secret_hash(token))).one_or_none()
    if row is None or not hmac.compare_digest(row.purpose.encode(), purpose.encode()):
        raise LinkUnknown
    request = _check_live(session, row, now=now)
    return OpenedLink(view_secret=_view_secret(token), request_id=request.id, expires_at=row.expires_at)


def view(session: Session, view_secret: str, *, now: datetime) -> View:
    """What the holder of this secret looks at. Writes nothing; raises as `open_link` does.

    The request in it is a copy for reading, good beyond the transaction.
    """
    holding = locate(session, view_secret)
    request = _check_live(session, holding.token, now=now)
    session.expunge(request)
    return holding.as_view(request, now=now)


def drop_old_views(session: Session, now: datetime) -> int:
    """Forget the browsers whose links are over. Says how many there were."""
    gone = session.execute(delete(ApprovalView).where(ApprovalView.expires_at <= now))
    return cast("CursorResult[tuple[()]]", gone).rowcount


def locate(session: Session, view_secret: str) -> Holding:
    """Find what a view secret belongs to, live or not.

    Raises:
        LinkUnknown: it belongs to nothing.
    """
    if not _SHAPE.fullmatch(view_secret):
        raise LinkUnknown
    hashed = secret_hash(view_secret)
    proved = session.scalars(select(ApprovalView).where(ApprovalView.id_hash == hashed)).one_or_none()
    mine = ApprovalToken.id == proved.token_id if proved else ApprovalToken.view_hash == hashed
    token = session.scalars(select(ApprovalToken).where(mine)).one_or_none()
    if token is None:
        raise LinkUnknown
    if proved is not None and not view_is_on_record(session, proved, view_secret):
        proved = None  # a row that no process of ours wrote, or that was changed since: nothing was proved
    return Holding(token, proved)


def close_tokens(session: Session, request_id: str, *, now: datetime) -> None:
    """End every link to a settled request."""
    session.execute(
        update(ApprovalToken)
        .where(ApprovalToken.request_id == request_id, ApprovalToken.closed_at.is_(None))
        .values(closed_at=now)
    )


def secret_hash(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so one plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _view_secret(token: str) -> str:
    return urlsafe_b64encode(hmac.digest(token.encode(), _VIEW_DOMAIN, "sha256")).decode().rstrip("=")


def _check_live(session: Session, token: ApprovalToken, *, now: datetime) -> ApprovalRequest:
    request = session.get_one(ApprovalRequest, token.request_id, populate_existing=True)
    if request.status == RequestStatus.DECIDED:
        decision = decision_of(session, request.id)
        assert decision is not None
        raise LinkSpent(told_decision(session, decision), request_id=request.id)
    if request.status == RequestStatus.VOID:
        raise LinkSpent(told_closing(request), request_id=request.id)
    if request.status == RequestStatus.EXPIRED or now >= token.expires_at:
        raise LinkExpired(when(token.expires_at))
    if token.closed_at is not None:
        raise LinkUnknown
    return request
