"""Fills the templates of the e-mails: HTML parts escape every value, a missing value is an error and no blank."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from approvals.wall_clock import when


class EmailRenderer:
    """Renders templates by their path below the templates folder, such as "email/invitation/body.html"."""

    def __init__(self, templates: Path, *, school_name: Callable[[], str]) -> None:
        """`school_name` is asked for each e-mail, because an administrator may change it while the process runs."""
        self._school_name = school_name
        self._env = Environment(
            loader=FileSystemLoader(templates),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            finalize=_visible,
        )
        self._env.filters["when"] = when

    def render(self, template: str, **context: object) -> str:
        """The filled text of one template."""
        return self._env.get_template(template).render({"school_name": self._school_name(), **context})


def _visible(value: object) -> object:
    """The value without signs that nobody sees, which could turn the words of an e-mail round or ring a bell."""
    if not isinstance(value, str) or value.isprintable():
        return value
    kept = (sign for sign in value if sign in "\n\t" or unicodedata.category(sign)[0] != "C")
    return type(value)("".join(kept))  # what was made safe for HTML stays marked as safe
