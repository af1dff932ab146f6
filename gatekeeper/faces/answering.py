"""What a child of the face service can do: find faces and, once asked for, turn them into numbers."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.match import encode


class FaceEngine:
    """Holds the loaded detectors. The encoder's models, 170 MB of memory, are loaded when it is first asked."""

    def __init__(self, threads: int) -> None:
        cv2.setNumThreads(threads)
        self._finder = FaceFinder.load()
        self._finder.detect(np.full((96, 96, 3), 127, np.uint8))  # the first run of a model is slow: before the clock

    def answer(self, operation: str, pixels: Pixels, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`detect` answers with faces, `encode` with numbers for each of the boxes it was given.

        Raises:
            NotScanned: it could not look, or does not know what was meant.
        """
        if operation == "detect":
            faces = self._finder.detect(pixels)
            return {"faces": [[*face.box.as_list(), face.score, face.detector] for face in faces]}
        if operation == "encode":
            encodings = encode(pixels, [Box(*map(float, corners)) for corners in parameters["boxes"]])
            return {"encodings": [None if numbers is None else numbers.tolist() for numbers in encodings]}
        raise NotScanned("The face scan was asked for something it cannot do.")
