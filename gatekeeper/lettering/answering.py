"""What a child of the reading service can do: read the letters and the codes of a picture."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.read import LetterReader
from gatekeeper.sandbox.wire import Pixels


class LetterEngine:
    """Holds the loaded networks."""

    def __init__(self, threads: int) -> None:
        self._reader = LetterReader.load(threads=threads)
        self._reader.read(np.full((96, 96, 3), 127, np.uint8))  # the first run of a model is slow: before the clock

    def answer(self, operation: str, pixels: Pixels, _parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`read` answers with lines and codes.

        Raises:
            NotScanned: it could not look, or does not know what was meant.
        """
        if operation != "read":
            raise NotScanned("The reader of letters was asked for something it cannot do.")
        reading = self._reader.read(pixels)
        return {
            "lines": [[*line.box, line.text, line.score] for line in reading.lines],
            "codes": [[*code.box, code.text, code.kind] for code in reading.codes],
        }
