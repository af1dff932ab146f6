"""The statement for parents, governors and the data protection officer, on the page and on paper; and what it is told by hand."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer
from wtforms import StringField

from gatekeeper.errors import BadInput
from gatekeeper.people.staff import Role
from gatekeeper.web.access import person, roles, services
from gatekeeper.web.forms_base import Form, at_most, trimmed
from gatekeeper.workflow import data_protection, dpia, statement, statement_facts
from gatekeeper.workflow.statement import READER_WORDS, Document, Reader
from gatekeeper.workflow.statement_paper import markdown, pdf

bp = Blueprint("statement", __name__, url_prefix="/statement")
readers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER, Role.CONSENT_LEAD, Role.AUDITOR)
keepers = roles(Role.ADMINISTRATOR, Role.HEADTEACHER)
_ENOUGH = 300


def _line(label: str, hint: str = "") -> StringField:
    return StringField(label, description=hint, filters=[trimmed], validators=[at_most(_ENOUGH)])


class DetailsForm(Form):
    """What only the school can know."""

    officer = _line("Data protection officer")
    email = _line("Their e-mail address")
    phone = _line("Their telephone number")
    register_number = _line("Number in the Information Commissioner's register", "Such as ZA123456.")
    withdraw = _line(
        "How a family withdraws a permission", "Such as: by e-mail to office@school.example, or in person."
    )
    complain = _line("Where a complaint about data goes")
    dpia = _line("Impact assessment of Gatekeeper", "Its reference and date, once it is signed.")
    privacy_link = _line("Address of the privacy notice")
    esafety_link = _line("Address of the eSafety and data security policy", "Section 6.2 of the policy refers to it.")


@bp.get("")
@readers
def index() -> str:
    """What is true at this moment, for one kind of reader."""
    reader = _reader()
    facts = _facts()
    return render_template(
        "web/statement/index.html",
        document=statement.statement_for(reader, facts),
        reader=reader,
        words=READER_WORDS,
        open_points=dpia.open_points(dpia.skeleton(facts)),
    )


@bp.get("/paper.pdf")
@readers
def paper() -> Response:
    """The same as a PDF, which the school prints or publishes itself."""
    reader = _reader()
    return _pdf(statement.statement_for(reader, _facts()), f"statement-{reader}.pdf")


@bp.get("/dpia.pdf")
@readers
def assessment() -> Response:
    """The skeleton of the impact assessment as a PDF."""
    return _pdf(dpia.skeleton(_facts()), "dpia.pdf")


@bp.get("/dpia.md")
@readers
def assessment_text() -> Response:
    """The skeleton as text to go on writing in."""
    answer = Response(markdown(dpia.skeleton(_facts())), mimetype="text/markdown")
    answer.headers["Content-Disposition"] = "attachment; filename=dpia.md"
    return answer


@bp.get("/details")
@keepers
def details() -> str:
    """The form for what only the school can know."""
    stored = data_protection.contacts_of(services())
    data = {name: getattr(stored, name) for name in stored.__dataclass_fields__}
    return render_template("web/statement/details.html", form=DetailsForm(formdata=None, data=data))


@bp.post("/details")
@keepers
def change() -> Answer | tuple[str, int]:
    """Record what differs."""
    form = DetailsForm()
    if form.validate_on_submit():
        typed = {field.name: field.data or "" for field in form if field.type == "StringField"}
        try:
            data_protection.change(services(), typed, by=person().id)
        except BadInput as refused:
            form.refuse(refused.fields, str(refused))
        else:
            flash("It is recorded, and the statement says it.", "success")
            return redirect(url_for("statement.index"), code=303)
    return render_template("web/statement/details.html", form=form), 422


def _reader() -> Reader:
    asked = request.args.get("for", "")
    return Reader(asked) if asked in list(Reader) else Reader.PARENTS


def _facts() -> statement_facts.Facts:
    with services().db.read() as session:
        return statement_facts.gather(session, services().settings, now=services().clock.now())


def _pdf(document: Document, name: str) -> Response:
    answer = Response(pdf(document), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer
