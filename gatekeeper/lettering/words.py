"""Turns the picture of one line into its text: the recognition network of PP-OCRv6, kept to Latin letters."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.lettering.networks import Network
from gatekeeper.sandbox.wire import Pixels

HEIGHT: Final = 48
_LEAST_WIDTH: Final = 320
_MOST_WIDTH: Final = 2400
_BATCH: Final = 6
_BLANK: Final = 0
_LAST_LATIN: Final = 0x24F
_MORE_LATIN: Final = range(0x1E00, 0x1F00)
_SIGNS: Final = frozenset("‘’“”–—…•€™")
#: printed without serifs, a large I and a small l look alike; no English word begins like "lqbal" or "lsla"
_L_FOR_I: Final = re.compile(r"\bl(?=[bcdfghjkmnpqrstvwxz])")


@dataclass(frozen=True, slots=True)
class Word:
    """A text and how sure the network is of it, 0 to 1."""

    text: str
    score: float


class Speller:
    """Reads lines that were cut out and lie level."""

    def __init__(self, network: Network) -> None:
        self._network = network
        letters = ["", *network.note("character").splitlines(), " "]
        self._kept = np.array([index for index, letter in enumerate(letters) if index == _BLANK or _is_latin(letter)])
        self._letters = [letters[index] for index in self._kept]

    def read(self, lines: Sequence[Pixels]) -> list[Word]:
        """The text of each line, in the order given."""
        words = [Word("", 0.0)] * len(lines)
        level = [_level(line) for line in lines]
        by_width = sorted(range(len(lines)), key=lambda index: level[index].shape[1])
        for first in range(0, len(by_width), _BATCH):
            batch = by_width[first : first + _BATCH]
            width = max(_LEAST_WIDTH, *(level[index].shape[1] for index in batch))
            values = np.zeros((len(batch), 3, HEIGHT, width), np.float32)
            for place, index in enumerate(batch):
                line = level[index].transpose(2, 0, 1)[::-1].astype(np.float32)  # the network was taught blue first
                values[place, :, :, : line.shape[2]] = line / 127.5 - 1
            for index, chances in zip(batch, self._network.run(values), strict=True):
                words[index] = self._spelt(chances[:, self._kept])
        return words

    def _spelt(self, chances: NDArray[np.float32]) -> Word:
        best = chances.argmax(axis=1)
        kept = (best != _BLANK) & np.concatenate(([True], best[1:] != best[:-1]))
        if not kept.any():
            return Word("", 0.0)
        text = "".join(self._letters[index] for index in best[kept])
        return Word(_L_FOR_I.sub("I", " ".join(text.split())), float(chances.max(axis=1)[kept].mean()))


def _is_latin(letter: str) -> bool:
    return letter in _SIGNS or (len(letter) == 1 and (ord(letter) <= _LAST_LATIN or ord(letter) in _MORE_LATIN))


def _level(line: Pixels) -> Pixels:
    height, width = line.shape[:2]
    wanted = min(_MOST_WIDTH, max(1, math.ceil(HEIGHT * width / height)))
    how = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(line, (wanted, HEIGHT), interpolation=how), np.uint8)
