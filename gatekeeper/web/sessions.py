"""What a browser carries between two requests.

Signed in, the cookie is a random secret and everything else stands in the database, where it can be ended at once.
Before that, and on the pages behind an e-mailed link, a small signed cookie holds the form secret and flash messages
and nothing that opens a door.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.wrappers import Request, Response
from itsdangerous import BadSignature
from werkzeug.datastructures import CallbackDict

from gatekeeper.people.sessions import find_session, hash_token, keep_session
from gatekeeper.people.staff import Staff

if TYPE_CHECKING:
    from gatekeeper.workflow.services import Services

#: these answer without knowing who asks, so nobody is looked up for them
ASSETS = ("/static/", "/bootstrap/static/", "/theme.css")
_SEEN_EVERY = timedelta(minutes=1)
_VISIT_LASTS = 12 * 3600


class WebSession(CallbackDict[str, Any], SessionMixin):
    """The session of one browser. `staff` is who signed in, or None."""

    def __init__(
        self, initial: dict[str, Any] | None = None, *, id_hash: str | None = None, staff: Staff | None = None
    ) -> None:
        def changed(_: object) -> None:
            self.modified = True

        super().__init__(initial, changed)
        self.modified = False
        self.id_hash = id_hash
        self.staff = staff
        self.fresh_token: str | None = None  # the secret of a session begun in this request
        self.ended = False
        self.seen = False

    def sign_in(self, staff: Staff, token: str, *, agent: str = "") -> None:
        """From now on this browser is this person's; nothing is carried over from before."""
        self.clear()
        self["agent"] = agent[:120]  # by which its owner knows it among their browsers
        self.staff, self.fresh_token, self.id_hash, self.ended = staff, token, hash_token(token), False

    def sign_out(self) -> None:
        """Forget the person; the row in the database is ended by whoever calls this."""
        self.clear()
        self.staff, self.fresh_token, self.id_hash, self.ended = None, None, None, True


class StaffSessions(SecureCookieSessionInterface):
    """Looks sessions up in the database. Without a valid one the browser is a visitor."""

    def __init__(self, services: "Services", *, secure: bool) -> None:
        self._services = services
        self._secure = secure
        prefix = "__Host-" if secure else ""  # the prefix needs https, which loopback does not have
        self.cookie = f"{prefix}gatekeeper"
        self.visit_cookie = f"{prefix}gatekeeper-visit"

    def open_session(self, app: Flask, request: Request) -> WebSession:  # type: ignore[override]  # of the parent only the signing is used
        """The session this request belongs to."""
        if request.path.startswith(ASSETS):
            return WebSession()
        token = request.cookies.get(self.cookie, "")
        if token:
            now = self._services.clock.now()
            with self._services.db.read() as db:
                found = find_session(db, token, now=now)
            if found:
                row, staff = found
                known = WebSession(dict(row.data), id_hash=row.id_hash, staff=staff)
                # a page that asks for news by itself keeps nobody signed in
                by_itself = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "empty"
                known.seen = not by_itself and now - row.last_seen_at > _SEEN_EVERY
                return known
        return WebSession(self._read_visit(app, request))

    def _read_visit(self, app: Flask, request: Request) -> dict[str, Any]:
        serializer = self.get_signing_serializer(app)
        value = request.cookies.get(self.visit_cookie)
        if serializer is None or not value:
            return {}
        try:
            return dict(serializer.loads(value, max_age=_VISIT_LASTS))
        except (BadSignature, ValueError, TypeError):
            return {}

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store what changed and hand out the cookies."""
        if not isinstance(session, WebSession):
            return
        if session.fresh_token:
            self._set(response, self.cookie, session.fresh_token)
            self._drop(response, self.visit_cookie)
        elif session.ended:
            self._drop(response, self.cookie)
        if session.id_hash:
            if session.modified or session.seen:
                with self._services.db.begin() as db:
                    now = self._services.clock.now()
                    keep_session(db, session.id_hash, data=dict(session), now=now, seen=session.seen)
        elif session.modified:
            serializer = self.get_signing_serializer(app)
            if session and serializer is not None:
                self._set(response, self.visit_cookie, str(serializer.dumps(dict(session))))
            else:
                self._drop(response, self.visit_cookie)

    def _set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="Lax")
