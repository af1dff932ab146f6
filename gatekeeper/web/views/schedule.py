"""The schedule: what goes out when, by week or as a list, and another time for a post of one's own."""

from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, StringField
from wtforms.widgets import DateInput, TimeInput

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.policy.calendar import day_typed, wall
from gatekeeper.policy.soft_rules import Remark
from gatekeeper.posts.status import PostState
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.forms_base import Form, options
from gatekeeper.web.wording import when
from gatekeeper.workflow import calendar, move_post
from gatekeeper.workflow.due import TypedDue

bp = Blueprint("schedule", __name__, url_prefix="/schedule")

AUTHORS: Final = tuple(role for role in Role if role is not Role.AUDITOR)
_FOLDS: Final = {"0": "The first, before the clocks go back", "1": "The second, after they went back"}
_MOVED: Final = {
    PostState.SCANNING: "Moved to {time}. It is being checked again; the headteacher approves the new time.",
    PostState.DRAFT: "Moved to {time}. It is a draft: send it to be checked when it is ready.",
}


class MoveForm(Form):
    """The new time, and what the page said when it was filled."""

    due_date = StringField("Day", widget=DateInput())
    due_time = StringField("Time", widget=TimeInput())
    fold = RadioField(
        "Which of the two?",
        choices=options(_FOLDS),
        validate_choice=False,
        description="The clocks go back that night, so this hour comes twice.",
    )
    revision = HiddenField()
    seen = HiddenField()

    @property
    def typed(self) -> TypedDue:
        """The time as typed."""
        return _typed(self.due_date.data or "", self.due_time.data or "", self.fold.data or "")

    @property
    def moving(self) -> move_post.Moving:
        """What was typed, for the step."""
        revision = self.revision.data or ""
        number = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else None  # noqa: PLR2004
        return move_post.Moving(due=self.typed, revision=number, seen=self.seen.data or "")


@bp.get("")
@signed_in
def index() -> str:
    """The next seven days in short, then the week or the list that was asked for."""
    as_list = request.args.get("view") == "list"
    today = london(services().clock.now()).date()
    day = day_typed(request.args.get("from", ""), otherwise=today)
    shown = (calendar.list_from if as_list else calendar.week_of)(services(), person(), day)
    return render_template(
        "web/schedule/index.html",
        plan=shown,
        view="list" if as_list else "week",
        day_words=_day_words,
        writes=Role(person().role) in AUTHORS,
    )


@bp.route("/posts/<int:post_id>", methods=["GET", "POST"])
@roles(*AUTHORS)
def move(post_id: int) -> str | Response | tuple[str, int]:
    """Another time for one's own post. The page says what moving it does before the button is pressed."""
    if request.method == "GET":
        args = request.args
        asked = _typed(args.get("due_date", ""), args.get("due_time", ""), args.get("fold", ""))
        view = move_post.move_view(services(), post_id, person(), asked if asked.stored else None)
        return _move_page(_filled(view), view)
    form = MoveForm()
    if request.form.get("do") == "look":
        typed = {"due_date": form.due_date.data, "due_time": form.due_time.data, "fold": form.fold.data}
        return redirect(url_for("schedule.move", post_id=post_id, **{k: v for k, v in typed.items() if v}), code=303)
    try:
        moved = move_post.move_post(services(), post_id, person().id, form.moving)
    except BadInput as refused:
        return _refused(post_id, form, refused.fields, str(refused), status=422)
    except Conflict as refused:
        return _refused(post_id, form, {}, str(refused), status=409)
    flash(_MOVED[moved.state].format(time=when(moved.due)), "success")
    return redirect(url_for("posts.show", post_id=post_id), code=303)


@bp.app_template_global("time_remarks")
def time_remarks(post_id: int) -> tuple[Remark, ...]:
    """What is worth a second look about a post's time, for the pages of a post that have it near the time."""
    return calendar.remarks_about(services(), post_id, person())


@bp.app_template_filter("wall")
def wall_time(moment: datetime) -> str:
    """The hour by the school's wall clock, with its offset in the hour that comes twice."""
    return wall(moment)


def _refused(post_id: int, form: MoveForm, fields: dict[str, str], sentence: str, *, status: int) -> tuple[str, int]:
    """The page once more with everything that was typed, speaking of the post as it is now."""
    view = move_post.move_view(services(), post_id, person(), form.typed)
    form.refuse(fields, sentence)
    form.revision.data, form.seen.data = str(view.revision), view.state.value
    return _move_page(form, view), status


def _filled(view: move_post.MoveView) -> MoveForm:
    fold = view.due.fold
    return MoveForm(
        formdata=None,
        data={
            "due_date": view.due.date,
            "due_time": view.due.time,
            "fold": "" if fold is None else str(fold),
            "revision": str(view.revision),
            "seen": view.state.value,
        },
    )


def _move_page(form: MoveForm, view: move_post.MoveView) -> str:
    return render_template("web/schedule/move.html", form=form, post=view, address=_address_of)


def _address_of(post_id: int, moment: datetime) -> str:
    """The page with this time filled in."""
    local = london(moment)
    words: dict[str, Any] = {"due_date": f"{local:%Y-%m-%d}", "due_time": f"{local:%H:%M}"}
    return url_for("schedule.move", post_id=post_id, _anchor="new-time", **words)


def _typed(day: str, hour: str, fold: str) -> TypedDue:
    return TypedDue(date=day, time=hour, fold=int(fold) if fold in _FOLDS else None)


def _day_words(day: date) -> str:
    """Like "Monday 23 November"."""
    return f"{day:%A} {day.day} {day:%B}"
