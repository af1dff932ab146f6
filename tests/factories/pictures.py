"""Draws pictures for the tests and builds the hostile corpus: every trick a file can play, made by code.

`CANARY` stands for a pupil's name hidden where no viewer shows it. It must never survive into what is published.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from gatekeeper.posts.picture_jpeg import segments

CANARY: Final = "Zebedee Quillfeather"
CORNERS: Final = (
    (200, 30, 30),
    (30, 160, 40),
    (40, 60, 200),
    (230, 200, 40),
)  # top left, top right, bottom left, right
DAMAGED: Final = "damaged or incomplete"
MOVES: Final = "moves: it holds more than one frame"
_TO_STORED: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Specimen:
    """A file and what must become of it: accepted clean, or refused with a sentence that says `sentence`."""

    name: str
    data: bytes
    sentence: str | None = None


def scene(width: int = 320, height: int = 240) -> Image.Image:
    """A drawn picture whose four corners differ, so that a wrong turn or flip shows."""
    picture = Image.new("RGB", (width, height), (180, 210, 235))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, height * 2 // 3, width, height), fill=(120, 170, 90))
    draw.ellipse((width * 0.4, height * 0.3, width * 0.6, height * 0.6), fill=(240, 190, 60))
    draw.line((0, 0, width, height), fill=(90, 60, 120), width=3)
    side, right, bottom = min(width, height) // 5, width - 1, height - 1
    for colour, (x, y) in zip(
        CORNERS, ((0, 0), (right - side, 0), (0, bottom - side), (right - side, bottom - side)), strict=True
    ):
        draw.rectangle((x, y, x + side, y + side), fill=colour)
    return picture


def noise(width: int, height: int) -> Image.Image:
    """A picture that compresses badly."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def heic(picture: Image.Image, **options: Any) -> bytes:
    """A HEIC file as a phone would send it."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.encode(picture.mode, picture.size, picture.tobytes(), buffer, **({"quality": 80} | options))
    return buffer.getvalue()


def exif(orientation: int = 1, **more: str) -> bytes:
    """An EXIF block with an orientation and texts."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = more.get("description", "")
    block[0x013B] = more.get("artist", "")
    return block.tobytes()


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera stores it that writes this orientation."""
    how = _TO_STORED[orientation]
    return picture if how is None else picture.transpose(how)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG put together by hand, so that its header can say what its rows do not."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def many_scans(picture: Image.Image, scans: int) -> bytes:
    """A progressive JPEG whose last pass is repeated until it has this many scans: small to send, endless to open."""
    data = saved(picture, "JPEG", progressive=True)
    parts = list(segments(data))
    last = max(index for index, part in enumerate(parts) if part.marker == 0xDA)
    before = parts[last - 1] if parts[last - 1].marker == 0xC4 else parts[last]
    once = data[before.at : parts[-1].at]
    have = sum(part.marker == 0xDA for part in parts)
    return data[: parts[-1].at] + once * (scans - have) + b"\xff\xd9"


def profile_naming(name: str) -> bytes:
    """A valid sRGB profile that carries a name in bytes no colour engine reads."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + name.encode())
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


def _frames() -> list[Image.Image]:
    return [Image.new("RGB", (64, 64), colour) for colour in CORNERS]


def _moving(kind: str) -> bytes:
    first, *others = _frames()
    return saved(first, kind, save_all=True, append_images=others, duration=100)


def _mpo() -> bytes:
    return saved(scene(), "MPO", save_all=True, append_images=[scene(160, 120)])


def _texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", CANARY)
    info.add_text("Comment", CANARY, zip=True)
    info.add_itxt("Title", CANARY)
    return info


def _hidden_under_transparency() -> Image.Image:
    picture = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((10, 40), CANARY, fill=(255, 0, 0, 0))
    return picture


