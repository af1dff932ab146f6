"""Logos that nobody owns, drawn by code, and a way to put one into a picture as a camera would see it."""

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
_NAVY, _CREAM, _GREEN, _RED, _GOLD, _WHITE = (
    (24, 62, 110),
    (245, 240, 225),
    (40, 120, 60),
    (150, 20, 40),
    (250, 210, 70),
    "white",
)


def crest() -> Image.Image:
    """A shield with a tree and two letters."""
    picture, draw = _sheet(600, 600)
    draw.polygon([(60, 40), (540, 40), (540, 330), (470, 450), (300, 570), (130, 450), (60, 330)], fill=_NAVY)
    draw.polygon([(90, 70), (510, 70), (510, 320), (450, 430), (300, 530), (150, 430), (90, 320)], fill=_CREAM)
    draw.rectangle((280, 230, 320, 420), fill=(90, 60, 30))
    for x, y, size in ((300, 180, 80), (230, 230, 60), (370, 230, 60)):
        draw.ellipse((x - size, y - size, x + size, y + size), fill=_GREEN)
    _letters(draw, 300, 460, "QB", 70, _NAVY)
    return picture


def roundel() -> Image.Image:
    """Two rings around a star."""
    picture, draw = _sheet(600, 600)
    for size, colour in ((290, _RED), (230, _WHITE), (190, _RED)):
        draw.ellipse((300 - size, 300 - size, 300 + size, 300 + size), fill=colour)
    turns = [(-math.pi / 2 + step * math.pi / 5, 170 if step % 2 == 0 else 71) for step in range(10)]
    draw.polygon([(300 + size * math.cos(turn), 300 + size * math.sin(turn)) for turn, size in turns], fill=_GOLD)
    return picture


def tiles() -> Image.Image:
    """Four coloured tiles with a letter each."""
    picture, draw = _sheet(600, 600)
    colours = ((230, 60, 50), (60, 130, 220), (250, 190, 40), (50, 160, 90))
    for number, letter in enumerate("ABRK"):
        x, y = 20 + 290 * (number % 2), 20 + 290 * (number // 2)
        draw.rounded_rectangle((x, y, x + 270, y + 270), 40, fill=colours[number])
        _letters(draw, x + 135, y + 135, letter, 200, _WHITE)
    return picture


def owl() -> Image.Image:
    """An owl with feathers drawn in lines."""
    picture, draw = _sheet(500, 600)
    draw.ellipse((40, 60, 460, 580), fill=(80, 60, 110))
    for x in (160, 340):
        draw.ellipse((x - 90, 120, x + 90, 300), fill=_WHITE)
        draw.ellipse((x - 45, 165, x + 45, 255), fill=(20, 20, 20))
    draw.polygon([(220, 270), (280, 270), (250, 340)], fill=(240, 160, 40))
    for row in range(3):
        for column in range(4):
            left, top = 110 + 70 * column, 350 + 60 * row
            draw.arc((left, top, left + 70, top + 80), 0, 180, fill=(230, 220, 240), width=12)
    return picture


def stripes() -> Image.Image:
    """A maker's name under three stripes, with nothing between them: the hardest of all to find."""
    picture, draw = _sheet(800, 520)
    for number in range(3):
        left, top = 120 + 190 * number, 280 - 110 * number
        draw.polygon([(left, 400), (left + 110, 400), (left + 260, top), (left + 180, top)], fill=(15, 15, 15))
    _letters(draw, 400, 450, "STRIDO", 100, (15, 15, 15))
    return picture


LOGOS: Final[dict[str, Callable[[], Image.Image]]] = {
    "crest": crest, "roundel": roundel, "tiles": tiles, "owl": owl, "stripes": stripes,
}  # fmt: skip


def as_registered(logo: Image.Image) -> Pixels:
    """The logo on white with a little space around it, as a school would hand it in."""
    sheet = Image.new("RGB", (logo.width + 60, logo.height + 60), "white")
    sheet.paste(logo, (30, 30), logo)
    return np.asarray(sheet)


def put_in(
    picture: Pixels,
    logo: Image.Image,
    *,
    size: int,
    at: tuple[float, float],
    turn: float = 0.0,
    slant: float = 0.0,
    blur: float = 0.6,
    light: float = 1.0,
) -> tuple[Pixels, tuple[float, float, float, float]]:
    """The picture with the logo in it, `size` pixels long and without its white ground, and the box around it.

    Args:
        turn: degrees.
        slant: how far the corners are out of place, as a part of the size.
        light: how much of its brightness is left.
    """
    layer = np.asarray(logo).astype(np.float32)
    height, width = layer.shape[:2]
    scale = size / max(height, width)
    share = min(1.0, 2 * scale)
    layer = cv2.resize(layer, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    layer[..., :3] *= layer[..., 3:] / 255
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2 * scale
    corners += np.array([[1, 0.3], [-0.4, 1], [0.2, -1], [-1, -0.2]]) * slant * size
    angle = math.radians(turn)
    corners = corners @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) + at
    there = layer.shape[1], layer.shape[0]
    source = np.array([[0, 0], [there[0], 0], [there[0], there[1]], [0, there[1]]], np.float32)
    onto = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    laid = cv2.warpPerspective(layer, onto, (picture.shape[1], picture.shape[0]), flags=cv2.INTER_AREA)
    laid = cv2.GaussianBlur(laid, (0, 0), blur)
    seen = picture * (1 - laid[..., 3:] / 255) + laid[..., :3] * light
    box = (*corners.min(0).tolist(), *corners.max(0).tolist())
    return np.clip(seen, 0, 255).astype(np.uint8), (box[0], box[1], box[2], box[3])


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    return picture, ImageDraw.Draw(picture)


def _letters(  # noqa: PLR0917 - where, what and how, as Pillow has them
    draw: ImageDraw.ImageDraw, x: int, y: int, words: str, size: int, fill: object
) -> None:
    font = ImageFont.load_default(size)
    draw.text((x - draw.textlength(words, font) / 2, y - size * 0.6), words, font=font, fill=fill)
