"""The documentation, which stands as Markdown in gatekeeper/docs, as pages of the site."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup

from gatekeeper.web.access import public, signed_in

bp = Blueprint("help_pages", __name__, url_prefix="/help")
FOLDER: Final = Path(__file__).resolve().parents[2] / "docs"
_NAME: Final = re.compile(r"[a-z0-9-]{1,60}")
_IMAGE: Final = re.compile(r"[a-z0-9-]{1,60}\.(svg|png)")


@dataclass(frozen=True)
class Page:
    """One page: its name in the address, its title, and its text."""

    name: str
    title: str
    html: Markup


@bp.get("")
@public
def index() -> str:
    """The first page, which somebody who cannot sign in may need."""
    return render_template("web/help/page.html", page=_page("index"), others=_others())


@bp.get("/<name>")
@signed_in
def show(name: str) -> str:
    """One page."""
    if not _NAME.fullmatch(name) or not (FOLDER / f"{name}.md").is_file():
        abort(404)
    return render_template("web/help/page.html", page=_page(name), others=_others())


@bp.get("/images/<name>")
@signed_in
def image(name: str) -> Response:
    """A picture of a page. None of them shows a face."""
    if not _IMAGE.fullmatch(name) or not (FOLDER / "images" / name).is_file():
        abort(404)
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return Response((FOLDER / "images" / name).read_bytes(), mimetype=kind)


@cache
def _page(name: str) -> Page:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    html = renderer.render(re.sub(r"\]\(([a-z0-9-]+)\.md(#[a-z0-9-]*)?\)", r"](/help/\1\2)", rest))
    html = html.replace('href="/help/index"', 'href="/help"')
    html = html.replace("<table>", '<table tabindex="0">')  # a wide one scrolls, and the keyboard must get there
    return Page(name, first.lstrip("# ").strip(), Markup(html))  # noqa: S704 - our own files, with HTML in them switched off


@cache
def _others() -> tuple[tuple[str, str], ...]:
    """(name, title) of every page but the first, in the order of the first page's links, then by title."""
    first = (FOLDER / "index.md").read_text(encoding="utf-8")
    order = re.findall(r"\]\(([a-z0-9-]+)\.md", first)
    names = [path.stem for path in FOLDER.glob("*.md") if path.stem != "index"]
    ranked = sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))
    return tuple((name, _page(name).title) for name in ranked)
