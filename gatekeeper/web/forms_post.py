"""The form of a post. It accepts whatever is typed, so that a draft can keep it; the steps say what is wrong."""

from typing import Any, cast

from wtforms import (
    FileField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, DateInput, ListWidget, TimeInput

from gatekeeper.policy import limits
from gatekeeper.web.forms_base import Form
from gatekeeper.workflow.draft_view import ChannelChoice, DraftPhoto, DraftView
from gatekeeper.workflow.due import TypedDue, is_doubled
from gatekeeper.workflow.submit import DraftEdit

_PHOTO_TYPES = "image/*,.heic,.heif"


def _whole(value: object) -> int:
    return int(str(value))


class PostForm(Form):
    """Everything of a post but its photos' own fields, which `post_form` adds."""

    title = StringField(
        "Title",
        description="For you and the headteacher only. It is never published, so do not put a pupil's name here.",
        render_kw={"maxlength": limits.MAX_TITLE, "autocomplete": "off"},
    )
    text = TextAreaField("Text", render_kw={"rows": 6, "spellcheck": "true"})
    channels = SelectMultipleField(
        "Channels", coerce=_whole, option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    photo = FileField("Add a photo", render_kw={"accept": _PHOTO_TYPES})
    due_date = StringField("Day", widget=DateInput())
    due_time = StringField("Time", widget=TimeInput())
    fold = RadioField(
        "Which of the two?",
        choices={"0": "The first, before the clocks go back", "1": "The second, after they went back"},
        description="The clocks go back that night, so this hour comes twice.",
    )
    window = SelectField(
        "How long may it still go out after that?",
        coerce=_whole,
        choices=dict(limits.WINDOWS),
        description="If something is in the way at its time, it is tried until then, and never later.",
    )
    revision = HiddenField()
    take_back = HiddenField()

    @property
    def is_doubled(self) -> bool:
        """Whether the typed hour comes twice, so that the form has to ask which is meant."""
        return is_doubled(TypedDue(date=self.due_date.data or "", time=self.due_time.data or ""))

    def of_photo(self, name: str, photo: DraftPhoto) -> Any:
        """One photo's own field: `alt`, `people` or `basis`."""
        return self[f"{name}_{photo.id}"]

    def of_channel(self, choice: ChannelChoice) -> Any:
        """The field of one channel's own words."""
        return self[f"wording_{choice.id}"]

    @property
    def wordings(self) -> dict[int, str]:
        """What was typed for single channels; a field that did not arrive is left out, so that nothing is emptied."""
        own = {name: field for name, field in self._fields.items() if name.startswith("wording_")}
        return {
            int(name.removeprefix("wording_")): (field.data or "").replace("\r\n", "\n")
            for name, field in own.items()
            if field.raw_data or field.data
        }

    def edit(self, photos: tuple[DraftPhoto, ...]) -> DraftEdit:
        """What was typed, for the step that keeps it."""

        def of_photos(name: str) -> dict[int, str]:
            return {photo.id: self.of_photo(name, photo).data or "" for photo in photos}

        fold, revision = self.fold.data, self.revision.data or ""
        return DraftEdit(
            title=self.title.data or "",
            text=self.text.data or "",
            channels=tuple(one for one in self.channels.data or () if 0 < one < 2**31),
            wordings=self.wordings,
            due=TypedDue(
                date=self.due_date.data or "",
                time=self.due_time.data or "",
                fold=int(fold) if fold in {"0", "1"} else None,
            ),
            window=self.window.data or 0,
            alts=of_photos("alt"),
            people=of_photos("people"),
            basis=of_photos("basis"),
            revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else None,  # noqa: PLR2004
            take_back=self.take_back.data == "yes",
        )


def post_form(draft: DraftView | None, choices: tuple[ChannelChoice, ...], *, fill: bool) -> PostForm:
    """The form with the fields of each channel and photo; `fill` puts in what is stored and ignores the request."""
    photos = draft.photos if draft else ()
    fields = {name: field for photo in photos for name, field in _photo_fields(photo).items()}
    fields |= {f"wording_{choice.id}": _own_words(choice) for choice in choices}
    kind = type("PostFormWithPhotos", (PostForm,), fields)
    form = cast("PostForm", kind(formdata=None, data=_stored(draft)) if fill else kind())
    form.channels.choices = {choice.id: choice.name for choice in choices}
    return form


def _own_words(choice: ChannelChoice) -> Any:
    return TextAreaField(
        f"Words for {choice.label} alone",
        description=f"Leave it empty, and {choice.label} gets the text above.",
        render_kw={"rows": 4, "spellcheck": "true"},
    )


def _photo_fields(photo: DraftPhoto) -> dict[str, Any]:
    number = photo.number
    return {
        f"alt_{photo.id}": TextAreaField(
            f"Describe photo {number} in words",
            description="For people who cannot see it. Say what happens in it, without pupils' names.",
            render_kw={"rows": 2},
        ),
        f"people_{photo.id}": RadioField(f"Who is in photo {number}?", choices=dict(limits.PEOPLE)),
        f"basis_{photo.id}": StringField(
            f"Why may the people in photo {number} be shown?",
            description="For example: on the consent register; asked on the day; nobody can be recognised.",
            render_kw={"maxlength": limits.MAX_BASIS, "list": "basis-ideas", "autocomplete": "off"},
        ),
    }


def _stored(draft: DraftView | None) -> dict[str, Any]:
    if draft is None:
        return {"window": limits.USUAL_WINDOW, "channels": []}
    fold = draft.due.fold
    values: dict[str, Any] = {
        "title": draft.title,
        "text": draft.text,
        "channels": list(draft.channels),
        "due_date": draft.due.date,
        "due_time": draft.due.time,
        "fold": "" if fold is None else str(fold),
        "window": draft.window,
        "revision": str(draft.revision),
    }
    values |= {f"wording_{account}": words for account, words in draft.wordings.items()}
    for photo in draft.photos:
        values |= {f"alt_{photo.id}": photo.alt, f"people_{photo.id}": photo.people, f"basis_{photo.id}": photo.basis}
    return values
