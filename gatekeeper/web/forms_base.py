"""The base of every form: errors are sentences tied to their field, and what was typed stays."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, Field, SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

__all__ = ["Day", "Form", "at_most", "chosen", "needed", "options", "trimmed"]


class Form(FlaskForm):  # type: ignore[misc]  # WTForms ships no types
    """A form whose fields know which hint and which error describe them."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Adds what a screen reader needs to every field that is drawn."""

        def render_field(self, field: Field, render_kw: Mapping[str, Any]) -> Any:
            """Tie the field to its hint and its error."""
            words = dict(render_kw)
            described = [f"{field.id}-hint"] if field.description else []
            if field.errors:
                words["aria-invalid"] = "true"
                described.append(f"{field.id}-error")
            if described:
                words.setdefault("aria-describedby", " ".join(described))
            return super().render_field(field, words)

    def refuse(self, fields: Mapping[str, str], sentence: str = "") -> None:
        """Show a step's refusal at the fields it is about; what belongs to no field of this form stands on top."""
        loose = []
        for name, words in fields.items():
            if name in self._fields:
                self._fields[name].errors = [*self._fields[name].errors, words]
            else:
                loose.append(words)
        if sentence and not fields:
            loose.append(sentence)
        self.form_errors: list[str] = [*getattr(self, "form_errors", ()), *loose]


class Day(DateField):  # type: ignore[misc]
    """A day, from the browser's calendar or typed as people write it here."""

    data: Any

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, format=["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day, or say how one is written."""
        typed = "".join(valuelist).strip()
        if not typed:
            self.data = None
            return
        try:
            super().process_formdata([typed])
        except ValueError:
            raise ValueError("This is not a date. Write it like 24/11/2026.") from None


def options(words: Mapping[Any, str]) -> list[SelectChoice]:
    """What a SelectField or RadioField offers: value -> words."""
    return [SelectChoice(str(value), word) for value, word in words.items()]


def needed(sentence: str) -> DataRequired:
    """Something must be typed; `sentence` says what."""
    return DataRequired(sentence)


def chosen(sentence: str) -> InputRequired:
    """Something must be chosen; `sentence` says what."""
    return InputRequired(sentence)


def at_most(characters: int) -> Length:
    """Not longer than the database takes."""
    return Length(max=characters, message=f"This may have at most {characters} characters.")


def trimmed(value: str | None) -> str:
    """A WTForms filter: without spaces around it."""
    return (value or "").strip()
