"""Who did or looked at what, when; and the ledger of decisions with the proof that nobody changed it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, Response, render_template, request, url_for

from approvals.ledger_entries import last_number
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.staff import Role, record
from gatekeeper.web.access import person, roles, services
from gatekeeper.workflow import audit_view, audit_words, ledger_view
from gatekeeper.workflow.case_right import viewer

bp = Blueprint("audit", __name__, url_prefix="/audit")
readers = roles(Role.AUDITOR, Role.HEADTEACHER, Role.ADMINISTRATOR)
_SIZE = 50
_LONGEST: Final = 10**9  # no line, post or pupil has a number beyond it
_LAST_DAY: Final = date.max - timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """Which page of how many."""

    number: int
    pages: int
    total: int


@bp.get("")
@readers
def index() -> str:
    """The audit, the newest first."""
    filters = _asked()
    with services().db.read() as session:
        page = audit_view.page_of(session, filters, before=_number("before"), after=_number("after"))
        names = names_of_staff(session)
    return render_template(
        "web/audit/index.html",
        page=page,
        names=names,
        words=sorted(audit_words.WORDS.items(), key=lambda pair: pair[1]),
        kinds=audit_view.ABOUT,
        filters=filters,
        about_typed=_about_typed(),
        address=lambda endpoint="audit.index", **place: url_for(endpoint, **_as_asked(filters), **place),
        told=audit_words.detail,
        spelt=audit_words.words_for,
        about=lambda subject: audit_words.about(subject, names),
    )


@bp.get("/export.csv")
@readers
def export() -> Response:
    """The same lines as a table. That it was taken out is itself written down, with what was asked for."""
    filters = _asked()
    with services().step() as session:
        detail = {name: str(value) for name, value in _as_asked(filters).items()}
        now = services().clock.now()
        record(session, at=now, staff_id=person().id, action="audit.exported", subject="audit", detail=detail)
    with services().db.read() as session:
        names = names_of_staff(session)
    lines = audit_view.table_of(services().db, filters, names)
    answer = Response(lines, mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return answer


@bp.get("/ledger")
@readers
def ledger_page() -> str:
    """The ledger, and on its first page what reading it showed: its end, or the whole of it where that is asked for."""
    typed = request.args.get("seal", "")[:200]
    seal = ledger_view.read_seal(typed)
    with services().db.read() as session:
        place = _place(last_number(session))  # numbered without gaps
        first = place.number == 1
        stands = (
            ledger_view.standing(
                session, keys=services().settings.ledger_public, seal=seal, whole=bool(request.args.get("whole"))
            )
            if first
            else None
        )
        names = names_of_staff(session)
        offset = (place.number - 1) * _SIZE
        lines = ledger_view.lines(session, names, reader=viewer(person()), limit=_SIZE, offset=offset)
    return render_template(
        "web/audit/ledger.html",
        stands=stands,
        typed=typed,
        no_seal=bool(typed and not seal),
        lines=lines,
        place=place,
        address=lambda page: url_for("audit.ledger_page", page=page),
    )


def _asked() -> audit_view.Filters:
    """What was asked for in the address; whatever cannot be read counts as not asked."""
    args = request.args
    kind, number, action = args.get("kind", ""), _number("number"), args.get("action", "")
    return audit_view.Filters(
        staff_id=_number("person"),
        action=action if action in audit_words.WORDS else "",
        first=_day(args.get("from")),
        last=_day(args.get("to")),
        about=f"{kind}:{number}" if kind in audit_view.ABOUT and number is not None else "",
        reads=bool(args.get("reads")),
        reader=viewer(person()),
    )


def _about_typed() -> tuple[str, str, str]:
    """The kind and the number as they were typed, and why they narrow nothing where they do not."""
    kind, typed = request.args.get("kind", ""), request.args.get("number", "")[:20].strip()
    kind = kind if kind in audit_view.ABOUT else ""
    if typed and _number("number") is None:
        return kind, typed, "This is not a number, so the lines below are about anything."
    if typed and not kind:
        return kind, typed, "Choose under “About” what has this number. Until then the lines below are about anything."
    if kind and not typed:
        return kind, typed, "Give its number as well. Until then the lines below are about anything."
    return kind, typed, ""


def _as_asked(filters: audit_view.Filters) -> dict[str, Any]:
    """The same as parts of an address."""
    kind, _, number = filters.about.partition(":")
    values: dict[str, Any] = {
        "person": filters.staff_id,
        "action": filters.action,
        "from": filters.first,
        "to": filters.last,
        "kind": kind,
        "number": number,
        "reads": "yes" if filters.reads else "",
    }
    return {name: value for name, value in values.items() if value}


def _number(name: str) -> int | None:
    number = request.args.get(name, type=int)
    return number if number is not None and 0 <= number <= _LONGEST else None


def _place(total: int) -> Place:
    pages = max(1, -(-total // _SIZE))
    return Place(min(max(1, request.args.get("page", 1, type=int)), pages), pages, total)


def _day(text: str | None) -> date | None:
    try:
        return min(date.fromisoformat(text), _LAST_DAY) if text else None
    except ValueError:
        return None
