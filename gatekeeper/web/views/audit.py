"""Who did or looked at what, when; and the ledger of decisions with the proof that nobody changed it."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy import Select, func, select

from approvals.tables import LedgerEntry
from gatekeeper.clock import resolve_london
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.staff import Audit, Role, record
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.wording import when
from gatekeeper.workflow import ledger_view

bp = Blueprint("audit", __name__, url_prefix="/audit")
readers = roles(Role.AUDITOR, Role.HEADTEACHER, Role.ADMINISTRATOR)
_SIZE = 50
_EXPORTED = 100_000


@dataclass(frozen=True)
class Filters:
    """What was asked for; whatever cannot be read counts as not asked."""

    staff_id: int | None
    action: str
    first: date | None
    last: date | None

    @classmethod
    def asked(cls) -> "Filters":
        """From the address."""
        args = request.args
        return cls(
            args.get("person", type=int), args.get("action", "")[:60], _day(args.get("from")), _day(args.get("to"))
        )

    def applied(self, query: Select[Any]) -> Select[Any]:
        """The query with what was asked for."""
        if self.staff_id is not None:
            query = query.where(Audit.staff_id == self.staff_id)
        if self.action:
            query = query.where(Audit.action == self.action)
        if self.first:
            query = query.where(Audit.at >= _midnight(self.first))
        if self.last:
            query = query.where(Audit.at < _midnight(self.last + timedelta(days=1)))
        return query

    def address(self, page: int | None = None, endpoint: str = "audit.index") -> str:
        """The page with the same filters."""
        values: dict[str, Any] = {
            "person": self.staff_id,
            "action": self.action or None,
            "from": self.first,
            "to": self.last,
        }
        return url_for(endpoint, **values, page=page)


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
    filters = Filters.asked()
    with services().db.read() as session:
        total = session.scalar(filters.applied(select(func.count(Audit.id)))) or 0
        place = _place(total)
        rows = session.scalars(
            filters.applied(select(Audit)).order_by(Audit.id.desc()).limit(_SIZE).offset((place.number - 1) * _SIZE)
        ).all()
        names = names_of_staff(session)
        actions = session.scalars(select(Audit.action).distinct().order_by(Audit.action)).all()
    return render_template(
        "web/audit/index.html",
        rows=rows,
        names=names,
        actions=actions,
        filters=filters,
        place=place,
        told=_told,
        spelt=_spelt,
        about=lambda subject: _about(subject, names),
    )


@bp.get("/export.csv")
@readers
def export() -> Response:
    """The same lines as a table. That it was taken out is itself written down."""
    filters = Filters.asked()
    with services().step() as session:
        record(session, at=services().clock.now(), staff_id=person().id, action="audit.exported", subject="audit")
    with services().db.read() as session:
        rows = session.scalars(filters.applied(select(Audit)).order_by(Audit.id).limit(_EXPORTED)).all()
        names = names_of_staff(session)
    answer = Response(_csv(rows, names), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=audit.csv"
    return answer


@bp.get("/ledger")
@readers
def ledger_page() -> str:
    """The ledger, and on its first page what reading the whole of it showed."""
    typed = request.args.get("seal", "")[:200]
    seal = ledger_view.read_seal(typed)
    with services().db.read() as session:
        place = _place(session.scalar(select(func.count(LedgerEntry.seq))) or 0)
        first = place.number == 1
        stands = ledger_view.standing(session, keys=services().settings.ledger_public, seal=seal) if first else None
        names = names_of_staff(session)
        lines = ledger_view.lines(session, names, limit=_SIZE, offset=(place.number - 1) * _SIZE)
    return render_template(
        "web/audit/ledger.html",
        stands=stands,
        typed=typed,
        no_seal=bool(typed and not seal),
        lines=lines,
        place=place,
        address=lambda page: url_for("audit.ledger_page", page=page),
    )


def _place(total: int) -> Place:
    pages = max(1, -(-total // _SIZE))
    return Place(min(max(1, request.args.get("page", 1, type=int)), pages), pages, total)


def _csv(rows: Any, names: dict[int, str]) -> Iterator[str]:
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(["at", "person", "action", "subject", "detail"])
    for row in rows:
        cells = (
            when(row.at),
            names.get(row.staff_id, ""),
            row.action,
            row.subject,
            json.dumps(row.detail, sort_keys=True),
        )
        writer.writerow([_harmless(cell) for cell in cells])
        yield page.getvalue()
        page.seek(0)
        page.truncate()
    yield page.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell  # a spreadsheet would run it as a formula


def _spelt(action: str) -> str:
    """An action in words: "consent.recorded" as "consent recorded"."""
    return action.replace(".", " ").replace("_", " ")


def _about(subject: str, names: dict[int, str]) -> str:
    """What a line is about: staff by name, everything else by its number."""
    kind, _, number = subject.partition(":")
    if kind == "staff" and number.isdigit():
        return names.get(int(number), subject)
    return f"{kind} {number}".strip().replace("_", " ")


def _told(detail: dict[str, Any]) -> str:
    return "; ".join(
        f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for key, value in detail.items()
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return resolve_london(datetime(day.year, day.month, day.day), fold=0)  # noqa: DTZ001 - the school's wall clock
