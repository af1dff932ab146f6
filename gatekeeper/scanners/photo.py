"""Looks for faces in a photo as it was taken and in the rendition that may become public.

Detectors only ever add boxes. A box in the rendition that belongs to no box a person has seen is a new, unknown face;
one where a face was covered means that the cover did not hold. Either blocks.

A box that a person drew stands for one face at most, and can be taken away again by that person. So it never keeps a
detector's finding from being written down: the one face it fits is from then on one that the check found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gatekeeper.faces.boxes import SAME_FACE_OVERLAP, Box, containment, mean_the_same, overlap
from gatekeeper.policy.verdict import SURE_SCORE
from gatekeeper.posts.media import Cut, unmap_box

#: names the joined detectors and their settings: another engine looks at every photo again
ENGINE = "yunet+centerface/2"

_FAINT = 0.7
_ECHO = 0.6


@dataclass(frozen=True, kw_only=True)
class Known:
    """A box that already stands on the photo, in pixels of the upright original.

    Attributes:
        score: how sure the detectors are of it.
        nobody: somebody looked and said that it holds no face.
    """

    id: int
    box: Box
    covered: bool
    by_hand: bool = False
    score: float = 1.0
    nobody: bool = False


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a picture showed beside what is known.

    Attributes:
        confirmed: boxes drawn by hand that a detector has now found, too.
        scores: how sure the detectors are of a known box, by its id.
    """

    new: tuple[tuple[Box, float], ...]
    still_visible: tuple[int, ...]
    confirmed: tuple[int, ...] = ()
    scores: Mapping[int, float] = field(default_factory=dict)


def _is_echo(box: Box, score: float, face: Known) -> bool:
    """Whether a faint box is a piece of a face that the check has found, and shown, already.

    Half a large face is now and then taken for a face of its own, faintly and in one of two renditions of the same
    picture. Asking about it tells nobody anything: whoever answers for the face has answered for its half. Not so of a
    box that holds no face, or of one that its author may still say that of.
    """
    return (
        score < _FAINT
        and not face.covered
        and not face.by_hand
        and not face.nobody
        and face.score >= SURE_SCORE
        and box.area <= face.box.area
        and containment(box, face.box) >= _ECHO
    )


def _is_meant(box: Box, face: Known) -> bool:
    """Whether this is the known box again. Of one that holds nobody only a close fit is: somebody may be inside it."""
    if face.nobody:
        return overlap(box, face.box) >= SAME_FACE_OVERLAP
    return mean_the_same(box, face.box)


def compare(seen: Sequence[Sequence[float]], known: Sequence[Known], *, cut: Cut, scale: float) -> Comparison:
    """Sort the boxes found in a rendition (rows of x1, y1, x2, y2, score in its pixels) into new ones and failed covers."""
    new: list[tuple[Box, float]] = []
    still: set[int] = set()
    confirmed: set[int] = set()
    scores: dict[int, float] = {}
    for x1, y1, x2, y2, score in seen:
        box = Box(*unmap_box((x1, y1, x2, y2), crop=cut, scale=scale))
        same = [face for face in known if _is_meant(box, face)]
        settled = [face for face in same if face.covered or not face.by_hand]
        if settled and all(face.covered for face in settled):
            still.update(face.id for face in settled)
            continue
        # of drawn boxes only a close fit counts, and for one face: a large one must not swallow a whole group
        fits = [face for face in settled if not face.covered] or [
            face for face in same if face.id not in confirmed and overlap(box, face.box) >= SAME_FACE_OVERLAP
        ]
        if not fits:
            if not any(_is_echo(box, score, face) for face in known):
                new.append((box, score))
            continue
        best = max(fits, key=lambda face: overlap(box, face.box))
        scores[best.id] = max(score, scores.get(best.id, 0.0))
        if best.by_hand:
            confirmed.add(best.id)
    return Comparison(
        new=tuple(new), still_visible=tuple(sorted(still)), confirmed=tuple(sorted(confirmed)), scores=scores
    )
