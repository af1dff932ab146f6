"""The page on which the second proof is given before the post is shown: a passkey first, a PIN where there is none."""

from flask import render_template, url_for
from wtforms import PasswordField

from approvals import tokens
from approvals.requests import summary_of
from gatekeeper.people.staff import Staff
from gatekeeper.web.access import services
from gatekeeper.web.decide_link import typed_words
from gatekeeper.web.forms_base import Form, needed
from gatekeeper.web.second_proof import offer_of


class PinForm(Form):
    """The second proof."""

    pin = PasswordField(
        "Your PIN",
        description="Six digits. It counts for ten minutes, for this decision only.",
        validators=[needed("Please type your PIN.")],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "12"},
    )


def proof_page(
    view: tokens.View, form: PinForm | None = None, *, status: int = 200, sentence: str = ""
) -> tuple[str, int]:
    """Ask for the proof. What was typed on the decision page is carried along."""
    with services().db.read() as session:
        author = session.get_one(Staff, view.request.author_id).name
    options = url_for("decide_proof.challenge", request_id=view.request.id)
    html = render_template(
        "web/decide/pin.html",
        asked=view.request,
        summary=summary_of(view.request),
        author=author,
        offer=offer_of(view.person_id, "view", options=options),
        form=form or PinForm(),
        kept=typed_words(),
        sentence=sentence,
    )
    return html, status
