"""The enrolment pages: for the consent lead alone, one pupil at a time, without a photo to be seen."""

import io
from collections.abc import Callable
from datetime import date

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from gatekeeper.people.biometric import Said
from gatekeeper.people.consent import Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import newest_consent
from gatekeeper.people.staff import Audit, Role
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.workflow import consents
from gatekeeper.workflow.school import record_dpia
from gatekeeper.workflow.services import Services

Browser = Callable[[Role | None], FlaskClient]
FAMILY = {
    "biometric-said": "yes",
    "biometric-written_by": "Mrs Farah",
    "biometric-told": "Letter to both parents",
    "biometric-each_told": "y",
    "biometric-nobody_objects": "y",
    "biometric-given_on": "2026-11-02",
}


@pytest.fixture
def pupils(services: Services, people: dict[Role, int]) -> list[int]:
    """Three children: consent, an objection, nothing on record. Matching is on."""
    assert people
    with services.db.begin() as session:
        made = [
            Pupil(
                reference=f"P{n}", first_name=name, last_name="Farah", class_name="Oak", created_at=services.clock.now()
            )
            for n, name in enumerate(("Isolde", "Kofi", "Maeve"))
        ]
        session.add_all(made)
        session.flush()
        ids = [child.id for child in made]
    record_dpia(services, reference="DPIA-9", dpo="Ann Lister", day=date(2026, 11, 2), by=people[Role.ADMINISTRATOR])
    yes = consents.FamilyAnswer(
        said=Said.YES, given_on=date(2026, 11, 2), written_by="Mrs Farah", told="Letter to both parents",
        each_told=True, nobody_objects=True,
    )  # fmt: skip
    no = consents.FamilyAnswer(said=Said.PARENT_OBJECTS, given_on=date(2026, 11, 2))
    consents.record_biometric(services, ids[0], yes, by=people[Role.CONSENT_LEAD])
    consents.record_biometric(services, ids[1], no, by=people[Role.CONSENT_LEAD])
    return ids


def picture() -> tuple[io.BytesIO, str]:
    stored = io.BytesIO()
    Image.new("RGB", (300, 300), (90, 120, 90)).save(stored, "JPEG")
    stored.seek(0)
    return stored, "phone.jpg"


