"""The page of an evidence bundle that is read on paper: what, where, when, who, in which words, and how to check it.

It is made from the very parts that stand in the bundle, so it names no pupil whom they do not name.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

from approvals.wall_clock import when
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.workflow.evidence_ledger import Slice
from gatekeeper.workflow.evidence_type import BOLD, MONO, PLAIN, markup, readable, register_fonts

_INK, _SOFT, _RULE = HexColor("#1c1c1c"), HexColor("#555555"), HexColor("#bbbbbb")
_VERDICTS: Final = {"approve": "Approved", "refuse": "Refused", "changes": "Changes asked for"}
_PROOFS: Final = {"pin": "PIN", "passkey": "passkey"}
_SEVERITIES: Final = {"block": "to be allowed or taken out", "justify": "needs a reason", "advice": "advice"}
_FACES: Final = {
    "pupil": "a pupil",
    "staff": "a member of staff",
    "adult": "another adult",
    "covered": "covered, cannot be recognised",
    "not_a_face": "not a face",
    "unknown": "not answered",
}
_WIDE, _HIGH = 120 * mm, 90 * mm


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the page tells; `parts` are the bundle's own JSON files."""

    school: str
    title: str
    content: Content
    channels: tuple[str, ...]
    parts: Mapping[str, Any]
    ledger: Slice

    @property
    def decision(self) -> Mapping[str, Any]:
        """What stands in decision.json."""
        part: Mapping[str, Any] = self.parts["decision.json"]
        return part


def pdf(told: Told, pictures: Mapping[str, bytes]) -> bytes:
    """The finished PDF; the same parts always give the same bytes."""
    register_fonts()
    out = io.BytesIO()
    decision = told.decision
    title = f"Evidence: post {decision['post']}, version {decision['version']}"
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=title,
        author=readable(told.school),
        lang="en-GB",
        invariant=1,  # no time of making, no random number
    )

    def foot(canvas: Canvas, _: Any) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(20 * mm, 11 * mm, f"{title} · digest {decision['digest'][:16]}…")
        canvas.drawRightString(190 * mm, 11 * mm, f"Page {canvas.getPageNumber()}")

    story = [
        *_head(told, title),
        *_decided(told),
        *_public(told, pictures),
        *_published(told),
        *_found(told),
        *_consents(told),
        *_proof(told),
    ]
    page.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _style(name: str, **changes: Any) -> ParagraphStyle:
    base = {"fontName": PLAIN, "fontSize": 9.5, "leading": 13.5, "textColor": _INK, "spaceAfter": 3}
    return ParagraphStyle(name, **{**base, **changes})


_TITLE = _style("title", fontName=BOLD, fontSize=17, leading=22, spaceAfter=2)
_LEAD = _style("lead", fontSize=10.5, leading=15, textColor=_SOFT, spaceAfter=6)
_HEADING = _style("heading", fontName=BOLD, fontSize=12, leading=16, spaceBefore=10, spaceAfter=4)
_TEXT = _style("text")
_QUOTE = _style("quote", leftIndent=9, borderPadding=(3, 5, 3, 6), backColor=HexColor("#f3f3f0"), spaceAfter=7)
_SMALL = _style("small", fontSize=8, leading=11.5, textColor=_SOFT)
_CODE = _style("code", fontName=MONO, fontSize=7.5, leading=11)


def _fact(label: str, words: str) -> Paragraph:
    return Paragraph(f'<font name="{BOLD}">{markup(label)}:</font> {markup(words)}', _TEXT)


def _said(label: str, words: str | None) -> list[Flowable]:
    """Somebody's own words; or that they were erased."""
    if words is None:
        return [_fact(label, "the words were erased. The ledger still holds that they were written.")]
    return [Paragraph(f"{markup(label)}:", _TEXT), Paragraph(markup(words) or "(nothing)", _QUOTE)]


def _section(title: str, *body: Flowable) -> list[Flowable]:
    heading = Paragraph(markup(title), _HEADING)
    return [KeepTogether([heading, body[0]]), *body[1:]] if body else []


