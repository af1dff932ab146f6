"""A case on paper: its facts, what was due, its story and how it ended; and the dated request to remove something."""

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

from approvals.wall_clock import when
from gatekeeper.workflow.case_paper import Sheet
from gatekeeper.workflow.evidence_type import BOLD, PLAIN, markup, readable, register_fonts

_INK, _SOFT = HexColor("#1c1c1c"), HexColor("#555555")
_WIDE, _HIGH = 150 * mm, 110 * mm


def _style(name: str, **changes: Any) -> ParagraphStyle:
    base = {"fontName": PLAIN, "fontSize": 9.5, "leading": 13.5, "textColor": _INK, "spaceAfter": 3}
    return ParagraphStyle(name, **{**base, **changes})


_TITLE: Final = _style("title", fontName=BOLD, fontSize=17, leading=22, spaceAfter=4)
_LEAD: Final = _style("lead", fontSize=10.5, leading=15, textColor=_SOFT, spaceAfter=8)
_HEADING: Final = _style("heading", fontName=BOLD, fontSize=12, leading=16, spaceBefore=10, spaceAfter=4)
_TEXT: Final = _style("text")
_QUOTE: Final = _style("quote", leftIndent=9, borderPadding=(3, 5, 3, 6), backColor=HexColor("#f3f3f0"), spaceAfter=7)
_SMALL: Final = _style("small", fontSize=8, leading=11.5, textColor=_SOFT)
_LETTER: Final = _style("letter", fontSize=11, leading=16.5, spaceAfter=9)


def case_pdf(sheet: Sheet, pictures: Iterable[tuple[str, bytes]]) -> bytes:
    """The case as its export holds it; the same case always gives the same bytes."""
    body: list[Flowable] = [
        Paragraph(markup(sheet.heading), _TITLE),
        Paragraph(markup(f"{sheet.school}. Taken out on {when(sheet.made_at)} by {sheet.made_by}."), _LEAD),
    ]
    for title, rows in sheet.sections:
        body.append(Paragraph(markup(title), _HEADING))
        for label, words, long in rows:
            if long:
                body += [Paragraph(markup(f"{label}:"), _TEXT), Paragraph(markup(words) or "–", _QUOTE)]
            else:
                body.append(Paragraph(f'<font name="{BOLD}">{markup(label)}:</font> {markup(words)}', _TEXT))
    for name, data in pictures:
        body.append(KeepTogether([Spacer(1, 6), _picture(data), Paragraph(markup(name), _SMALL)]))
    return _built(body, title=sheet.heading, school=sheet.school)


def removal_letter(sheet: Sheet, *, to: str, by: str, words: str, link: str, due: datetime | None) -> bytes:
    """The dated written request that a member of staff is given (policy 7.2)."""
    ask = [
        f"Dear {to},",
        "I ask you in writing, under section 7.2 of the school's social media policy, to remove the following:",
        link,
        "Why:",
        words,
        f"Please do so by {when(due)}." if due else "Please do so without delay.",
        (
            "You can answer in writing, and you can say that you do not agree: both are kept with this request. The policy "
            "says in 7.3 what follows when such a request is not met."
        ),
        by,
    ]
    body: list[Flowable] = [
        Paragraph(markup(sheet.school), _LEAD),
        Paragraph(markup(when(sheet.opened_at)), _LEAD),
        Paragraph(markup(f"Request to remove a post (case {sheet.number})"), _TITLE),
        *(Paragraph(markup(line), _LETTER) for line in ask),
    ]
    return _built(body, title=f"Request to remove a post, case {sheet.number}", school=sheet.school)


def _picture(data: bytes) -> Image:
    image = Image(io.BytesIO(data))
    scale = min(_WIDE / image.imageWidth, _HIGH / image.imageHeight, 1)
    image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
    image.hAlign = "LEFT"
    return image


def _built(body: list[Flowable], *, title: str, school: str) -> bytes:
    register_fonts()
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=readable(title),
        author=readable(school),
        lang="en-GB",
        invariant=1,
    )

    def foot(canvas: Canvas, _: Any) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(20 * mm, 11 * mm, readable(title)[:110])
        canvas.drawRightString(190 * mm, 11 * mm, f"Page {canvas.getPageNumber()}")

    page.build(body, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()
