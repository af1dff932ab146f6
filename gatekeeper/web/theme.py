"""The school's own colour as a style sheet, with letters on it that can be read."""

import re
from typing import Final

_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT: Final = "#1f5f8b"
READABLE: Final = 4.5  # WCAG 2.2 AA for text
_WHITE, _INK = "#ffffff", "#14202b"
_PAPER_LIGHT, _PAPER_DARK = "#f6f5f1", "#1d262f"


def is_colour(text: str) -> bool:
    """Whether this is a colour as a browser's colour field writes it."""
    return bool(_HEX.fullmatch(text))


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)  # noqa: PLR2004 - WCAG's own numbers
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _mixed(colour: str, other: str, share: float) -> str:
    def part(i: int) -> int:
        return round(int(colour[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share)

    return "#" + "".join(f"{part(i):02x}" for i in (1, 3, 5))


def readable_on(colour: str, paper: str, *, towards: str) -> str:
    """The school's colour, moved only as far as it must be until it can be read on the paper."""
    for step in range(21):
        moved = _mixed(colour, towards, step / 20)
        if contrast(moved, paper) >= READABLE:
            return moved
    return towards


def letters_on(colour: str) -> str:
    """White or ink, whichever reads better on the colour; black on the few greys where neither does."""
    better = max((_WHITE, _INK), key=lambda letters: contrast(letters, colour))
    return better if contrast(better, colour) >= READABLE else "#000000"


def style_sheet(colour: str) -> str:
    """The rules that put the school's colour on every page, by day and by night."""
    chosen = colour if is_colour(colour) else DEFAULT
    day = readable_on(chosen, _PAPER_LIGHT, towards="#000000")
    night = readable_on(chosen, _PAPER_DARK, towards="#ffffff")
    return (
        f":root{{--school:{chosen};--on-school:{letters_on(chosen)};"
        f"--accent:{day};--on-accent:{letters_on(day)};--accent-deep:{_mixed(day, '#000000', 0.18)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{night};--on-accent:{letters_on(night)};"
        f"--accent-deep:{_mixed(night, '#ffffff', 0.18)}}}}}\n"
    )
