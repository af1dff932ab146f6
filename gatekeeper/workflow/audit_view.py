"""The audit as it is read: who did or looked at what, when, by what was asked for; the newest first, page by page.

A page begins where the last one ended, by the number of its last line, so that the hundred-thousandth line is as near
as the first, and lines written meanwhile move nothing.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from gatekeeper.cases.rules import Viewer
from gatekeeper.clock import resolve_london
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Audit
from gatekeeper.workflow.audit_subjects import belonging
from gatekeeper.workflow.audit_words import READS, about, words_for
from gatekeeper.workflow.case_withheld import lines_open_to

SIZE: Final = 50
_CHUNK: Final = 2_000
#: what a line can be looked for by its number
ABOUT: Final = {"post": "Post", "pupil": "Pupil", "case": "Case"}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was asked for. `about` is a subject such as "post:12", and stands for all that is a part of it as well.

    `reads`: only looks at what is kept about pupils. `reader`: who reads, to whom no case about themselves is told of.
    """

    staff_id: int | None = None
    action: str = ""
    first: date | None = None
    last: date | None = None
    about: str = ""
    reads: bool = False
    reader: Viewer | None = None

    def applied(self, session: Session, query: Select[Any]) -> Select[Any]:
        """The query with what was asked for, as far as it is for this reader."""
        if self.reader is not None:
            query = query.where(*lines_open_to(session, self.reader))
        if self.staff_id is not None:
            query = query.where(Audit.staff_id == self.staff_id)
        if self.action:
            query = query.where(Audit.action == self.action)
        if self.reads:
            query = query.where(Audit.action.in_(sorted(READS)))
        if self.about:
            query = query.where(belonging(session, self.about))
        if self.first:
            query = query.where(Audit.at >= _midnight(self.first))
        if self.last:
            query = query.where(Audit.at < _midnight(self.last + timedelta(days=1)))
        return query


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some lines, the newest first. `older` and `newer` are the line numbers that the neighbouring pages begin at."""

    rows: tuple[Audit, ...]
    older: int | None
    newer: int | None


def page_of(session: Session, filters: Filters, *, before: int | None = None, after: int | None = None) -> Page:
    """The lines before one line or after another; the newest where neither is said."""
    wanted = filters.applied(session, select(Audit))
    if after is not None:
        found = list(session.scalars(wanted.where(Audit.id > after).order_by(Audit.id).limit(SIZE + 1)))
        rows, more = found[:SIZE][::-1], len(found) > SIZE
        return Page(rows=tuple(rows), older=rows[-1].id if rows else None, newer=rows[0].id if more else None)
    if before is not None:
        wanted = wanted.where(Audit.id < before)
    found = list(session.scalars(wanted.order_by(Audit.id.desc()).limit(SIZE + 1)))
    rows = found[:SIZE]
    older = rows[-1].id if len(found) > SIZE else None
    return Page(rows=tuple(rows), older=older, newer=rows[0].id if rows and before is not None else None)


def table_of(db: Database, filters: Filters, names: dict[int, str]) -> Iterator[str]:
    """The same lines as CSV, the oldest first, in pieces: however many there are, few are held at once.

    Each piece is a reading of its own, so that a slow line to the browser holds no transaction open. What is written
    down after the first piece is not in it.
    """
    with db.read() as session:
        top = session.scalar(select(func.max(Audit.id))) or 0
    yield _lines([("at", "person", "what", "about", "detail", "action")])
    last = 0
    while True:
        with db.read() as session:
            wanted = filters.applied(session, select(*Audit.__table__.c)).where(Audit.id > last, Audit.id <= top)
            rows = session.execute(wanted.order_by(Audit.id).limit(_CHUNK)).all()
        if not rows:
            return
        last = rows[-1].id
        yield _lines(_told(row, names) for row in rows)


def _told(row: Row[Any], names: dict[int, str]) -> tuple[str, ...]:
    return (
        row.at.isoformat(timespec="seconds"),
        names.get(row.staff_id or 0, "Gatekeeper"),
        words_for(row.action),
        about(row.subject, names),
        json.dumps(row.detail, sort_keys=True, ensure_ascii=False) if row.detail else "",
        row.action,
    )


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell  # a spreadsheet would run it


def _midnight(day: date) -> datetime:
    return resolve_london(datetime(day.year, day.month, day.day), fold=0)  # noqa: DTZ001 - the school's wall clock