def _head(told: Told, title: str) -> list[Flowable]:
    decision = told.decision
    verdict = _VERDICTS.get(decision["decision"]["verdict"], "")
    line = f"{told.school}. {verdict} by {decision['approver']['name']} on {_day(decision['decided_at'])}."
    return [
        Paragraph(markup(title), _TITLE),
        Paragraph(markup(line), _LEAD),
        *([_fact("Title in the school", told.title)] if told.title else []),
        HRFlowable(width="100%", color=_RULE, spaceAfter=4),
    ]


def _decided(told: Told) -> list[Flowable]:
    decision, words = told.decision, told.decision["words"]
    facts = decision["decision"]
    approver, author = decision["approver"], decision["author"]
    body: list[Flowable] = [
        _fact("Decision", f"{_VERDICTS.get(facts['verdict'], facts['verdict'])}, {_day(decision['decided_at'])}"),
        _fact("Who decided", f"{approver['name']} (person {approver['id']}; today: {approver['role_today']})"),
        _fact("In which capacity", decision["capacity"] or "In their own right."),
        _fact("Proved by", _PROOFS.get(facts["proof"], facts["proof"]) + _signed(decision)),
        _fact("Written by", f"{author['name']} (person {author['id']})"),
        _fact(
            "Asked",
            f"{_day(decision['request']['opened_at'])}, to be decided before {_day(decision['request']['expires_at'])}",
        ),
        _fact("Under the school's rules", facts["policy"]),
        *_said("The name as it was typed", words["typed_name"]),
        *_said("The statement", words["statement"]),
    ]
    for answer in words["answers"] or []:
        body += _said(f"Answer to finding {answer['id']} ({answer['rule']})", answer["sentence"])
    for mark in words["marks"] or []:
        body += _said(f"Change asked for at {mark['where']}", mark["words"])
    if decision["withdrawal"]:
        body += [_fact("Withdrawn", _day(decision["withdrawal"]["at"]))]
        body += _said("Why it was withdrawn", decision["withdrawal"]["reason"])
    return _section("What was decided", *body)


def _signed(decision: Mapping[str, Any]) -> str:
    return ", which signed exactly this content" if decision["assertion"] else ""


def _public(told: Told, pictures: Mapping[str, bytes]) -> list[Flowable]:
    content = told.content
    where = ", ".join(
        f"{label_of(channel.kind)} ({name}, account {channel.remote_id})"
        for channel, name in zip(content.channels, told.channels, strict=True)
    )
    body: list[Flowable] = [
        _fact("Where", where),
        _fact("When", f"{when(content.due)}, or within {content.window_minutes} minutes after it"),
        *_said("The words", content.text),
    ]
    for channel, name in zip(content.channels, told.channels, strict=True):
        if (own := content.text_for(channel.account_id)) != content.text:
            body += _said(f"The words for {label_of(channel.kind)} ({name}) alone", own)
    for number, photo in enumerate(content.photos, start=1):
        data = pictures.get(f"images/{photo.sha256}.jpg")
        shown: list[Flowable] = [_picture(data)] if data else []
        caption = f"Picture {number} of {len(content.photos)}" + ("" if data else ": its file is lost")
        body += [
            KeepTogether([Spacer(1, 4), *shown, Paragraph(markup(caption), _SMALL)]),
            Paragraph(f"Description: {markup(photo.alt) or '(none)'}", _TEXT),
            Paragraph(photo.sha256, _CODE),
        ]
    return _section("What it was about", *body)


def _picture(data: bytes) -> Image:
    image = Image(io.BytesIO(data))
    scale = min(_WIDE / image.imageWidth, _HIGH / image.imageHeight)
    image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
    image.hAlign = "LEFT"
    return image


