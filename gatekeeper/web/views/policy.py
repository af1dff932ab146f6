"""The school's policy: the edition that counts, confirming to have read it, adopting a new one, and who has not read it."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Optional

from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.policy_editions import edition_in_force
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.forms_base import Day, Form, at_most, options, trimmed
from gatekeeper.workflow import policy_cards, policy_editions, policy_view

bp = Blueprint("policy", __name__, url_prefix="/policy")
keepers = roles(Role.HEADTEACHER, Role.ADMINISTRATOR)
_TEXT: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_LOWER: Final = 2  # a page's title and the section's own heading come before those of the text


class AdoptForm(Form):
    """A new edition."""

    label = StringField(
        "Name of this edition",
        description="Its year and month, such as 2022-03. It stands on every decision from then on.",
        filters=[trimmed],
        validators=[at_most(40)],
    )
    words = TextAreaField(
        "The text that staff read",
        description="Headings, lists and bold are written in Markdown: # Heading, - item, **bold**.",
        render_kw={"rows": 14},
    )
    link = StringField(
        "Where the policy is kept",
        description="The web address, if the text stands elsewhere too, or only there.",
        filters=[trimmed],
        validators=[at_most(500)],
    )
    changes = TextAreaField("What is new in it", filters=[trimmed], validators=[at_most(2000)], render_kw={"rows": 3})
    section_two = RadioField(
        "Personal use of social media at work (section 2)",
        description="The policy holds three texts and says “delete or amend as required”. Your choice stands on record "
        "with your name. Until you choose, every page says that it is not decided.",
        choices=options({"": "Not decided yet", **policy_editions.SECTION_TWO}),
        default="",
        validate_choice=False,
    )
    place = StringField(
        "The designated place",
        description="Only where it is used now and then, in a designated place.",
        filters=[trimmed],
        validators=[at_most(200)],
    )
    review_on = Day("To be looked at again by", validators=[Optional()])
    line = TextAreaField(
        "Your line",
        description="In your own words, such as: I adopt this policy for our school after the governors agreed to it.",
        filters=[trimmed],
        render_kw={"rows": 2},
    )
    based_on = HiddenField()


@bp.get("")
@signed_in
def index() -> str:
    """The edition that counts, and whether this person has confirmed it."""
    with services().db.read() as session:
        page = policy_view.page_for(session, person().id, today=london(services().clock.now()).date())
        cards = policy_cards.cards_for(session, person().id)
    return render_template(
        "web/policy/index.html", page=page, cards=cards, rendered=rendered, post=request.args.get("post", type=int)
    )


@bp.get("/editions/<int:edition_id>")
@signed_in
def edition(edition_id: int) -> str:
    """An earlier edition as it was."""
    with services().db.read() as session:
        shown = policy_view.edition_view(session, edition_id, today=london(services().clock.now()).date())
    return render_template("web/policy/edition.html", edition=shown, rendered=rendered)


@bp.post("/acknowledge")
@signed_in
def acknowledge() -> Response:
    """Confirm to have read it; then on to what was begun."""
    policy_editions.acknowledge(services(), request.form.get("edition", 0, type=int), by=person().id)
    flash("Thank you. It is written down that you have read this edition.", "success")
    post = request.form.get("post", type=int)
    if post is not None:
        return redirect(url_for("posts.show", post_id=post), code=303)
    begun = request.form.get("begun") == "post"
    return redirect(url_for("posts.new") if begun else url_for("policy.index"), code=303)


@bp.get("/adopt")
@roles(Role.HEADTEACHER)
def adopt_form() -> str:
    """The form for a new edition, filled with the present one."""
    with services().db.read() as session:
        present = edition_in_force(session)
    data = {name: getattr(present, name) for name in ("words", "link", "section_two", "place")} if present else {}
    form = AdoptForm(formdata=None, data={**data, "based_on": str(present.id if present else 0)})
    return render_template("web/policy/adopt.html", form=form, present=present)


@bp.post("/adopt")
@roles(Role.HEADTEACHER)
def adopt() -> Response | tuple[str, int]:
    """Put a new edition in force."""
    form = AdoptForm()
    status = 422
    if form.validate_on_submit():
        based_on = form.based_on.data or ""
        typed = policy_editions.TypedEdition(
            label=form.label.data or "",
            words=form.words.data or "",
            link=form.link.data or "",
            changes=form.changes.data or "",
            section_two=form.section_two.data or "",
            place=form.place.data or "",
            review_on=form.review_on.data,
            line=form.line.data or "",
            based_on=int(based_on) if based_on.isascii() and based_on.isdigit() and len(based_on) < 10 else 0,  # noqa: PLR2004
        )
        try:
            policy_editions.adopt(services(), typed, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        except Conflict as refused:
            form.refuse({}, str(refused))
            status = 409
        else:
            flash("The edition counts from now on. Everybody is asked to read it.", "success")
            return redirect(url_for("policy.index"), code=303)
    with services().db.read() as session:
        present = edition_in_force(session)
    if status == 409:  # noqa: PLR2004 - sent once more, it replaces the edition that this page names now
        form.based_on.data = str(present.id if present else 0)
    return render_template("web/policy/adopt.html", form=form, present=present), status


@bp.get("/readers")
@keepers
def readers() -> str:
    """Who has confirmed the edition that counts, and who has not."""
    with services().db.read() as session:
        found = policy_view.readers_of(session, now=services().clock.now())
        present = edition_in_force(session)
    return render_template("web/policy/readers.html", readers=found, present=present)


@bp.post("/remind")
@keepers
def remind() -> Response:
    """Write to whoever has not confirmed it."""
    told = policy_view.remind(services(), by=person().id)
    people = f"{told} people get" if told > 1 else "One person gets"
    if told:
        flash(f"{people} an e-mail.", "success")
    else:
        flash("Everybody who is missing had an e-mail in the last seven days. Nobody was written to.", "warning")
    return redirect(url_for("policy.readers"), code=303)


@bp.post("/cards/<card>/away")
@signed_in
def put_away(card: str) -> Response:
    """Put a card away; then back to the page it stands on."""
    policy_cards.put_away(services(), card, by=person().id)
    return _where_it_stood()


@bp.post("/cards/<card>/back")
@signed_in
def bring_back(card: str) -> Response:
    """Show a card again."""
    policy_cards.bring_back(services(), card, by=person().id)
    return _where_it_stood()


def _where_it_stood() -> Response:
    post, place = request.form.get("post", type=int), request.form.get("place", "")
    if place == policy_cards.Place.POST:
        to = url_for("posts.edit", post_id=post) if post is not None else url_for("posts.new")
    else:
        to = url_for("account.index" if place == policy_cards.Place.ACCOUNT else "policy.index", _anchor="guidance")
    return redirect(to, code=303)


@bp.app_template_global("guidance_cards")
def guidance_cards(place: str) -> tuple[policy_cards.Card, ...]:
    """The cards for the reader at this place."""
    with services().db.read() as session:
        return policy_cards.cards_for(session, person().id, policy_cards.Place(place))


@bp.app_template_global("policy_banner")
def policy_banner() -> policy_view.Banner | None:
    """What the reader's first page says about the policy."""
    with services().db.read() as session:
        return policy_view.banner_for(session, person(), today=london(services().clock.now()).date())


def rendered(words: str) -> Markup:
    """Markdown as HTML, with its headings under those of the page; neither HTML in it nor pictures from elsewhere."""
    tokens = _TEXT.parse(words)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + _LOWER)}"
    html = str(_TEXT.renderer.render(tokens, _TEXT.options, {}))
    return Markup(html.replace("<table>", '<table tabindex="0">'))  # noqa: S704 - HTML in the text is switched off


def read_first(*, kept: dict[str, list[str]] | None = None) -> str:
    """Instead of a new post: the text to read, and the button. `kept` is what was typed already."""
    with services().db.read() as session:
        page = policy_view.page_for(session, person().id, today=london(services().clock.now()).date())
    return render_template("web/policy/read_first.html", page=page, rendered=rendered, kept=kept)
