"""Draws the demo's sample photos: a poster and a flower bed. There is nobody in them."""

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

_Colour = tuple[int, int, int]


def draw_poster(path: Path) -> None:
    """A poster for the summer fair, with words on it."""
    width, height = 1200, 1600
    poster = Image.new("RGB", (width, height), (250, 240, 214))
    draw = ImageDraw.Draw(poster)
    for number in range(24):  # sunbeams
        turn = math.tau * number / 24
        points = [(600, 1250)] + [
            (600 + 2000 * math.cos(turn + side), 1250 + 2000 * math.sin(turn + side)) for side in (0.0, math.tau / 48)
        ]
        draw.polygon(points, fill=(255, 226, 150))
    draw.ellipse((330, 980, 870, 1520), fill=(246, 178, 60))
    for number, colour in enumerate([(206, 74, 84), (46, 125, 118), (233, 150, 60), (62, 96, 150)] * 3):  # bunting
        left = number * 105 - 20
        draw.polygon([(left, 60), (left + 90, 60), (left + 45, 170)], fill=colour)
    draw.line((0, 60, width, 60), fill=(90, 74, 58), width=6)
    for top, size, words in (
        (250, 150, "Summer Fair"),
        (460, 62, "Saturday 11 July, 11 to 3"),
        (560, 62, "on the school field"),
        (720, 52, "Cakes - Plants - Tombola - Brass band"),
        (1190, 74, "All welcome"),
    ):
        font = ImageFont.load_default(size)
        draw.text(((width - draw.textlength(words, font)) / 2, top), words, font=font, fill=(58, 48, 40))
    poster.save(path)


def draw_flower_bed(path: Path) -> None:
    """A bed of flowers under a summer sky."""
    dice = random.Random(7)  # noqa: S311 - a picture, the same each time
    width, height, horizon = 1600, 1200, 520
    bed = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(bed)
    for y in range(height):
        draw.line(
            (0, y, width, y), fill=_sky(y / horizon) if y < horizon else _soil((y - horizon) / (height - horizon))
        )
    for _ in range(26):  # a hedge
        x, y, size = dice.randrange(width), horizon + dice.randrange(-50, 30), dice.randrange(70, 150)
        draw.ellipse((x - size, y - size // 2, x + size, y + size // 2), fill=(58, 104 + dice.randrange(30), 62))
    bed = bed.filter(ImageFilter.GaussianBlur(5))
    draw = ImageDraw.Draw(bed)
    for row in range(horizon + 80, height + 60, 34):
        near = (row - horizon) / (height - horizon)
        for _ in range(int(34 - 16 * near)):
            _flower(draw, dice, dice.randrange(width), row + dice.randrange(-20, 20), 8 + 30 * near)
    bed.save(path, quality=90)


def _sky(part: float) -> _Colour:
    return (int(120 + 90 * part), int(176 + 50 * part), int(226 + 18 * part))


def _soil(part: float) -> _Colour:
    return (int(74 + 30 * part), int(96 - 18 * part), int(52 - 8 * part))


def _flower(draw: ImageDraw.ImageDraw, dice: random.Random, x: int, y: int, size: float) -> None:
    draw.line((x, y, x + dice.randrange(-8, 8), y + size * 2.6), fill=(52, 112, 54), width=max(2, int(size / 7)))
    petal = dice.choice([(214, 62, 88), (250, 196, 60), (240, 240, 250), (146, 92, 178), (236, 128, 60)])
    # tulips seen from the side: a ring of petals around a dark middle is taken for a face now and then
    cup = [(-0.7, 0.2), (-0.75, -1.0), (-0.35, -0.5), (0, -1.15), (0.35, -0.5), (0.75, -1.0), (0.7, 0.2), (0, 0.75)]
    draw.polygon([(x + size * across, y + size * down) for across, down in cup], fill=petal)