def _cut_and_closed() -> bytes:
    data = saved(noise(320, 240), "JPEG")
    return data[: len(data) // 2].rstrip(b"\xff") + b"\xff\xd9"


def _accepted() -> Iterator[tuple[str, Callable[[], bytes]]]:
    named = exif(description=CANARY, artist=CANARY)
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>{CANARY}</dc:creator></x:xmpmeta>".encode()
    yield "plain JPEG", lambda: saved(scene(), "JPEG")
    yield "progressive JPEG", lambda: saved(scene(), "JPEG", progressive=True)
    yield "JPEG with restart marks", lambda: saved(scene(), "JPEG", restart_marker_rows=1)
    yield "JPEG naming a pupil in EXIF", lambda: saved(scene(), "JPEG", exif=named)
    yield "JPEG naming a pupil in XMP", lambda: saved(scene(), "JPEG", xmp=xmp)
    yield "JPEG naming a pupil in its comment", lambda: saved(scene(), "JPEG", comment=CANARY)
    yield "JPEG naming a pupil in its profile", lambda: saved(scene(), "JPEG", icc_profile=profile_naming(CANARY))
    yield "JPEG with a broken profile", lambda: saved(scene(), "JPEG", icc_profile=b"no profile " * 20)
    yield "JPEG with broken EXIF", lambda: saved(scene(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    yield "JPEG followed by a page", lambda: saved(scene(), "JPEG") + f"<html><script>{CANARY}</script>".encode()
    yield "JPEG followed by a zip", lambda: saved(scene(), "JPEG") + b"PK\x03\x04" + CANARY.encode()
    yield "JPEG of one grey", lambda: saved(Image.new("RGB", (320, 240), (128, 128, 128)), "JPEG")
    yield "grey JPEG", lambda: saved(scene().convert("L"), "JPEG")
    yield "CMYK JPEG", lambda: saved(scene().convert("CMYK"), "JPEG")
    yield (
        "grey JPEG with a colour profile",
        lambda: saved(scene().convert("L"), "JPEG", icc_profile=profile_naming("x")),
    )
    yield "JPEG of one pixel", lambda: saved(Image.new("RGB", (1, 1)), "JPEG")
    yield "MPO of a phone", _mpo
    yield "plain PNG", lambda: saved(scene(), "PNG")
    yield "PNG naming a pupil in its texts", lambda: saved(scene(), "PNG", pnginfo=_texts(), exif=named)
    yield "PNG followed by a page", lambda: saved(scene(), "PNG") + f"<script>{CANARY}</script>".encode()
    yield "PNG with a palette", lambda: saved(scene().convert("P"), "PNG")
    yield "PNG with one transparent colour", lambda: saved(scene().convert("P"), "PNG", transparency=3)
    yield "PNG in black and white", lambda: saved(scene().convert("1"), "PNG")
    yield "PNG with grey and alpha", lambda: saved(scene().convert("LA"), "PNG")
    yield "PNG with 16 bits of colour", lambda: png(8, 8, (b"\0" + b"\x80\x00" * 24) * 8, depth=16)
    yield "PNG with colours under full transparency", lambda: saved(_hidden_under_transparency(), "PNG")
    yield "WebP", lambda: saved(scene(), "WEBP", exif=named, xmp=xmp, icc_profile=profile_naming(CANARY))
    yield "lossless WebP with alpha", lambda: saved(_hidden_under_transparency(), "WEBP", lossless=True, exact=True)
    yield "HEIC naming a pupil, with a thumbnail", lambda: heic(scene(), exif=named, xmp=xmp, thumbnails=[64])
    yield "HEIC with alpha", lambda: heic(scene().convert("RGBA"))


def _refused() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    yield "empty file", "empty", lambda: b""
    yield "bomb in a PNG header", "64 megapixels", lambda: png(60000, 60000, b"\0" * 64)
    yield "PNG of 65 megapixels", "64 megapixels", lambda: png(65_000_000, 1, b"\0" * 64, depth=1, colour=0)
    yield "JPEG header of huge size", "64 megapixels", _huge_jpeg
    yield "JPEG of 4,000 scans", "too complex", lambda: many_scans(scene(64, 64), 4000)
    yield "JPEG cut off", DAMAGED, lambda: saved(noise(320, 240), "JPEG")[:9000]
    yield "JPEG cut off and closed", DAMAGED, _cut_and_closed
    yield "progressive JPEG after its first pass", DAMAGED, _first_pass_only
    yield "JPEG of a start mark", DAMAGED, lambda: b"\xff\xd8\xff\xe0"
    yield "JPEG with rubbish inside", DAMAGED, lambda: b"\xff\xd8\xff" + b"rubbish" * 999
    yield "PNG cut off", DAMAGED, lambda: saved(noise(320, 240), "PNG")[:40000]
    yield "PNG with half its rows", DAMAGED, lambda: png(100, 100, (b"\0" + b"\x90" * 300) * 50)
    yield "PNG of a signature", DAMAGED, lambda: b"\x89PNG\r\n\x1a\n"
    yield "WebP cut off", DAMAGED, lambda: saved(noise(320, 240), "WEBP")[:9000]
    yield "HEIC cut off", DAMAGED, lambda: heic(noise(320, 240))[:6000]
    yield "moving GIF", "GIF", lambda: _moving("GIF")
    yield "still GIF", "GIF", lambda: saved(scene(), "GIF")
    yield "moving PNG", MOVES, lambda: _moving("PNG")
    yield "moving WebP", MOVES, lambda: _moving("WEBP")
    yield "TIFF", "TIFF", lambda: saved(scene(), "TIFF")
    yield "BMP", "BMP", lambda: saved(scene(), "BMP")
    yield "AVIF", "AVIF", lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(99)
    yield "JPEG 2000", "JPEG 2000", lambda: b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(99)
    yield "drawing", "drawing file (SVG)", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"
    yield (
        "drawing with a preamble",
        "drawing file (SVG)",
        lambda: b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg/>",
    )
    yield "compressed drawing", "SVGZ", lambda: b"\x1f\x8b\x08" + bytes(50)
    yield "PDF", "PDF", lambda: b"%PDF-1.7\n" + bytes(99)
    yield "PostScript", "PostScript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    yield "EPS with a preview", "PostScript", lambda: b"\xc5\xd0\xd3\xc6" + bytes(99)
    yield "Photoshop file", "Photoshop", lambda: b"8BPS\x00\x01" + bytes(99)
    yield "Word document", "document or a zip", lambda: b"PK\x03\x04" + bytes(99)
    yield "old Word document", "document or a zip", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)
    yield "web page", "web page", lambda: b"<!DOCTYPE html><html><img src=x onerror=alert(1)>"
    yield "text", "text file", "Sports day — well done, everyone!".encode
    yield "program", "program", lambda: b"\x7fELF\x02\x01\x01" + bytes(99)
    yield "MP4 video", "video", lambda: b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(99)
    yield "QuickTime video", "video", lambda: b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(99)
    yield "AVI video", "video", lambda: b"RIFF\x99\0\0\0AVI LIST" + bytes(99)
    yield "HEIC sequence", MOVES, lambda: b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + bytes(99)
    yield "sound", "sound recording", lambda: b"ID3\x04" + bytes(99)
    yield "noise", "not a picture we can open", lambda: bytes(range(128, 256)) * 9


def _huge_jpeg() -> bytes:
    data = bytearray(saved(scene(), "JPEG"))
    frame = next(part for part in segments(bytes(data)) if part.marker == 0xC0)
    data[frame.at + 5 : frame.at + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def _first_pass_only() -> bytes:
    data = saved(noise(320, 240), "JPEG", progressive=True)
    second = [part for part in segments(data) if part.marker == 0xDA][1]
    return data[: second.at] + b"\xff\xd9"


def hostile_corpus() -> list[Specimen]:
    """Every specimen, accepted ones first."""
    accepted = [Specimen(name, build()) for name, build in _accepted()]
    return accepted + [Specimen(name, build(), sentence) for name, sentence, build in _refused()]
