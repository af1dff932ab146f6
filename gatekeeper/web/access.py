"""Who may use which page. A route without a statement is closed to everybody.

A statement is put directly under the route:

    @bp.get("/staff")
    @roles(Role.ADMINISTRATOR)
    def index() -> str: ...

It opens the page and nothing more: whether this person may decide about this post is asked again by the step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask, abort, current_app, g, jsonify, redirect, request, session, url_for
from werkzeug.wrappers import Response

from gatekeeper.people.staff import Role, Staff
from gatekeeper.web.sessions import WebSession

if TYPE_CHECKING:  # the services pull in the picture libraries, which no page needs to be loaded
    from gatekeeper.workflow.services import Services

View = TypeVar("View", bound=Callable[..., object])
_MARK = "_gatekeeper_access"


class Kind(StrEnum):
    """The four statements there are."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    ROLES = "roles"
    LINK_HOLDER = "link_holder"


@dataclass(frozen=True)
class Access:
    """One route's statement."""

    kind: Kind
    roles: frozenset[Role] = frozenset()

    def allows(self, role: Role | None) -> bool:
        """Whether somebody with this role (None: not signed in) gets past the door."""
        if self.kind in (Kind.PUBLIC, Kind.LINK_HOLDER):
            return True
        return role is not None and (self.kind is Kind.SIGNED_IN or role in self.roles)


def _state(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        if hasattr(view, _MARK):
            raise TypeError(f"{view.__name__} states twice who may use it")
        setattr(view, _MARK, access)
        return view

    return mark


def public(view: View) -> View:
    """Anybody, signed in or not."""
    return _state(Access(Kind.PUBLIC))(view)


def signed_in(view: View) -> View:
    """Every member of staff who has signed in."""
    return _state(Access(Kind.SIGNED_IN))(view)


def link_holder(view: View) -> View:
    """Whoever opened an e-mailed link; the view itself asks the approval room what the link is good for."""
    return _state(Access(Kind.LINK_HOLDER))(view)


def roles(*allowed: Role) -> Callable[[View], View]:
    """Staff with one of these roles."""
    if not allowed:
        raise TypeError("name at least one role")
    return _state(Access(Kind.ROLES, frozenset(allowed)))


def access_of(app: Flask, endpoint: str) -> Access | None:
    """The statement of a route, or None: then it is closed."""
    return cast("Access | None", getattr(app.view_functions.get(endpoint), _MARK, None))


def can_open(endpoint: str) -> bool:
    """Whether the person at this browser may open the page; for links that would otherwise lead to a closed door."""
    access = access_of(current_app, endpoint)
    member = person_or_none()
    return access is not None and access.allows(Role(member.role) if member else None)


def services() -> "Services":
    """What the steps are handed."""
    return cast("Services", current_app.extensions["gatekeeper"])


def web_session() -> WebSession:
    """The session of this browser."""
    return cast("WebSession", session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - the way through werkzeug's proxy


def person_or_none() -> Staff | None:
    """Who is signed in here, if anybody is."""
    return web_session().staff


def person() -> Staff:
    """Who is signed in here. Only for views that are not public."""
    member = person_or_none()
    if member is None:
        abort(403)
    return member


def wants_json() -> bool:
    """Whether a script asked, so that it gets a sentence in JSON and no page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def guard_routes(app: Flask, signed_out: Callable[[], Response]) -> None:
    """Ask every route's statement before the route runs. `signed_out` answers a form that came without a session."""

    @app.before_request
    def _ask() -> Response | None:
        if request.endpoint is None:  # no such page: the 404 page answers
            return None
        access = access_of(app, request.endpoint)
        if access is None:
            abort(403)
        g.link_holder = access.kind is Kind.LINK_HOLDER
        member = person_or_none()
        if access.allows(Role(member.role) if member else None):
            return None
        if member is not None:
            abort(403)
        if wants_json():
            answer = jsonify(error="You are no longer signed in. Please sign in again.", signin=url_for("signin.form"))
            answer.status_code = 401
            return answer
        if request.method == "POST":
            return signed_out()
        then = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("signin.form", next=None if then == "/" else then), code=303)


def open_to_all(app: Flask, *endpoints: str) -> None:
    """State that these routes of libraries (style sheets, scripts) are public."""
    for endpoint in endpoints:
        view = app.view_functions[endpoint]

        def serve(*args: object, _view: Callable[..., object] = view, **kwargs: object) -> object:
            return _view(*args, **kwargs)

        app.view_functions[endpoint] = public(serve)  # type: ignore[assignment]  # wrapped, because a bound method takes no mark
