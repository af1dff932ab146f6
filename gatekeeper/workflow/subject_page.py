"""The page of a subject access export that is read: plain HTML that opens in any browser, without a script."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from html import escape
from typing import Any, Final

from approvals.wall_clock import when

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")  # as the records spell one
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}"
    "h1,h2,h3{line-height:1.25}section{border-top:1px solid #bbb;margin-top:1.5rem}"
    "dt{color:#555;font-size:.85rem;margin-top:.5rem}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}"
    "img{max-width:100%;height:auto}article{border:1px solid #ccc;border-radius:.4rem;padding:.2rem 1rem;margin:.7rem 0}"
    "dl{margin:.4rem 0}@media(min-width:34rem){dl{display:grid;grid-template-columns:11rem 1fr;gap:.15rem 1rem}"
    "dt{margin:0}dd>article,dd>dl{grid-template-columns:8rem 1fr}}@media print{article{break-inside:avoid-page}}"
)
_INTRO: Final = (
    "This is what Gatekeeper, the program through which the school publishes on social media, holds about the child "
    "named below. Names of other children are replaced by “[name withheld]”. In the pictures everybody else is covered, "
    "and so is everything that can be read. Files the school keeps elsewhere are not in it."
)
_LABELS: Final = {
    "how": "The child is",
    "for": "Meant for",
    "said_of_faces": "Said to be the child",
    "why_not": "No picture",
    "at": "When",
    "who": "Who",
    "did": "Did what",
    "link": "Where it was",
    "number": "The school’s number",
    "reasons": "What staff wrote about the child",
}
_TITLES: Final = {
    "roll": "On the school’s roll",
    "permissions": "Permissions",
    "matching": "Matching of the face",
    "posts": "Posts",
    "reviews": "Reviews after a permission ended",
    "audit": "Who looked at or changed what",
}


def page(school: str, made_at: str, parts: Mapping[str, Any]) -> str:
    """The whole page; the same parts always give the same page."""
    sections = "".join(
        f"<section><h2>{escape(title)}</h2>{_told(parts[name]) or '<p>Nothing.</p>'}</section>"
        for name, title in _TITLES.items()
    )
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><title>Subject access</title>'
        f"<style>{_STYLE}</style></head><body><h1>What {escape(school)} holds in Gatekeeper</h1>"
        f"<p>Made on {escape(made_at)}.</p><p>{_INTRO}</p>{sections}</body></html>\n"
    )


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return _facts(value)
    if isinstance(value, list):
        return "".join(f"<article>{_told(one)}</article>" for one in value)
    return escape(_plain(value))


def _facts(facts: Mapping[str, Any]) -> str:
    lines = "".join(_fact(name, value) for name, value in facts.items() if value not in (None, "", [], {}))
    return f"<dl>{lines}</dl>" if lines else ""


def _fact(name: str, value: Any) -> str:
    label = escape(_LABELS.get(name, name.replace("_", " ").capitalize()))
    if name == "file":
        return f'<dt>Picture</dt><dd><img src="{escape(str(value))}" alt="Everybody else is covered"></dd>'
    if isinstance(value, list) and not any(isinstance(one, Mapping) for one in value):
        return f"<dt>{label}</dt><dd>{escape(', '.join(_each(value)))}</dd>"
    return f"<dt>{label}</dt><dd>{_told(value)}</dd>"


def _each(values: Iterable[Any]) -> list[str]:
    return [_plain(one) for one in values if one not in (None, "")]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = str(value)
    if _MOMENT.fullmatch(words):
        return when(datetime.fromisoformat(words))
    if _DAY.fullmatch(words):
        day = date.fromisoformat(words)
        return f"{day.day} {day:%B %Y}"
    return words
