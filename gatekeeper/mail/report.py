"""Reads a delivery status notification (RFC 3464): which e-mail it is about, and whether it was delivered.

Anybody can send one, so it is read with suspicion: only so much of it, one level deep, in time that grows with its
length and no faster, and without keeping a word that a stranger wrote. All that comes out of it is one of four answers,
a status number, and message ids to look up among our own.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from enum import StrEnum
from typing import Final

from gatekeeper.errors import GatekeeperError

LARGEST: Final = 1024 * 1024
_LONGEST_LINE: Final = 8_000
_LONGEST_HEADER: Final = 1_000
_MOST_HEADER_LINES: Final = 1_000
_MOST_PARTS: Final = 20
_MOST_IDS: Final = 20

_BOUNDARY = re.compile(r"""(?i)boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""")
_ID = re.compile(r"<[^<>\s@]{1,120}@[^<>\s@]{1,120}>")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


class NotAReport(GatekeeperError):
    """It cannot be read as a report about one of our e-mails. The sentence says what is missing."""


class Fate(StrEnum):
    """What became of an e-mail, as its report says."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report.

    Attributes:
        fate: the worst that it says of any recipient.
        status: such as "5.1.1", or empty.
        message_ids: the original's own id first, then others that it is linked with.
    """

    fate: Fate
    status: str
    message_ids: tuple[str, ...]


_WORST_FIRST = (Fate.FAILED, Fate.DELAYED, Fate.DELIVERED)
_FATES = {"failed": Fate.FAILED, "delayed": Fate.DELAYED}  # delivered, relayed and expanded are as good as delivered


def read_report(data: bytes) -> Report:
    """What a report says.

    Raises:
        NotAReport: it is none, or none that can be read.
    """
    if len(data) > LARGEST:
        raise NotAReport("This is too large to be a report about an e-mail of ours.")
    if any(len(line) > _LONGEST_LINE for line in data.split(b"\n")):
        raise NotAReport("This is no e-mail: its lines are too long.")
    head, body = _split(data)
    kind = _header(head, "Content-Type")
    if not kind.lower().startswith("multipart/report"):
        raise NotAReport("This is no delivery report: mail servers send those as multipart/report.")
    boundary = _BOUNDARY.search(kind)
    if boundary is None:
        raise NotAReport("This delivery report is broken: it does not say where its parts end.")
    groups: list[Message] = []
    ids = list[str]()
    for part, content in _parts(body, (boundary.group(1) or boundary.group(2)).encode("ascii", "replace")):
        kind = _header(part, "Content-Type").partition(";")[0].strip().lower()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            groups += _groups(_decoded(part, content))
        elif kind in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            original, _ = _split(_decoded(part, content))
            ids = [*_ids(original, "Message-ID"), *ids]
    if not groups:
        raise NotAReport("This is no delivery report: it does not say what became of the e-mail.")
    ids += _ids(head, "In-Reply-To") + _ids(head, "References")
    if not ids:
        raise NotAReport("This delivery report does not say which e-mail it is about.")
    fate, status = _worst(groups)
    return Report(fate=fate, status=status, message_ids=tuple(dict.fromkeys(ids[:_MOST_IDS])))


def _split(data: bytes) -> tuple[Message, bytes]:
    """The headers, and what follows them."""
    data = data.replace(b"\r\n", b"\n").lstrip(b"\n")
    if data.startswith(b"From "):  # the line that a mailbox file puts before each message
        data = data.partition(b"\n")[2]
    head, _, body = data.partition(b"\n\n")
    if head.count(b"\n") > _MOST_HEADER_LINES:
        raise NotAReport("This is no e-mail that can be read: it has too many headers.")
    return BytesHeaderParser().parsebytes(head + b"\n\n"), body


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[Message, bytes]]:
    """The parts one level down; what is nested in them is not looked into."""
    marker, part, found = b"--" + boundary, list[bytes](), 0
    inside = False
    for line in [*body.replace(b"\r\n", b"\n").split(b"\n"), marker + b"--"]:
        bare = line.rstrip(b" \t")
        if bare not in (marker, marker + b"--"):
            part.append(line)
            continue
        if inside:
            found += 1
            if found > _MOST_PARTS:
                raise NotAReport("This delivery report has too many parts.")
            yield _part(part)
        inside, part = bare == marker, []


def _part(lines: list[bytes]) -> tuple[Message, bytes]:
    if lines and not lines[0].strip():  # a part without headers of its own
        return Message(), b"\n".join(lines)
    return _split(b"\n".join(lines))


def _groups(content: bytes) -> list[Message]:
    """The fields of a delivery status: of the message first, then of each recipient."""
    blocks = re.split(rb"\n[ \t]*\n", content.replace(b"\r\n", b"\n").strip())
    found = [_split(block + b"\n\n")[0] for block in blocks[:_MOST_IDS]]
    return [group for group in found if group.get("Action")]


def _worst(groups: list[Message]) -> tuple[Fate, str]:
    said = []
    for group in groups:
        fate = _FATES.get(_header(group, "Action").strip().lower(), Fate.DELIVERED)
        status = _STATUS.search(_header(group, "Status"))
        said.append((_WORST_FIRST.index(fate), status.group(0) if status else ""))
    place, status_words = min(said, key=lambda one: one[0])
    return _WORST_FIRST[place], status_words


def _header(message: Message, name: str) -> str:
    value = str(message.get(name, ""))
    return re.sub(r"\s+", " ", value[:_LONGEST_HEADER])


def _ids(message: Message, name: str) -> list[str]:
    return _ID.findall(_header(message, name))


def _decoded(part: Message, content: bytes) -> bytes:
    """What is sent as it is, in most cases; some servers encode it all the same."""
    how = _header(part, "Content-Transfer-Encoding").strip().lower()
    if how == "quoted-printable":
        return quopri.decodestring(content)
    if how == "base64":
        try:
            return base64.b64decode(content)
        except binascii.Error:
            raise NotAReport("This delivery report is broken: a part of it cannot be decoded.") from None
    return content
