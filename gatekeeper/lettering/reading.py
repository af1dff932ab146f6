"""What was read in one picture: plain values without behaviour."""

from dataclasses import dataclass

Region = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the picture that was read, y down


@dataclass(frozen=True, slots=True)
class Line:
    """One line of letters. `score` is how sure the engine is of them, 0 to 1."""

    box: Region
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Code:
    """One QR code or barcode and what it says."""

    box: Region
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything legible in one picture, from top to bottom."""

    lines: tuple[Line, ...] = ()
    codes: tuple[Code, ...] = ()