def _published(told: Told) -> list[Flowable]:
    body: list[Flowable] = []
    for one in told.parts["attempts.json"]["publications"]:
        name = f"{label_of(one['account']['kind'])} ({one['account']['name']})"
        if one["published_at"]:
            body += [_fact(name, f"published {_day(one['published_at'])} as {one['remote_id']}")]
            body += [Paragraph(markup(one["permalink"]), _CODE)] if one["permalink"] else []
        else:
            body += [_fact(name, f"not published; it stands at “{one['state'].replace('_', ' ')}”")]
        tries = [f"{_day(a['started_at'])}: {a['outcome'] or 'no answer yet'}" for a in one["attempts"]]
        body += [Paragraph(markup(f"Attempts: {'; '.join(tries)}"), _SMALL)] if tries else []
    return _section("Where it was published", *(body or [Paragraph("Nothing of this version was published.", _TEXT)]))


def _found(told: Told) -> list[Flowable]:
    body: list[Flowable] = []
    for finding in told.parts["findings.json"]["findings"]:
        place = finding["field"].replace(":", " ")
        weight = _SEVERITIES.get(finding["severity"], finding["severity"])
        body += [
            _fact(f"Finding {finding['id']}, {weight} (policy {finding['clause']})", f"{finding['rule']}, in {place}")
        ]
        body += [Paragraph(markup(f"“{finding['quote']}” {finding['message']}".replace("“” ", "")), _TEXT)]
        body += _said("The author's reason", finding["reason"]) if finding["reason"] else []
    return _section("What the checks found", *(body or [Paragraph("Nothing.", _TEXT)]))


def _consents(told: Told) -> list[Flowable]:
    part, names = told.parts.get("consents.json"), told.parts.get("names.json")
    if part is None:
        return _section("Who is in the pictures", Paragraph("Left out of this copy.", _TEXT))
    known = {(one["photo"], one["face"]): one for one in (names or {}).get("people", ())}
    body: list[Flowable] = []
    for photo in part["photos"]:
        if not photo["known"]:
            body += [
                _fact(
                    f"Picture {photo['photo']}", "the post has other pictures now; nothing is told of this one's faces"
                )
            ]
        for face in photo["faces"]:
            who = known.get((photo["photo"], face["face"]), {})
            name = who.get("pupil") or who.get("words") or ""
            told_as = _FACES.get(face["is"], face["is"]) + (f": {name}" if name else "")
            body += [_fact(f"Picture {photo['photo']}, face {face['face']}", told_as)]
            body += [Paragraph(markup(line), _SMALL) for line in _permissions(face["permissions"])]
    return _section("Who is in the pictures", *(body or [Paragraph("No face.", _TEXT)]))


def _permissions(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        basis = f", {row['basis'].replace('_', ' ')}, given {row['given_on']}" if row["row"] else ""
        yield f"{label_of(row['channel'])}, at the {row['at'].split()[0]}: {row['answer']} (register row {row['row'] or 'none'}{basis})"


def _proof(told: Told) -> list[Flowable]:
    decision, ledger = told.decision, told.ledger
    keys = "".join(f"<br/>key {key['key']}, named in entry {key['ledger_seq']}" for key in ledger.keys)
    body: list[Flowable] = [
        Paragraph("Digest of the content:", _TEXT),
        Paragraph(decision["digest"], _CODE),
        _fact(
            "In the ledger",
            f"the question is entry {decision['request']['opened_seq']}, the decision entry {decision['ledger_seq']}",
        ),
        Paragraph(f"Newest entry when this was made: {ledger.head}", _TEXT),
        Paragraph(ledger.head_hash + keys, _CODE),
        Paragraph(
            "How to check it: on any computer with Python and the package “cryptography”, run <b>python3 verify.py</b> in "
            "the folder of this page. Compare the key and a hash of the ledger with an e-mail or a receipt that the "
            "school did not keep itself: <b>--key</b> and <b>--anchor</b>. This page is to be read; the files beside it "
            "are what is checked.",
            _TEXT,
        ),
    ]
    return _section("How it can be proved", *body)


def _day(moment: str) -> str:
    return when(datetime.fromisoformat(moment))
