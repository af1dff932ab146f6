"""The photos of a post's page as a browser without scripts uses them, and what forged requests cannot do."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import (
    ChannelAccount,
    Face,
    FaceSuggestion,
    Finding,
    Patch,
    Photo,
    PhotoScan,
    PictureReading,
    Post,
    SecondLook,
)
from gatekeeper.posts.repository import seal
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import submit
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.services import Services
from tests.factories.pictures import saved, scene

Browser = Callable[[Role | None], FlaskClient]
JPEG = saved(scene(), "JPEG")
FACES = 4
#: what the two addresses with several buttons can be asked for
KINDS = {
    "photos.say": ("pupil", "staff", "adult", "visitor", "one", "class", "none"),
    "photos.box": ("face", "patch", "crop", "none"),
}


@pytest.fixture
def opened(services: Services, people: dict[Role, int]) -> dict[str, int]:
    """An open post for X with four faces, the last a doubtful one; a class of two, of whom one may be shown."""
    author, head, now = people[Role.AUTHOR], people[Role.HEADTEACHER], services.clock.now()
    with services.db.begin() as session:
        account = ChannelAccount(
            kind="x", name="@hillside", remote_id="42", status="open", declared_own=True, opened_by=head,
            opened_at=now, created_by=head, created_at=now,
        )  # fmt: skip
        session.add(account)
        pupils = [
            Pupil(
                reference=name, first_name=name, last_name="Applethwaite", year="3", class_name="Heron", created_at=now
            )
            for name in ("Wren", "Isolde")
        ]
        session.add_all(pupils)
        session.flush()
        channel, wren, isolde = account.id, pupils[0].id, pupils[1].id
        session.add(
            Consent(
                pupil_id=wren, channel_kind="x", purpose=Purpose.SOCIAL_MEDIA, allowed=True, basis=Basis.CONSENT,
                given_on=date(2026, 9, 1), recorded_by=head, recorded_at=now,
            )
        )  # fmt: skip
        session.get_one(Staff, author).line_manager_id = people[Role.LINE_MANAGER]
    edit = submit.DraftEdit(text="Our table.", channels=(channel,), due=TypedDue(date="2026-11-24", time="15:30"))
    draft = submit.create_draft(services, author, edit)
    photo_id = submit.add_photo(services, draft, author, data=JPEG, file_name="hall.jpg")
    with services.db.begin() as session:
        photo = session.get_one(Photo, photo_id)
        photo.alt, photo.people, photo.scanned_sha256 = "A table", "pupils", photo.original_sha256
        for number in range(FACES):
            score = 0.5 if number == FACES - 1 else 0.9
            x = 10 + 60 * number
            photo.faces.append(Face(x1=x, y1=20, x2=x + 40, y2=70, score=score, source="detector"))
        public = photo.rendition_sha256 or ""
        session.add(PhotoScan(sha256=public, engine="test", faces=[], width=320, height=240, scanned_at=now))
        session.add(PictureReading(sha256=public, engine="test", words=[], codes=[], read_at=now))
        post = session.get_one(Post, draft)
        version = seal(session, post, now=now)
        finding = Finding(
            version_id=version.id, rule="pupil-name-full", clause="3.1d", severity="block",
            field="images[0].lettering", box=[40, 150, 120, 180], quote="Wren", message="A name can be read here.",
        )  # fmt: skip
        session.add(finding)
        post.state = PostState.OPEN
        session.flush()
        ids = {"post": draft, "photo": photo_id, "finding": finding.id, "wren": wren, "isolde": isolde}
        return ids | {f"face{n}": face.id for n, face in enumerate(photo.faces, start=1)}


@pytest.fixture
def author(browser: Browser) -> FlaskClient:
    return browser(Role.AUTHOR)


def states(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Face.state).order_by(Face.id)))


def field(name: str, page: str) -> str:
    found = re.search(rf'name="{name}" value="(\w+)"', page)
    assert found, name
    return found[1]


def panel(page: str, face_id: int) -> str:
    """The part of the page about one face."""
    found = re.search(
        rf'<li class="face [^>]*id="face-{face_id}".*?(?=<li class="face |</ol>\s*</div>)', page, re.DOTALL
    )
    assert found
    return found[0]


def test_a_pupil_is_found_by_class_asked_about_and_cleared(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    at = f"/posts/{opened['post']}/faces/{opened['face1']}/say"
    listed = author.post(at, data={"as": "class", "class": "Heron"})
    assert listed.status_code == 200
    names = panel(listed.text, opened["face1"])
    assert "Wren Applethwaite" in names
    assert "Isolde Applethwaite" in names
    assert "shown on" not in listed.text  # names only: a list of answers would tell who may not be shown
    assert "permission" not in names.lower()
    no = panel(author.post(at, data={"as": "one", "pupil": opened["isolde"]}).text, opened["face1"])
    assert "No permission on record for X." in no
    assert "that is who it is" not in no
    yes = panel(author.post(at, data={"as": "one", "pupil": opened["wren"]}).text, opened["face1"])
    assert "May be shown on X." in yes
    assert states(services) == [FaceState.UNKNOWN] * FACES  # asking clears nothing
    answer = author.post(at, data={"as": "pupil", "pupil": opened["wren"], "seen": field("seen", yes)})
    assert answer.status_code == 303
    assert answer.location.endswith(f"#face-{opened['face2']}")  # on to the next
    assert states(services) == [FaceState.PUPIL, *[FaceState.UNKNOWN] * (FACES - 1)]


@pytest.mark.parametrize("typed", [{"as": "class", "class": ""}, {"as": "one", "pupil": "0"}, {"as": "one"}])
def test_a_question_about_nobody_is_refused_at_its_face(
    author: FlaskClient, opened: dict[str, int], typed: dict[str, str]
) -> None:
    answer = author.post(f"/posts/{opened['post']}/faces/{opened['face1']}/say", data=typed)
    assert answer.status_code == 422
    assert f'id="face-{opened["face1"]}-error"' in answer.text


def test_a_visitor_takes_one_press(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    page = panel(author.get(f"/posts/{opened['post']}").text, opened["face1"])
    at = f"/posts/{opened['post']}/faces/{opened['face1']}/say"
    assert author.post(at, data={"as": "visitor", "who": "", "seen": field("seen", page)}).status_code == 303
    with services.db.read() as session:
        face = session.get_one(Face, opened["face1"])
        assert (face.state, face.words) == (FaceState.ADULT, "Visitor, was asked")
    assert "Undo" in panel(author.get(f"/posts/{opened['post']}").text, opened["face1"])


def test_an_answer_from_an_old_window_is_refused(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    at = f"/posts/{opened['post']}/faces/{opened['face1']}"
    for seen in ("", "0" * 16):
        answer = author.post(f"{at}/say", data={"as": "staff", "who": "Mr Reid", "seen": seen})
        assert answer.status_code == 409
        assert "not the face you were looking at" in answer.text
    assert author.post(f"/posts/{opened['post']}/faces/{opened['face4']}/no-face").status_code == 409
    assert states(services) == [FaceState.UNKNOWN] * FACES


def test_no_request_clears_more_than_one_box(
    app: Flask, author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    """Every address of the photos, every field there is, each sent for every box and every pupil at once."""
    page = author.get(f"/posts/{opened['post']}").text
    seen = re.findall(r'name="seen" value="(\w+)"', page)
    faces = [opened[f"face{n}"] for n in range(1, FACES + 1)]
    forged = MultiDict[str, str](
        [(name, str(face)) for name in ("face", "face_id", "faces", "faces[]", "id", "box") for face in faces]
        + [("pupil", str(opened["wren"])), ("pupil", str(opened["isolde"])), ("who", "Mr Reid"), ("who", "Mrs Reid")]
        + [("seen", one) for one in seen]
        + [(side, share) for side, share in (("left", "0"), ("top", "0"), ("right", "100"), ("bottom", "100"))]
        + [("reason", "A reason that is long enough."), ("class", "Heron"), ("size", "sharp"), ("all", "yes")]
    )
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("photos.") and "POST" in (rule.methods or ())
    ]
    assert len(rules) >= 14
    blocking = {FaceState.UNKNOWN, FaceState.COVERED}  # covering shows less, and may go for all at once
    tried = 0
    for rule in sorted(rules, key=lambda rule: rule.rule):
        for what in KINDS.get(rule.endpoint, ("none",)):
            with services.db.begin() as session:  # everything as it was: open, and nobody answered for
                session.get_one(Post, opened["post"]).state = PostState.OPEN
                for face in session.scalars(select(Face)):
                    face.state, face.pupil_id, face.words, face.resolved_by = FaceState.UNKNOWN, None, "", None
            values = {"post_id": opened["post"], "face_id": faces[0], "photo_id": opened["photo"]}
            values |= {"finding_id": opened["finding"], "patch_id": 1}
            with app.test_request_context():
                _, address = rule.build(values) or ("", "")
            answer = author.post(address, data=forged | MultiDict([("as", what), ("do", what)]))
            assert answer.status_code < 500, (rule, what)
            cleared = [state for state in states(services) if state not in blocking]
            assert len(cleared) <= 1, (rule, what)
            tried += bool(cleared)
            if not session_has_photo(services, opened["photo"]):
                break  # that address took the photo out; it is sorted last
    assert tried >= 3  # the forgery is no nonsense: staff, an adult and a visitor were really said


def session_has_photo(services: Services, photo_id: int) -> bool:
    with services.db.read() as session:
        return session.get(Photo, photo_id) is not None


def test_what_was_read_in_the_photo_is_covered_with_one_press_and_uncovered_again(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    at = f"/posts/{opened['post']}"
    page = author.get(at).text
    assert f'id="seen-{opened["finding"]}"' in page
    assert "Cover this in the photo" in page
    assert author.post(f"{at}/findings/{opened['finding']}/cover").status_code == 303
    with services.db.read() as session:
        patch = session.scalars(select(Patch)).one()
        assert session.get_one(Post, opened["post"]).state == PostState.SCANNING
    again = author.get(at).text
    assert f'id="patch-{patch.id}"' in again
    assert author.post(f"{at}/patches/{patch.id}/remove").status_code == 303
    with services.db.read() as session:
        assert session.scalars(select(Patch)).all() == []


def test_a_part_is_covered_by_numbers(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    corners = {"left": "50", "top": "50", "right": "75", "bottom": "100"}
    at = f"/posts/{opened['post']}/photos/{opened['photo']}/box"
    assert author.post(at, data={**corners, "do": "patch"}).status_code == 303
    with services.db.read() as session:
        patch = session.scalars(select(Patch)).one()
        assert (patch.x1, patch.y1, patch.x2, patch.y2) == (160, 120, 240, 240)


def test_cannot_crop_or_cover_without_a_box(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    at = f"/posts/{opened['post']}/photos/{opened['photo']}/box"
    for what in ("face", "patch", "crop"):
        refused = author.post(at, data={"left": " ", "top": "", "right": "", "bottom": "", "do": what})
        assert refused.status_code == 422
        assert "Draw a box on the photo first" in refused.text
    with services.db.read() as session:
        assert session.scalars(select(Patch)).all() == []


def test_keeping_a_photo_sharp_asks_for_a_reason_and_keeps_what_was_typed(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    at = f"/posts/{opened['post']}/photos/{opened['photo']}/size"
    refused = author.post(at, data={"size": "sharp", "reason": "Because"})
    assert refused.status_code == 422
    assert 'value="Because"' in refused.text
    assert author.post(at, data={"size": "sharp", "reason": "It is for the village paper."}).status_code == 303
    page = author.get(f"/posts/{opened['post']}").text
    assert "Kept sharp: “It is for the village paper.”" in page


def test_before_and_after_stand_beside_each_other_with_their_sizes(author: FlaskClient, opened: dict[str, int]) -> None:
    page = author.get(f"/posts/{opened['post']}").text
    assert "This is what would be public:</strong> 320 × 240 pixels" in page
    assert f"/media/photos/{opened['photo']}/public" in page


def test_classes_are_asked_for_only_while_recognition_is_on(author: FlaskClient, opened: dict[str, int]) -> None:
    assert "Which classes are in this photo?" not in author.get(f"/posts/{opened['post']}").text


def test_a_suggestion_asks_the_register_and_clears_nothing(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    now = services.clock.now()
    recorded = {"dpia_reference": "DPIA-1", "dpo": "Mx Reid", "date": "2026-09-01"}
    with services.db.begin() as session:
        change_setting(session, "recognition", recorded, by=None, now=now)
    at = f"/posts/{opened['post']}"
    assert "Which classes are in this photo?" in author.get(at).text
    assert author.post(f"{at}/photos/{opened['photo']}/classes", data={"class": "Heron"}).status_code == 303
    assert author.post(f"{at}/photos/{opened['photo']}/classes", data={"class": "Nowhere"}).status_code == 422
    with services.db.begin() as session:
        assert session.get_one(Photo, opened["photo"]).classes == ["Heron"]
        session.add(FaceSuggestion(face_id=opened["face1"], rank=1, pupil_id=opened["isolde"], distance=0.2))
    suggested = panel(author.get(at).text, opened["face1"])
    assert "Isolde Applethwaite, Heron: likely" in suggested or "Isolde Applethwaite, Heron: possible" in suggested
    assert "permission" not in suggested.lower()  # who it may be is no answer of the register
    told = author.post(f"{at}/faces/{opened['face1']}/say", data={"as": "one", "pupil": opened["isolde"]})
    assert "No permission on record for X." in panel(told.text, opened["face1"])
    assert states(services) == [FaceState.UNKNOWN] * FACES


def test_a_second_look_goes_its_way(
    browser: Browser, author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    at = f"/posts/{opened['post']}/faces/{opened['face1']}"
    assert "Ask a second person" in panel(author.get(f"/posts/{opened['post']}").text, opened["face1"])
    assert author.post(f"{at}/second-look").status_code == 303
    assert "You asked for a second look" in author.get(f"/posts/{opened['post']}").text
    manager = browser(Role.LINE_MANAGER)
    assert "Second looks (1)" in manager.get("/").text
    page = manager.get("/second-looks/").text
    assert "Is there a face in this box?" in page
    look = re.search(r"/second-looks/(\d+)/picture", page)
    assert look
    shown = manager.get(look[0])
    assert (shown.mimetype, shown.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert len(shown.data) < len(JPEG)  # a part of it
    assert manager.post(f"/second-looks/{look[1]}", data={"saw": "perhaps"}).status_code == 400
    assert manager.post(f"/second-looks/{look[1]}", data={"saw": "none"}).status_code == 409  # of which box?
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen
    assert manager.post(f"/second-looks/{look[1]}", data={"saw": "none", "seen": seen[1]}).status_code == 303
    assert states(services)[0] == FaceState.NOT_A_FACE
    assert "Line manager Person looked, too: there is no face here." in author.get(f"/posts/{opened['post']}").text
    assert manager.get(look[0]).status_code == 404  # answered: the picture is nobody's any more


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.ADMINISTRATOR, Role.AUDITOR])
def test_second_looks_are_closed_to_whoever_sees_no_photos(browser: Browser, role: Role) -> None:
    assert browser(role).get("/second-looks/").status_code == 403


def test_taking_the_question_back(author: FlaskClient, services: Services, opened: dict[str, int]) -> None:
    at = f"/posts/{opened['post']}/faces/{opened['face1']}/second-look"
    author.post(at)
    assert author.post(f"{at}/take-back").status_code == 303
    with services.db.read() as session:
        assert session.scalars(select(SecondLook.closed_at)).one() is not None


def test_every_box_is_told_by_a_line_of_its_own_and_by_words(
    author: FlaskClient, services: Services, opened: dict[str, int]
) -> None:
    now = services.clock.now()
    with services.db.begin() as session:
        faces = list(session.scalars(select(Face).order_by(Face.id)))
        told = (FaceState.UNKNOWN, FaceState.STAFF, FaceState.COVERED, FaceState.NOT_A_FACE)
        for face, state in zip(faces, told, strict=True):
            face.resolved_by, face.resolved_at = face.photo.post.author_id, now
            face.state, face.words = state, "Mr Reid"
    page = author.get(f"/posts/{opened['post']}").text
    drawn = re.findall(r'class="shape shape-([\w-]+)"[^>]*aria-label="([^"]+)"', page)
    assert {("open", "Face 1: Not known yet"), ("cleared", "Face 2: Member of staff"), ("covered", "Face 3: Covered"),
            ("no-face", "Face 4: Not a face"), ("finding", "Finding 1: Lettering in photo 1")} == set(drawn)  # fmt: skip
    assert len(set(re.findall(r'class="shape-number"[^>]*>\d*([^<]+)<', page))) == 5  # and a sign each