def template(services: Services, pupil_id: int, by: int) -> int:
    with services.db.begin() as session:
        consent = newest_consent(session, pupil_id, "any", Purpose.BIOMETRIC)
        assert consent is not None
        row = FaceTemplate(
            pupil_id=pupil_id, consent_id=consent.id, engine="e", sealed="t1.SECRET", key_id="k", made_by=by,
            made_at=services.clock.now(), expires_on=date(2027, 8, 31),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def test_the_list_names_who_has_consent_and_counts_the_others(
    browser: Browser, services: Services, people: dict[Role, int], pupils: list[int]
) -> None:
    lead = browser(Role.CONSENT_LEAD)
    page = lead.get("/enrolment").text
    assert "Isolde Farah" in page
    assert "Not enrolled" in page
    assert "2 pupils without" in page
    assert "Kofi" not in page
    template(services, pupils[0], people[Role.CONSENT_LEAD])
    assert "more photos wanted" in lead.get("/enrolment").text


def test_a_pupil_whose_templates_ended_must_be_enrolled_again(
    browser: Browser, services: Services, people: dict[Role, int], pupils: list[int]
) -> None:
    with services.db.begin() as session:
        now = services.clock.now()
        session.add(
            Enrolment(pupil_id=pupils[0], media_sha256="", state="done", asked_by=people[Role.CONSENT_LEAD], asked_at=now, ended_at=now)
        )  # fmt: skip
    lead = browser(Role.CONSENT_LEAD)
    assert "Must be enrolled again" in lead.get("/enrolment").text
    assert "Must be enrolled again" in lead.get(f"/enrolment/{pupils[0]}").text


def test_photos_are_taken_and_wait_with_progress(browser: Browser, services: Services, pupils: list[int]) -> None:
    lead = browser(Role.CONSENT_LEAD)
    page = lead.get(f"/enrolment/{pupils[0]}").text
    assert "Mrs Farah, 2 Nov 2026" in page
    assert "None on record" in page
    answer = lead.post(f"/enrolment/{pupils[0]}/photos", data={"photos": [picture()]})
    assert answer.status_code == 303
    page = lead.get(f"/enrolment/{pupils[0]}").text
    assert "1 photo is being looked at" in page
    assert f'data-progress="/enrolment/{pupils[0]}/progress" data-state="scanning"' in page
    assert "<img" not in page.partition("<main")[2]
    assert lead.get(f"/enrolment/{pupils[0]}/progress").json == {
        "state": "scanning",
        "word": "The photos have been looked at",
        "words": "1 photo is being looked at.",
    }
    with services.db.read() as session:
        assert session.scalars(select(Enrolment.state)).all() == ["waiting"]
        assert "pupil.seen" in session.scalars(select(Audit.action)).all()


@pytest.mark.parametrize(
    ("files", "words"),
    [([], "Choose at least one photo"), ([(io.BytesIO(b"plain"), "x.jpg")], "not a picture")],
    ids=["none", "no-picture"],
)
def test_a_photo_that_cannot_be_used_is_said_beside_the_field(
    browser: Browser, pupils: list[int], files: list[tuple[io.BytesIO, str]], words: str
) -> None:
    page = browser(Role.CONSENT_LEAD).post(f"/enrolment/{pupils[0]}/photos", data={"photos": files})
    assert page.status_code == 422
    assert words in page.text
    assert 'aria-describedby="photos-hint photos-error"' in page.text


def test_cannot_take_a_photo_of_a_pupil_whose_parent_objects(browser: Browser, pupils: list[int]) -> None:
    lead = browser(Role.CONSENT_LEAD)
    page = lead.get(f"/enrolment/{pupils[1]}").text
    assert "A parent objects. One objection is enough." in page
    assert 'type="file"' not in page
    assert 'type="file"' not in lead.get(f"/enrolment/{pupils[2]}").text
    assert lead.post(f"/enrolment/{pupils[1]}/photos", data={"photos": [picture()]}).status_code == 409


def test_what_is_kept_is_listed_by_date_and_deleted(
    browser: Browser, services: Services, people: dict[Role, int], pupils: list[int]
) -> None:
    kept = template(services, pupils[0], people[Role.CONSENT_LEAD])
    lead = browser(Role.CONSENT_LEAD)
    page = lead.get(f"/enrolment/{pupils[0]}").text
    assert "31 Aug 2027" in page
    assert "SECRET" not in page
    assert lead.post(f"/enrolment/templates/{kept}/delete").status_code == 303
    assert lead.post(f"/enrolment/templates/{kept}/delete").status_code == 404
    with services.db.read() as session:
        assert session.scalars(select(FaceTemplate)).all() == []


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.HEADTEACHER, Role.ADMINISTRATOR, Role.AUDITOR])
def test_nobody_but_the_consent_lead_enrols(browser: Browser, pupils: list[int], role: Role) -> None:
    client = browser(role)
    assert client.get("/enrolment").status_code == 403
    assert client.post(f"/enrolment/{pupils[0]}/photos", data={"photos": [picture()]}).status_code == 403


def test_what_the_family_said_is_recorded_fact_by_fact(browser: Browser, services: Services, pupils: list[int]) -> None:
    lead = browser(Role.CONSENT_LEAD)
    bare = {"biometric-said": "yes", "biometric-given_on": "2026-11-02"}
    page = lead.post(f"/pupils/{pupils[2]}/biometric", data=bare)
    assert page.status_code == 422
    assert "Name the parent who consented in writing." in page.text
    assert "The law asks that each parent is told first." in page.text
    assert lead.post(f"/pupils/{pupils[2]}/biometric", data=FAMILY).status_code == 303
    assert "In writing: Mrs Farah. Told: Letter to both parents" in lead.get(f"/pupils/{pupils[2]}").text
    objects = {"biometric-said": "child", "biometric-given_on": "2026-11-20"}
    assert lead.post(f"/pupils/{pupils[2]}/biometric", data=objects).status_code == 303
    assert "The pupil objects. That beats every consent." in lead.get(f"/pupils/{pupils[2]}").text
    assert "No: the pupil objects" in lead.get(f"/pupils/{pupils[2]}").text.partition("History")[2]
    assert browser(Role.HEADTEACHER).post(f"/pupils/{pupils[2]}/biometric", data=FAMILY).status_code == 403


def test_switching_off_asks_once_more_and_deletes_everything(
    browser: Browser, services: Services, people: dict[Role, int], pupils: list[int]
) -> None:
    template(services, pupils[0], people[Role.CONSENT_LEAD])
    admin = browser(Role.ADMINISTRATOR)
    page = admin.get("/school").text
    assert "1 pupil enrolled" in page
    assert "Switch off and delete" in page
    assert browser(Role.CONSENT_LEAD).post("/school/recognition/remove").status_code == 403
    assert admin.post("/school/recognition/remove").status_code == 303
    with services.db.read() as session:
        assert session.scalars(select(FaceTemplate)).all() == []
    assert "Protection of Freedoms Act 2012, section 26" in admin.get("/school").text
    assert "Matching is switched off" in browser(Role.CONSENT_LEAD).get("/enrolment").text
