"""A school that matches faces: its assessment recorded, families asked, templates sealed, and faces drawn as colours.

The drawn encoder reads a face's numbers off its colour: faces of the same grey are the same person, and how far two
greys lie apart is how far two people lie apart. It is held to the same test as the real one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.match import Encoding, can_be_compared
from gatekeeper.faces.template_seal import ENGINE, Place, TemplateKeys, make_key
from gatekeeper.people.biometric import Said
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role
from gatekeeper.people.templates import FaceTemplate
from gatekeeper.workflow import consents
from gatekeeper.workflow.school import record_dpia
from tests.factories.school import School, make_services, make_settings

GREEN = (20, 160, 60)


def numbers(value: float) -> Encoding:
    """128 numbers that lie `value` away from zero."""
    encoding = np.zeros(128)
    encoding[0] = value
    return encoding


class DrawnEncoder:
    """Reads a face's numbers off the grey in its middle; `fails` makes it break, `blind` makes it see nobody."""

    def __init__(self) -> None:
        self.asked: list[list[Box]] = []
        self.fails: Exception | None = None
        self.blind = False

    def encode(self, pixels: np.ndarray, boxes: Sequence[Box]) -> list[Encoding | None]:
        self.asked.append(list(boxes))
        if self.fails:
            raise self.fails
        return [None if self.blind or not can_be_compared(box) else numbers(_grey(pixels, box)) for box in boxes]


class DrawnFinder:
    """Finds the faces it was told of, wherever they were drawn."""

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)

    def detect(self, pixels: np.ndarray) -> list[Face]:
        assert pixels.ndim == 3
        return list(self.faces)


def _grey(pixels: np.ndarray, box: Box) -> float:
    """The mean of the middle half of the box; a step of grey is .01."""
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    part = pixels[
        round(y - box.height / 4) : round(y + box.height / 4), round(x - box.width / 4) : round(x + box.width / 4)
    ]
    return float(part.mean()) / 100


def drawing(*faces: tuple[Box, float], width: int = 600, height: int = 400) -> Image.Image:
    """A green picture with a square for each face, whose grey tells its numbers."""
    image = Image.new("RGB", (width, height), GREEN)
    for box, value in faces:
        grey = round(value * 100)
        ImageDraw.Draw(image).rectangle((box.x1, box.y1, box.x2, box.y2), fill=(grey, grey, grey))
    return image


class EnrolledSchool(School):
    """A school whose families of Wren and Jonty consented in writing; it may match faces."""

    def __init__(self, db: Database, tmp_path: Path, clock: Clock, **more: Any) -> None:
        self.encoder, self.finder, self.key = DrawnEncoder(), DrawnFinder(), make_key()
        settings = make_settings(tmp_path, db.url, process="scan", secrets={"TEMPLATE_KEY": self.key})
        parts: dict[str, Any] = {"faces": self.finder, "encoder": self.encoder, "settings": settings, **more}
        super().__init__(make_services(db, tmp_path, clock, **parts))
        record_dpia(self.services, reference="DPIA-9", dpo="Ann Lister", day=date(2026, 11, 2), by=self.administrator)
        for name in ("Wren", "Jonty"):
            self.ask_family(name)

    @property
    def administrator(self) -> int:
        return self.staff[Role.ADMINISTRATOR]

    @property
    def lead(self) -> int:
        return self.staff[Role.CONSENT_LEAD]

    def ask_family(self, name: str, said: Said = Said.YES, **more: Any) -> None:
        """Record what a family said."""
        facts: dict[str, Any] = {
            "given_on": date(2026, 9, 3),
            "written_by": "Mrs Applethwaite",
            "told": "Letter to both parents, 1 September",
            "each_told": True,
            "nobody_objects": True,
        }
        answer = consents.FamilyAnswer(said=said, **{**facts, **more})
        consents.record_biometric(self.services, self.pupils[name], answer, by=self.lead)

    def enrolled(self, name: str, *values: float, key: str = "", expires_on: date = date(2027, 8, 31)) -> list[int]:
        """Templates of a pupil with these numbers; their ids."""
        keys, ids = TemplateKeys(key or self.key), []
        with self.services.db.begin() as session:
            pupil_id = self.pupils[name]
            consent = consents.newest_consent(session, pupil_id, "any", consents.Purpose.BIOMETRIC)
            assert consent is not None
            for value in values:
                row = FaceTemplate(
                    pupil_id=pupil_id,
                    consent_id=consent.id,
                    engine=ENGINE,
                    sealed="",
                    key_id=keys.current,
                    made_by=self.lead,
                    made_at=self.services.clock.now(),
                    expires_on=expires_on,
                )
                session.add(row)
                session.flush()
                row.sealed = keys.seal(numbers(value), Place(row=row.id, pupil=pupil_id))
                ids.append(row.id)
        return ids

    def pupil(self, name: str, **changes: Any) -> int:
        """Put another pupil on the roll, or change one that is there; the id."""
        with self.services.db.begin() as session:
            if name not in self.pupils:
                child = Pupil(
                    reference=f"N{len(self.pupils):03}", first_name=name, last_name="Marsden", class_name="Heron",
                    created_at=self.services.clock.now(),
                )  # fmt: skip
                session.add(child)
                session.flush()
                self.pupils[name] = child.id
            for attribute, value in changes.items():
                setattr(session.get_one(Pupil, self.pupils[name]), attribute, value)
        return self.pupils[name]

    def with_keys(self, *keys: str) -> None:
        """From now on the process holds these keys."""
        settings = replace(self.services.settings, secrets={"TEMPLATE_KEY": " ".join(keys)})
        self.services = replace(self.services, settings=settings)
