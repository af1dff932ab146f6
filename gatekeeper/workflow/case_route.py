"""Whom a case goes to: the line manager, the headteacher where there is none, never the person it is about."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.cases.model import CaseKind
from gatekeeper.cases.rules import RULES, Way, may_own
from gatekeeper.clock import london
from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role, Staff

ABOUT_HEAD: Final = (
    "This is about the headteacher, and there is no deputy headteacher here. Take it to the chair of governors; "
    "Gatekeeper keeps nothing of it."
)
NOBODY: Final = "There is nobody here to ask: you have no line manager, and no other headteacher or deputy is there."


def first_owner(session: Session, kind: CaseKind, opener: Staff, *, about_id: int | None, now: datetime) -> int:
    """Who looks after a fresh case.

    Raises:
        BadInput: there is nobody who may, without the person it is about and without whoever asks.
    """
    way = RULES[kind].way
    if way is Way.OPENER:
        return opener.id
    itself = {opener.id} if kind is CaseKind.ADVICE else set()  # nobody answers their own question
    out = itself | ({about_id} if about_id is not None else set())
    head_is_meant = about_id is not None and session.get_one(Staff, about_id).role == Role.HEADTEACHER
    chosen: list[Staff] = []
    if way is Way.MANAGER and opener.line_manager_id and not head_is_meant:
        chosen += _open(session.scalars(select(Staff).where(Staff.id == opener.line_manager_id)), now)
    for role in (Role.HEADTEACHER, Role.DEPUTY):
        if role is Role.DEPUTY and not (head_is_meant or (kind is CaseKind.ADVICE and opener.role == Role.HEADTEACHER)):
            continue
        chosen += _open(session.scalars(select(Staff).where(Staff.role == role).order_by(Staff.id)), now)
    found = next((one.id for one in chosen if one.id not in out), None)
    if found is None:
        sentence = ABOUT_HEAD if head_is_meant else NOBODY
        raise BadInput(sentence, fields={"about": sentence} if head_is_meant else {})
    return found


def team(session: Session, kind: CaseKind, *, about_id: int | None, now: datetime) -> list[int]:
    """Everybody who sees every case of this kind, except the one it is about."""
    staff = session.scalars(select(Staff).where(Staff.role.in_(RULES[kind].team)).order_by(Staff.id))
    return [one.id for one in _open(staff, now) if one.id != about_id]


def possible_owners(session: Session, kind: CaseKind, *, about_id: int | None, now: datetime) -> list[Staff]:
    """Whom it can be handed to, by name."""
    everybody = _open(session.scalars(select(Staff).order_by(Staff.name, Staff.id)), now)
    managers = set(session.scalars(select(Staff.line_manager_id).where(Staff.line_manager_id.is_not(None))))
    return [
        one
        for one in everybody
        if may_own(kind, one.role, person_id=one.id, about_id=about_id)
        or (RULES[kind].way is Way.MANAGER and one.id in managers and one.id != about_id)
    ]


def colleagues(session: Session, *, now: datetime) -> list[Staff]:
    """Everybody with an open account, by name."""
    return _open(session.scalars(select(Staff).order_by(Staff.name, Staff.id)), now)


def _open(staff: Iterable[Staff], now: datetime) -> list[Staff]:
    return [one for one in staff if one.may_sign_in(london(now).date())]
