"""The form with which a case is opened; which fields it has depends on the kind."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask_wtf.file import FileField
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.widgets import DateInput, TimeInput

from gatekeeper.cases.model import CaseKind
from gatekeeper.errors import BadInput
from gatekeeper.web.forms_base import Form, options, trimmed
from gatekeeper.workflow.cases import LONGEST_LINK, LONGEST_TITLE, LONGEST_WORDS, Opening
from gatekeeper.workflow.due import TypedDue, is_doubled, resolve

_FOLDS: Final = {"0": "The first, before the clocks go back", "1": "The second, after they went back"}


def _fold() -> Any:
    return RadioField(
        "Which of the two?",
        choices=options(_FOLDS),
        validate_choice=False,
        description="The clocks go back that night, so this hour comes twice.",
    )


class CaseForm(Form):
    """Every field there is; `FIELDS` says which of them a kind shows, in which order, and what they are called there."""

    asker = StringField("Who asks", filters=[trimmed], render_kw={"maxlength": 200})
    outlet = StringField("For whom", filters=[trimmed], render_kw={"maxlength": 200})
    contact = StringField("How to reach them", filters=[trimmed], render_kw={"maxlength": 300})
    about = SelectField("About a colleague", coerce=str, validate_choice=False)
    title = StringField("In a few words", filters=[trimmed], render_kw={"maxlength": LONGEST_TITLE})
    words = TextAreaField("What is it about?", filters=[trimmed], render_kw={"rows": 6, "maxlength": LONGEST_WORDS})
    link = StringField(
        "Where it is",
        filters=[trimmed],
        render_kw={"maxlength": LONGEST_LINK, "inputmode": "url", "spellcheck": "false"},
    )
    picture = FileField("A screenshot", render_kw={"accept": "image/jpeg,image/png,image/webp,image/heic"})
    began_date = StringField("Day", widget=DateInput())
    began_time = StringField("Time", widget=TimeInput())
    began_fold = _fold()
    deadline_date = StringField("Until: day", widget=DateInput())
    deadline_time = StringField("Until: time", widget=TimeInput())
    deadline_fold = _fold()
    high_risk = BooleanField("The risk to the people concerned is high")

    def typed(self, which: str) -> TypedDue:
        """One of the two moments, as typed."""
        fold = self[f"{which}_fold"].data
        return TypedDue(
            date=self[f"{which}_date"].data or "",
            time=self[f"{which}_time"].data or "",
            fold=int(fold) if fold in _FOLDS else None,
        )

    def is_doubled(self, which: str) -> bool:
        """Whether the typed hour comes twice, so that the form has to ask which is meant."""
        return is_doubled(self.typed(which))

    def opening(self, kind: CaseKind, **more: Any) -> Opening:
        """What was typed, for the step.

        Raises:
            BadInput: a moment cannot be read; tied to its field.
        """
        has = FIELDS[kind]
        chosen = self.about.data or ""
        return Opening(
            kind=kind,
            title=self.title.data or "",
            words=self.words.data or "",
            link=self.link.data or "" if "link" in has else "",
            about_id=_number(chosen) if "about" in has else None,
            facts={name: (self[name].data or "")[:300] for name in ("asker", "outlet", "contact") if name in has}
            | ({"high_risk": bool(self.high_risk.data)} if "high_risk" in has else {}),
            began_at=self._moment("began") if "began_date" in has else None,
            deadline=self._moment("deadline") if "deadline_date" in has else None,
            high_risk=bool(self.high_risk.data) if "high_risk" in has else False,
            **more,
        )

    def _moment(self, which: str) -> datetime | None:
        typed = self.typed(which)
        if not typed.stored:
            return None
        try:
            return resolve(typed)
        except (BadInput, OverflowError) as refused:
            fields = refused.fields if isinstance(refused, BadInput) else {}
            words = {name.replace("due_", f"{which}_"): _RIGHT.get(name, sentence) if "Choose" in sentence else sentence
                     for name, sentence in fields.items()}  # fmt: skip
            raise BadInput(
                "Please look at the time again.", fields=words or {f"{which}_date": _RIGHT["due_date"]}
            ) from refused


def _number(typed: str) -> int | None:
    """The id of a colleague; what fits no column is nobody."""
    return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else None


_RIGHT: Final = {"due_date": "Please give the day as well.", "due_time": "Please give the time as well."}

#: kind -> field -> (label, hint); the order is the page's
FIELDS: Final[Mapping[CaseKind, Mapping[str, tuple[str, str]]]] = {
    CaseKind.ENQUIRY: {
        "asker": ("Who asks", "Their name."),
        "outlet": ("For whom", "The newspaper, company or group. Empty where they ask for themselves."),
        "contact": ("How to reach them", "E-mail or telephone."),
        "title": ("In a few words", "It stands in the list."),
        "words": ("What do they want to know?", "As exactly as you can. If they wrote, copy it here."),
        "deadline_date": ("They want an answer by: day", "Leave it empty if they named none."),
        "deadline_time": ("They want an answer by: time", ""),
        "picture": ("A picture of the letter or message", ""),
    },
    CaseKind.ADVICE: {
        "title": ("In a few words", "It stands in the list."),
        "words": ("What are you not sure about?", "Do not send or say it until you have the answer."),
        "link": ("Where it is", "If it is online. Nobody opens it by machine."),
        "picture": ("A picture of it", ""),
    },
    CaseKind.CONCERN: {
        "title": ("In a few words", "It stands in the list."),
        "words": ("What did you see?", "What, where, and when. Facts help more than opinions."),
        "link": ("Where it is", "Its address or the account's name. It is kept as text; nothing here opens it."),
        "picture": ("A screenshot", "Posts vanish. Do not search private profiles for it."),
        "about": (
            "Is it about a colleague?",
            ("If it is about your line manager it goes to the headteacher. If it is about the headteacher it goes to the "
            "deputy headteacher. Whoever it is about sees nothing of it."),
        ),
    },
    CaseKind.REMOVAL: {
        "about": ("Who is asked", "They see this request, its deadline and what you write to them, and can answer."),
        "title": ("In a few words", "They see it."),
        "link": ("What is to be removed", "Its address, or the account and the day."),
        "words": ("Why", "They read it, and it stands in the letter. Name the clause of the policy."),
        "deadline_date": ("Until: day", ""),
        "deadline_time": ("Until: time", ""),
        "picture": ("A screenshot", "They see it."),
    },
    CaseKind.BREACH: {
        "title": ("In a few words", "No pupil's name here: it stands in the list."),
        "words": ("What happened?", "As far as you know. It can be added to later."),
        "began_date": ("Since when do we know: day", "Leave day and time empty if you found out just now."),
        "began_time": ("Since when do we know: time", "The 72 hours begin here."),
        "high_risk": (
            "The risk to the people concerned is high",
            "Such as addresses of children who must not be found, health, or money. Then they have to be told, too.",
        ),
        "picture": ("A screenshot", ""),
    },
    CaseKind.COMPLAINT: {
        "asker": ("Who complains", "Their name."),
        "contact": ("How to reach them", "E-mail, telephone or address."),
        "title": ("In a few words", "No pupil's name here: it stands in the list."),
        "words": ("What is the complaint?", "If they wrote, copy it here."),
        "began_date": ("When did it arrive: day", "Leave day and time empty if it arrived just now."),
        "began_time": ("When did it arrive: time", "The 30 days begin here."),
        "picture": ("A picture of the letter", ""),
    },
}  # fmt: skip
OPTIONAL: Final = frozenset(
    {"picture", "outlet", "began_date", "began_time", "deadline_date", "deadline_time", "contact"}
)
_LINK_OPTIONAL: Final = frozenset({CaseKind.ADVICE, CaseKind.CONCERN})


def form_for(kind: CaseKind, staff: Mapping[int, str], *, fill: bool) -> CaseForm:
    """The form of a kind, with the labels that it has there."""
    form = CaseForm(formdata=None) if fill else CaseForm()
    for name, (label, hint) in FIELDS[kind].items():
        form[name].label.text, form[name].description = label, hint
    first = "Choose who" if kind is CaseKind.REMOVAL else "Not about a colleague"
    form.about.choices = options({"": first, **{str(number): name for number, name in staff.items()}})
    return form


def is_optional(kind: CaseKind, name: str) -> bool:
    """Whether the field may stay empty; the page says so beside its label."""
    if kind is CaseKind.REMOVAL and name.startswith("deadline"):
        return False
    return name in OPTIONAL or (name == "link" and kind in _LINK_OPTIONAL)
