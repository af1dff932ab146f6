"""Draws what a school's photos show letters on: badges, certificates, pegs, screens, number plates and signs.

Every name is invented. The letters have capitals of a known height; what they stand on is turned, lit unevenly, a
little blurred and saved as a JPEG, as a telephone would.
"""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from gatekeeper.lettering.reading import Reading

FIRST: Final = (
    "Orla", "Idris", "Maisie", "Tobias", "Amara", "Kacper", "Ffion", "Zainab", "Rowan", "Beatrix", "Yusuf", "Niamh",
    "Theo", "Priya", "Callum", "Saoirse", "Elodie", "Jakub", "Harriet", "Dylan", "Imogen", "Kwame", "Lottie", "Arjun",
)  # fmt: skip
LAST: Final = (
    "Fenwick", "Okafor", "Marlowe", "Szymanski", "Pryce-Jones", "Hadley", "Rahman", "Thistlewood", "O'Keefe",
    "Varga", "Bramley", "Quill", "Ashdown", "Iqbal", "Merriweather", "Tregenza", "Nkosi", "Lindqvist",
)  # fmt: skip
KINDS: Final = ("badge", "certificate", "peg", "screen", "plate", "sign")
FONTS: Final = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansCondensed.ttf", "LiberationSans-Regular.ttf",
    "LiberationSerif-Italic.ttf", "LiberationSansNarrow-Bold.ttf", "LiberationSerif-Bold.ttf",
)  # fmt: skip
_PLACES: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
_CAPITALS: Final = 0.72  # of the size of a font, roughly, in all of them


@dataclass(frozen=True, slots=True)
class Drawn:
    """A photo and the names that can be read in it."""

    pixels: np.ndarray
    names: tuple[str, ...]


@cache
def _files() -> dict[str, Path]:
    return {path.name: path for place in _PLACES if place.is_dir() for path in sorted(place.rglob("*.ttf"))}


def font(name: str, capitals: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font whose capitals are about so many pixels high; Pillow's own where the named one is not installed."""
    size = capitals / _CAPITALS
    return ImageFont.truetype(_files()[name], size) if name in _files() else ImageFont.load_default(size)


def name(chance: random.Random) -> str:
    """An invented pupil."""
    return f"{chance.choice(FIRST)} {chance.choice(LAST)}"


def thing(kind: str, words: str, capitals: float, chance: random.Random) -> Image.Image:
    """One object with these words, its letters of this height, on a see-through ground."""
    face = font(chance.choice(FONTS), capitals)
    small = font("DejaVuSans.ttf", max(8.0, capitals * 0.6))
    x1, y1, x2, y2 = face.getbbox(words)
    wide, high = round(x2 - x1), round(y2 - y1)
    ground, ink, above, below, edge = {
        "badge": ((250, 250, 245), (20, 30, 90), "Hello, my name is", "Year 4", 1.2),
        "certificate": ((252, 246, 226), (70, 45, 20), "Certificate of Merit awarded to", "for kindness", 3.0),
        "peg": ((255, 226, 92), (30, 30, 30), "", "", 0.5),
        "screen": ((24, 40, 64), (235, 240, 245), "Good morning", "Welcome back", 2.0),
        "plate": ((245, 245, 240), (10, 10, 10), "", "", 0.6),
        "sign": ((22, 84, 48), (250, 250, 240), "", "Primary School", 1.4),
    }[kind]
    margin = round(capitals * edge) + 6
    row = round(capitals * 1.3)
    width = max(wide, *(round(small.getbbox(text)[2]) for text in (above, below))) + 2 * margin
    height = high + (row if above else 0) + (row if below else 0) + 2 * margin
    picture = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=min(margin, 12), fill=(*ground, 255), outline=ink)
    top = margin
    if above:
        draw.text(((width - small.getbbox(above)[2]) / 2, top), above, font=small, fill=ink)
        top += row
    draw.text(((width - wide) / 2 - x1, top - y1), words, font=face, fill=ink)
    if below:
        draw.text(((width - small.getbbox(below)[2]) / 2, top + high + row * 0.2), below, font=small, fill=ink)
    return picture


def photo(
    things: Sequence[Image.Image], angle: float, size: tuple[int, int], chance: random.Random, *, blur: float = 0.6
) -> np.ndarray:
    """A scene with these things, each turned by this angle, wherever there is room; raises when there is none."""
    width, height = size
    small = np.array([[chance.randrange(60, 200) for _ in range(12 * 3)] for _ in range(9)], np.uint8)
    scene = Image.fromarray(small.reshape(9, 12, 3)).resize(size, Image.Resampling.BICUBIC)
    taken: list[tuple[int, int, int, int]] = []
    for one in things:
        turned = one.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        for _ in range(400):
            left = chance.randrange(0, max(1, width - turned.width))
            top = chance.randrange(0, max(1, height - turned.height))
            box = (left, top, left + turned.width, top + turned.height)
            if all(box[2] < a or box[0] > c or box[3] < b or box[1] > d for a, b, c, d in taken):
                taken.append(box)
                scene.paste(turned, (left, top), turned)
                break
        else:
            raise ValueError("no room for this many things")
    noisy = np.asarray(scene.filter(ImageFilter.GaussianBlur(blur)), np.float32)
    light = np.linspace(0.75, 1.1, width, dtype=np.float32)[None, :, None]
    grain = np.random.default_rng(chance.randrange(1 << 30)).normal(0, 4, noisy.shape).astype(np.float32)
    lit = Image.fromarray(np.clip(noisy * light + grain, 0, 255).astype(np.uint8))
    stored = io.BytesIO()
    lit.save(stored, "JPEG", quality=85)
    with Image.open(stored) as again:
        return np.asarray(again.convert("RGB"))


def drawn(
    seed: int, *, angle: float, capitals: float, kinds: Sequence[str] = KINDS, size: tuple[int, int] = (1600, 1200)
) -> Drawn:
    """A photo with one thing of each kind."""
    chance = random.Random(f"{seed} {angle} {capitals}")
    names = tuple(name(chance) for _ in kinds)
    things = [thing(kind, words, capitals, chance) for kind, words in zip(kinds, names, strict=True)]
    return Drawn(photo(things, angle, size, chance), names)


def read_names(picture: Drawn, reading: Reading) -> set[str]:
    """The names that stand in one line of what was read, whatever its capitals, spaces and signs."""
    lines = [_bare(line.text) for line in reading.lines]
    return {words for words in picture.names if any(_bare(words) in line for line in lines)}


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
