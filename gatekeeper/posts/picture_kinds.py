"""Says what a file is by its first bytes, never by its name, and refuses what is not a wanted picture.

Only the beginning of the file is compared with known signatures, nothing is parsed, so this is safe to do in the web
process. What passes here is still opened by the limited child alone.
"""

import re
from enum import StrEnum
from typing import Final

from gatekeeper.posts.picture_errors import MAX_FILE_BYTES, PictureRefused, refusal


class Kind(StrEnum):
    """The kinds of picture that are taken in."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


_ASK = "Please save it as a JPEG or PNG picture."
_VIDEO = "This is a video. Only still pictures can be posted; please choose a photo instead."
_SOUND = "This is a sound recording. Please choose a photo instead."
_OFFICE = f"This is a document or a zip folder, not a picture. Please take the picture out of it. {_ASK}"
_POSTSCRIPT = f"This is a print file (PostScript). {_ASK}"
_TIFF = f"This is a TIFF or raw camera file. {_ASK}"
_PROGRAM = "This is a program, not a picture."
_SVG = f"This is a drawing file (SVG). {_ASK}"
_PAGE = "This is a web page, not a picture. Please save the picture itself and choose that."

# Signature at the very beginning -> what to tell the person.
_UNWANTED: Final = (
    (b"GIF8", f"This is a GIF file, which may move. Please save one still picture. {_ASK}"),
    (b"%!PS", _POSTSCRIPT),
    (b"\x04%!PS", _POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", _POSTSCRIPT),
    (b"II*\x00", _TIFF),
    (b"MM\x00*", _TIFF),
    (b"II+\x00", _TIFF),
    (b"MM\x00+", _TIFF),
    (b"FUJIFILMCCD-RAW", _TIFF),
    (b"8BPS", f"This is a Photoshop file. {_ASK}"),
    (b"BM", f"This is a bitmap file (BMP). {_ASK}"),
    (b"\x00\x00\x01\x00", f"This is an icon file. {_ASK}"),
    (b"\x00\x00\x02\x00", f"This is a cursor file. {_ASK}"),
    (b"\x00\x00\x00\x0cjP  ", f"This is a JPEG 2000 file. {_ASK}"),
    (b"\xff\x4f\xff\x51", f"This is a JPEG 2000 file. {_ASK}"),
    (b"\x00\x00\x00\x0cJXL ", f"This is a JPEG XL file. {_ASK}"),
    (b"\xff\x0a", f"This is a JPEG XL file. {_ASK}"),
    (b"PK\x03\x04", _OFFICE),
    (b"PK\x05\x06", _OFFICE),
    (b"\xd0\xcf\x11\xe0", _OFFICE),
    (b"{\\rtf", _OFFICE),
    (b"Rar!", _OFFICE),
    (b"7z\xbc\xaf", _OFFICE),
    (b"\x1f\x8b", f"This is a compressed file, perhaps a drawing (SVGZ). {_ASK}"),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
    (b"\x00\x00\x01\xba", _VIDEO),
    (b"\x00\x00\x01\xb3", _VIDEO),
    (b"FLV\x01", _VIDEO),
    (b"\x30\x26\xb2\x75", _VIDEO),
    (b"ID3", _SOUND),
    (b"OggS", _SOUND),
    (b"fLaC", _SOUND),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"#!", _PROGRAM),
)
_RIFF: Final = {b"AVI ": _VIDEO, b"WAVE": _SOUND}

# Brands of the ISO container that hold one still HEIC picture; the rest of the family is told apart below.
_HEIC_STILL: Final = {b"heic", b"heix", b"heim", b"heis"}
_HEIC_FRAME: Final = {b"mif1"}
_HEIC_SEQUENCE: Final = {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}
_AVIF: Final = {b"avif", b"avis"}
_AUDIO: Final = {b"M4A ", b"M4B "}
_ISO_BOXES: Final = {b"moov", b"mdat", b"free", b"wide", b"skip"}

_DRAWING = re.compile(rb"<(\w+:)?svg[\s>/]", re.IGNORECASE)
_MARKUP = re.compile(rb"<(\?xml|!--|!doctype|html|head|body|script|(\w+:)?svg)", re.IGNORECASE)


def identify(data: bytes) -> Kind:
    """The kind of picture these bytes begin as.

    Raises:
        PictureRefused: empty, too large, or not a JPEG, PNG, WebP or HEIC picture.
    """
    if not data:
        raise refusal("empty")
    if len(data) > MAX_FILE_BYTES:
        raise refusal("too-large")
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    if data[4:8] == b"ftyp":
        return _iso_kind(data)
    raise PictureRefused(_sentence_for(data))


def _iso_kind(data: bytes) -> Kind:
    """Tell HEIC from AVIF, video and sound: they share one container and differ in their brands."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    major = data[8:12]
    brands = {major, *(data[at : at + 4] for at in range(16, length - 3, 4))}
    if major in _AVIF or (major in _HEIC_FRAME and brands & _AVIF):
        raise PictureRefused(f"This is an AVIF file. {_ASK}")
    if major in _HEIC_SEQUENCE:
        raise refusal("animated")
    if major in _HEIC_STILL or (major in _HEIC_FRAME and brands & _HEIC_STILL):
        return Kind.HEIC
    if major in _HEIC_FRAME:
        raise PictureRefused(f"This is a picture of a rare kind. {_ASK}")
    raise PictureRefused(_SOUND if major in _AUDIO else _VIDEO)


def _sentence_for(data: bytes) -> str:
    for signature, sentence in _UNWANTED:
        if data.startswith(signature):
            return sentence
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if data[4:8] in _ISO_BOXES:
        return _VIDEO
    return _sentence_for_text(data)


def _sentence_for_text(data: bytes) -> str:
    head = data[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # UTF-16 reads as ASCII then
    if b"%PDF-" in head[:1024]:
        return f"This is a PDF document. {_ASK}"
    if b"%!PS" in head[:1024]:
        return _POSTSCRIPT
    if _MARKUP.match(head):
        return _SVG if _DRAWING.search(head) else _PAGE
    if _reads_as_text(data[:4096]):
        return "This is a text file, not a picture. Please choose a photo."
    return f"This is not a picture we can open. {_ASK}"


def _reads_as_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 4:  # a letter cut in two at the end of what was looked at is still text
            return False
        text = head[: problem.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\t\r\n\f" for letter in text)
