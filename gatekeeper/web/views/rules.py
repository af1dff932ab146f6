"""The rules that every post is checked against: read by all staff, changed by the headteacher or an administrator."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import HiddenField, TextAreaField

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.own_rules import PolicyVersion
from gatekeeper.people.staff import Role
from gatekeeper.policy.clauses import clauses
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.forms_base import Form, at_most, trimmed
from gatekeeper.workflow import own_rules as steps
from gatekeeper.workflow.rule_book import WORDS, rules_view

bp = Blueprint("rules", __name__, url_prefix="/rules")
keepers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)

_SOFT: Final = "soft-"
_TONES: Final = {"block": "danger", "justify": "warning"}
_SIGNS: Final = {"block": "✕", "justify": "?", "advice": "i", "off": "–"}
Answer = Response | str | tuple[str, int]


class RulesForm(Form):
    """The school's own rules, and why they change. What is softened stands in a list beside it."""

    rules = TextAreaField(
        "The school's own rules",
        description="Written as TOML; below is how. Left empty, the school adds none.",
        render_kw={"rows": 16, "spellcheck": "false", "class": "form-control own-rules", "autocapitalize": "none"},
    )
    why = TextAreaField(
        "Why do the rules change?",
        description="Kept for ever with your name beside the version, such as “Agreed by the governors on 3 November”.",
        filters=[trimmed],
        validators=[at_most(steps.LONGEST_WHY)],
        render_kw={"rows": 2},
    )
    based_on = HiddenField()


class WhyForm(Form):
    """Why an earlier version is put in force again."""

    why = TextAreaField(
        "Why is it restored?", filters=[trimmed], validators=[at_most(steps.LONGEST_WHY)], render_kw={"rows": 2}
    )
    based_on = HiddenField()


@bp.get("")
@signed_in
def index() -> str:
    """The rules in force, clause by clause."""
    with services().db.read() as session:
        view = rules_view(session)
    return render_template("web/rules/index.html", view=view, words=WORDS, tones=_TONES, signs=_SIGNS)


@bp.route("/change", methods=["GET", "POST"])
@keepers
def change() -> Answer:
    """The form for a new version. What was typed stays when it is refused."""
    with services().db.read() as session:
        view = rules_view(session)
    if request.method == "GET":
        form = RulesForm(formdata=None, data={"rules": view.text, "based_on": view.number})
        return _form_page(form, dict(view.softened))
    form = RulesForm()
    soft = {name.removeprefix(_SOFT): to for name, to in request.form.items() if name.startswith(_SOFT)}
    if form.validate_on_submit():
        try:
            version = steps.save(
                services(),
                rules=form.rules.data or "",
                softened=soft,
                why=form.why.data or "",
                based_on=_number(form.based_on.data),
                by=person().id,
            )
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({}, str(refused))
            form.based_on.data = str(view.number)
            return _form_page(form, soft), 409
        else:
            flash(f"Version {version.number} of the rules is in force.", "success")
            return redirect(url_for("rules.index"), code=303)
    return _form_page(form, soft), 422


@bp.get("/versions")
@signed_in
def versions() -> str:
    """Every version there ever was, the newest first."""
    with services().db.read() as session:
        return render_template(
            "web/rules/versions.html", versions=steps.versions(session), names=names_of_staff(session)
        )


@bp.get("/versions/<int:number>")
@signed_in
def version(number: int) -> str:
    """One version: what it changed, and how to put it in force again."""
    return _version_page(number, WhyForm(formdata=None))


@bp.post("/versions/<int:number>/restore")
@keepers
def restore(number: int) -> Answer:
    """Put this version in force again, as a new one."""
    form = WhyForm()
    if form.validate_on_submit():
        try:
            made = steps.restore(
                services(), number, why=form.why.data or "", based_on=_number(form.based_on.data), by=person().id
            )
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({}, str(refused))
            form.based_on.data = ""
            return _version_page(number, form), 409
        else:
            flash(f"Version {number} is in force again, as version {made.number}.", "success")
            return redirect(url_for("rules.index"), code=303)
    return _version_page(number, form), 422


def _number(typed: str | None) -> int:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 9 else -1  # noqa: PLR2004 - never a version


def _form_page(form: RulesForm, soft: Mapping[str, str]) -> str:
    with services().db.read() as session:
        view = rules_view(session)
    return render_template(
        "web/rules/change.html", form=form, view=view, soft=soft, words=WORDS, clauses=list(clauses()), prefix=_SOFT
    )


def _version_page(number: int, form: WhyForm) -> str:
    with services().db.read() as session:
        shown = session.get(PolicyVersion, number) if number else None
        if number and shown is None:
            abort(404)
        before = session.get(PolicyVersion, number - 1) if number > 1 else None
        newest = steps.versions(session)[:1]
        latest = newest[0] if newest else None
        words: dict[str, Any] = {
            "changes": steps.difference(before, shown),
            "since": steps.difference(shown, latest),
            "names": names_of_staff(session),
            "latest": latest.number if latest else 0,
        }
    if not form.based_on.data:
        form.based_on.data = str(words["latest"])
    return render_template("web/rules/version.html", number=number, shown=shown, form=form, **words)
