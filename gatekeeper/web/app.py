"""Builds the web application out of the services it is handed."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from gatekeeper.people.own_rules import version_label
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import ROLE_WORDS, Role
from gatekeeper.posts.status import BADGE, PUBLICATION_WORDS
from gatekeeper.web import access, door, theme, wording
from gatekeeper.web.errors import Site, answer_errors
from gatekeeper.web.headers import set_headers
from gatekeeper.web.limits import limiter
from gatekeeper.web.navigation import menu, stopped
from gatekeeper.web.numbers import bound_numbers
from gatekeeper.web.sessions import StaffSessions

if TYPE_CHECKING:
    from gatekeeper.workflow.services import Services

#: the modules of gatekeeper/web/views; each has a blueprint `bp` named like the module
VIEWS = (
    "signin",
    "account",
    "proofs",
    "staff",
    "pupils",
    "pupil_form",
    "consent_import",
    "enrolment",
    "live",
    "channels",
    "school",
    "marks",
    "rules",
    "teach",
    "audit",
    "evidence",
    "help_pages",
    "posts",
    "schedule",
    "photos",
    "second_looks",
    "findings",
    "versions",
    "media",
    "decide",
    "deputies",
    "mail",
    "decide_proof",
    "sending",
    "takedowns",
    "reviews",
    "watch",
    "cases",
    "enquiries",
    "case_holds",
    "policy",
    "statement",
    "retention",
    "appearances",
    "subject_access",
)

_ROOT = Path(__file__).resolve().parents[2]
UPLOAD_LIMIT = 30 * 1024 * 1024


def create_app(services: "Services") -> Flask:
    """The whole site. Nothing in it reads the environment or the computer's clock."""
    settings = services.settings
    app = Site(
        "gatekeeper.web", template_folder=str(_ROOT / "templates"), static_folder=str(Path(__file__).parent / "static")
    )
    app.config.update(
        SECRET_KEY=settings.secret("WEB_KEY"),
        MAX_CONTENT_LENGTH=UPLOAD_LIMIT,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=500,
        TRUSTED_HOSTS=_trusted_hosts(settings.public_url, secure=settings.secure),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # the form secret lives and dies with the session
        WTF_CSRF_SSL_STRICT=False,  # pages behind a link send no Referer; Sec-Fetch-Site is asked instead
        RATELIMIT_HEADERS_ENABLED=False,
    )
    app.extensions["gatekeeper"] = services
    app.session_interface = StaffSessions(services, secure=settings.secure)
    set_headers(app, secure=settings.secure)
    bound_numbers(app)
    _refuse_other_sites(app)
    # asked before the form secret, so that a closed page never says anything about forms
    access.guard_routes(app, signed_out=door.signed_out)
    CSRFProtect(app)
    limiter.init_app(app)
    Bootstrap5(app)
    answer_errors(app)
    _furnish(app)
    for name in VIEWS:
        app.register_blueprint(import_module(f"gatekeeper.web.views.{name}").bp)
    _serve_theme(app)
    access.open_to_all(app, "static", "bootstrap.static")
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app


def _trusted_hosts(public_url: str, *, secure: bool) -> list[str]:
    host = urlsplit(public_url).hostname or ""
    return [host] if secure else sorted({host, "localhost", "127.0.0.1", "[::1]"})


def _refuse_other_sites(app: Flask) -> None:
    @app.before_request
    def _ask() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise BadRequest


def _furnish(app: Flask) -> None:
    """What every template may use."""
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.filters.update(
        when=wording.when,
        soon=wording.soon,
        left=wording.left,
        day=wording.day,
        iso=wording.iso,
        many=wording.many,
        listed=wording.listed,
        browser_name=wording.browser_name,
    )
    env.globals.update(
        menu=menu,
        person=access.person_or_none,
        can_open=access.can_open,
        role_word=lambda role: ROLE_WORDS[Role(role)],
        post_badges=BADGE,
        publication_words=PUBLICATION_WORDS,
        school=_school,
        rules_label=_rules_label,
        stopped=stopped,
    )


def _school() -> dict[str, Any]:
    if "school" not in g:
        with access.services().db.read() as session:
            g.school = school_settings(session)
    school: dict[str, Any] = g.school
    return school


def _rules_label() -> str:
    with access.services().db.read() as session:
        return version_label(session)


def _serve_theme(app: Flask) -> None:
    @app.get("/theme.css", endpoint="theme")
    @access.public
    def _theme() -> Response:
        answer = Response(theme.style_sheet(_school()["colour"]), mimetype="text/css")
        answer.add_etag()
        answer.cache_control.no_cache = True
        answer.make_conditional(request)
        return answer
