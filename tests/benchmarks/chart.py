"""Draws shares with their intervals as bars in an SVG that says in words what it shows."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ("#b4530a", "#1f5f8b")  # told apart by every kind of sight, and 4.5 : 1 against the white
_INK, _PALE, _LINE = "#1d2430", "#4a5463", "#d5dae1"
_WIDE, _LEFT, _TOP, _BAR, _STEP = 640, 150, 70, 16, 22
_WIDTH = 400


def bars(
    title: str,
    description: str,
    *,
    heading: str,
    kinds: Sequence[str],
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    """One group of bars a row, one bar for each kind; the thin line is the interval.

    The picture brings its own white ground, so it reads the same on a light and on a dark page.

    Args:
        title: what a screen reader says first.
        description: the figures in a sentence.
        heading: the line above the bars.
        kinds: what each bar of a row stands for.
        rows: what stands left of a group, and its shares as `intervals.share` gives them.
    """
    group = _STEP * len(kinds) + 18
    height = _TOP + group * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" role="img" aria-labelledby="t d" font-family="sans-serif">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(description)}</desc>',
        f'<rect x="0.5" y="0.5" width="{_WIDE - 1}" height="{height - 1}" rx="6" fill="#fff" stroke="{_LINE}"/>',
        _text(20, 26, heading, size=15, bold=True),
    ]
    for number, words in enumerate(kinds):
        x = 20 + 250 * number
        parts.append(f'<rect x="{x}" y="40" width="12" height="12" fill="{COLOURS[number]}"/>')
        parts.append(_text(x + 18, 50, words, size=12))
    for tick in (0, 25, 50, 75, 100):
        x = _LEFT + _WIDTH * tick / 100
        parts.append(f'<path d="M{x:.0f} {_TOP - 6}V{height - 26}" stroke="{_LINE}"/>')
        parts.append(_text(x, height - 10, f"{tick} %", size=11, anchor="middle", fill=_PALE))
    for number, (label, shares) in enumerate(rows.items()):
        y = _TOP + group * number
        parts.append(_text(_LEFT - 10, y + 4 + _STEP * len(kinds) / 2, label, size=12, anchor="end"))
        for line, one in enumerate(shares):
            parts += _bar(one, y + 4 + _STEP * line, COLOURS[line])
    return "\n".join([*parts, "</svg>\n"])


def _bar(one: Mapping[str, Any], y: float, colour: str) -> list[str]:
    end, low, high = (_LEFT + _WIDTH * one[part] for part in ("share", "low", "high"))
    return [
        f'<rect x="{_LEFT}" y="{y}" width="{max(end - _LEFT, 1):.1f}" height="{_BAR}" fill="{colour}"/>',
        f'<path d="M{low:.1f} {y + 8}H{high:.1f}" stroke="#fff" stroke-width="4"/>',
        f'<path d="M{low:.1f} {y + 8}H{high:.1f}" stroke="{_INK}" stroke-width="1.5"/>',
        _text(max(end, high) + 6, y + 12, f"{100 * one['share']:.1f} %", size=11),
    ]


def _text(
    x: float, y: float, words: str, *, size: int, anchor: str = "start", bold: bool = False, fill: str = _INK
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{weight} text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
