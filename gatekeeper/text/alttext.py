"""Tells a description of a picture from the words that stand in for one."""

import re

from gatekeeper.text.fold import fold_word

_FILLER = frozenset(
    [
        "image",
        "images",
        "img",
        "photo",
        "photos",
        "photograph",
        "picture",
        "pictures",
        "pic",
        "pics",
        "alt",
        "text",
        "description",
        "describe",
        "tbc",
        "tbd",
        "todo",
        "none",
        "null",
        "na",
        "n",
        "a",
        "an",
        "the",
        "of",
        "here",
        "untitled",
        "unnamed",
        "screenshot",
        "screen",
        "shot",
        "graphic",
        "file",
        "jpg",
        "jpeg",
        "png",
        "heic",
        "webp",
        "gif",
        "scan",
        "dsc",
        "dscn",
        "dscf",
        "new",
        "my",
        "our",
        "this",
        "is",
        "add",
        "insert",
        "placeholder",
        "attachment",
        "upload",
        "undefined",
        "blank",
        "empty",
        "test",
        "temp",
        "final",
        "copy",
        "media",
        "figure",
        "fig",
        "icon",
        "see",
        "above",
        "below",
        "no",
        "wa",
        "whatsapp",
        "pxl",
        "mvimg",
        "snapchat",
        "edited",
        "caption",
    ]
)
_FILE = re.compile(r"[\w\-() .]{1,120}\.(?:jpe?g|png|gif|heic|heif|webp|bmp|tiff?|svg|avif)")
_WORD = re.compile(r"[^\W\d_]+")


def is_missing(alt: str, file: str) -> bool:
    """Whether this alternative text says nothing about the picture."""
    plain = fold_word(alt).strip()
    if not plain or _FILE.fullmatch(plain) or plain == fold_word(file).strip():
        return True
    stem = fold_word(file).rsplit(".", 1)[0].strip()
    if plain == stem and not re.search(r"\w \w", plain):
        return True
    words = _WORD.findall(plain)
    return all(word in _FILLER for word in words)
