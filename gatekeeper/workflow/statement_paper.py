"""A document on paper: as a PDF to print or publish, and as Markdown to go on writing in."""

import io
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, Paragraph, SimpleDocTemplate, Table, TableStyle

from gatekeeper.workflow.evidence_type import BOLD, PLAIN, markup, readable, register_fonts
from gatekeeper.workflow.statement import Document, Section

_INK, _SOFT, _RULE = HexColor("#1c1c1c"), HexColor("#555555"), HexColor("#bbbbbb")
_WIDE: Final = 170 * mm
_MARKS: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#"})


def pdf(document: Document) -> bytes:
    """The finished PDF; the same document always gives the same bytes."""
    register_fonts()
    out = io.BytesIO()
    title = readable(document.title)
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=title,
        lang="en-GB",
        invariant=1,  # no time of making, no random number
    )

    def foot(canvas: Canvas, _: Any) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(20 * mm, 11 * mm, title[:100])
        canvas.drawRightString(190 * mm, 11 * mm, f"Page {canvas.getPageNumber()}")

    story: list[Flowable] = [
        Paragraph(markup(document.title), _style("title", fontName=BOLD, fontSize=17, leading=22, spaceAfter=2)),
        Paragraph(markup(document.lead), _style("lead", textColor=_SOFT, spaceAfter=6)),
        HRFlowable(width="100%", color=_RULE, spaceAfter=4),
    ]
    for section in document.sections:
        story += _section(section)
    page.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def markdown(document: Document) -> str:
    """The same words as Markdown; what a school typed into its settings marks nothing up."""
    lines = [f"# {_plain(document.title)}", "", _plain(document.lead), ""]
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        lines += [f"- {_plain(sentence)}" for sentence in section.sentences]
        lines += [""]
        if section.table:
            head, *rows = section.table
            lines += [_row(head), _row(("---",) * len(head), raw=True), *(_row(row) for row in rows), ""]
    return "\n".join(lines)


def _section(section: Section) -> list[Flowable]:
    heading = Paragraph(
        markup(section.title), _style("heading", fontName=BOLD, fontSize=12, leading=16, spaceBefore=10)
    )
    body: list[Flowable] = [Paragraph(markup(sentence), _style("text")) for sentence in section.sentences]
    if section.table:
        body.append(_table(section.table))
    return [KeepTogether([heading, *body[:1]]), *body[1:]]


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    cell, head = _style("cell", fontSize=7.5, leading=10), _style("head", fontName=BOLD, fontSize=7.5, leading=10)
    drawn = [[Paragraph(markup(words), cell if number else head) for words in row] for number, row in enumerate(rows)]
    table = Table(drawn, colWidths=[_WIDE / len(rows[0])] * len(rows[0]), repeatRows=1, spaceBefore=4)
    table.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.5, _RULE)])  # every line
    )
    return table


def _style(name: str, **changes: Any) -> ParagraphStyle:
    base = {"fontName": PLAIN, "fontSize": 9.5, "leading": 13.5, "textColor": _INK, "spaceAfter": 3}
    return ParagraphStyle(name, **{**base, **changes})


def _row(cells: tuple[str, ...], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else _plain(cell) for cell in cells)} |"


def _plain(words: str) -> str:
    return " ".join(words.split()).translate(_MARKS)
