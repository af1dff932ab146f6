"""What staff wrote about a child beside a post's words is in the file, and not a word about another child."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Face, FaceAnswer, Finding, Photo, Post
from gatekeeper.posts.status import FaceState, FindingState
from gatekeeper.workflow.subject_access import export
from gatekeeper.workflow.subject_reasons import ANOTHER, OTHERS
from gatekeeper.workflow.wise import about_photo
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

PROUD = "Wren is proud of her costume; a portrait was asked for."


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def finding(school: School, post_id: int, *, pupils: list[int] | None, reason: str, **more: Any) -> None:
    """An answered finding; `pupils`: those it is about in the post's photo, None where it is about no photo."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        about = about_photo(post.photos[0], pupils) if pupils is not None else ""
        words: dict[str, Any] = {
            "rule": "photo-portrait", "clause": "3.1", "severity": "justify", "field": "images[0].photo", "message": "M.",
            "quote": "",
        }  # fmt: skip
        session.add(
            Finding(
                version_id=post.version_id, about=about, reason=reason, state=FindingState.ANSWERED,
                resolved_by=school.author, resolved_at=school.services.clock.now(), **(words | more),
            )
        )  # fmt: skip


def photo(school: School, post_id: int, **values: Any) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Photo).where(Photo.post_id == post_id).values(**values))


def told(school: School, post_id: int, *, name: str = "Wren") -> list[tuple[str, str]]:
    """The reasons told of one post, as (about, words); the page says the same."""
    with school.services.db.read() as session:
        lead = session.get_one(Staff, school.staff[Role.CONSENT_LEAD])
    made = export(school.services, school.pupils[name], reason="Request of the mother", by=lead)
    with zipfile.ZipFile(io.BytesIO(made.data)) as bundle:
        parts, page = json.loads(bundle.read("data.json")), bundle.read("read-first.html").decode()
    reasons = next(post for post in parts["posts"] if post["post"] == post_id)["reasons"]
    assert all(one["words"] in page for one in reasons)
    return [(one["about"], one["words"]) for one in reasons]


def test_what_was_written_about_the_childs_own_face_and_photo_is_told(school: School) -> None:
    post_id = school.post(pupils=("Wren",))
    photo(school, post_id, basis="Her mother signed the form.", full_size_reason="The medal is small.")
    finding(school, post_id, pupils=[school.pupils["Wren"]], reason=PROUD, box=[20, 40, 70, 100])
    finding(school, post_id, pupils=[], reason="She asked for it herself.")
    with school.services.db.begin() as session:
        face = session.scalars(select(Face)).one()
        session.add(
            FaceAnswer(
                face_id=face.id, state=FaceState.PUPIL, pupil_id=school.pupils["Wren"], words="With her new glasses.",
                by=school.author, at=school.services.clock.now(),
            )
        )  # fmt: skip
    assert told(school, post_id) == [
        ("a photo with the child", "Her mother signed the form."),
        ("a photo with the child", "The medal is small."),
        ("the child’s face", "With her new glasses."),
        ("the child’s face", PROUD),
        ("a photo with the child", "She asked for it herself."),
    ]


def test_a_reason_that_names_another_child_is_left_out_whole_and_the_file_says_so(school: School) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"))
    photo(school, post_id, basis="Wren and Jonty both wanted it.")
    finding(school, post_id, pupils=[school.pupils["Wren"]], reason="She cried when Jonty fell.", box=[20, 40, 70, 100])
    assert told(school, post_id) == [("a photo with the child", ANOTHER), ("the child’s face", ANOTHER)]


def test_words_about_a_photo_with_others_are_told_only_where_they_name_the_child(school: School) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"))
    photo(school, post_id, basis="His father is in hospital.", full_size_reason="Wren holds a tiny snail.")
    finding(school, post_id, pupils=[], reason="They were all asked.")
    assert told(school, post_id) == [
        ("a photo with the child", OTHERS),
        ("a photo with the child", "Wren holds a tiny snail."),
        ("a photo with the child", OTHERS),
    ]


def test_cannot_be_handed_what_was_written_about_anothers_face(school: School) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"))
    photo(school, post_id, basis="")
    finding(school, post_id, pupils=[school.pupils["Jonty"]], reason="A plaster on the chin.", box=[110, 40, 160, 100])
    assert told(school, post_id) == []
    assert told(school, post_id, name="Jonty") == [("the child’s face", "A plaster on the chin.")]


def test_an_answer_about_the_childs_name_is_told_and_one_about_another_word_is_not(school: School) -> None:
    post_id = school.post(text="Well done, Wren Applethwaite! The best in town.")
    about_words = {"pupils": None, "field": "text", "rule": "pupil-name"}
    finding(school, post_id, reason="The family asked for it.", quote="Wren Applethwaite", **about_words)
    finding(school, post_id, reason="The paper said so.", quote="best", **about_words)
    finding(school, post_id, reason="The family asked for it.", quote="Jonty", **about_words)
    assert told(school, post_id) == [("words that name the child", "The family asked for it.")]
