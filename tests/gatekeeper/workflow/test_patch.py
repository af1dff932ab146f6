"""Covering what is no face, and the size of what is published: shown less or asked for with a reason, and checked again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.jobs import Order
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Finding, Patch, Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import patch
from gatekeeper.workflow.answerable import Box
from gatekeeper.workflow.photo_findings import photo_number
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

WHY = "It is printed in the village paper."


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """One database is enough: nothing here depends on which."""
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def post_id(school: School) -> int:
    return school.post(photos=2, kinds=("x",))


@pytest.fixture
def photo_id(school: School, post_id: int) -> int:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id).photos[0].id


def finding_in(school: School, post_id: int, field: str, box: list[float] | None) -> int:
    with school.services.db.begin() as session:
        finding = Finding(
            version_id=session.get_one(Post, post_id).version_id, rule="pupil-name-full", clause="3.1d",
            severity="block", field=field, box=box, message="A name can be read.",
        )  # fmt: skip
        session.add(finding)
        session.flush()
        return finding.id


def as_checked(school: School, post_id: int) -> None:
    """As if the photos had been made again and checked."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.state = PostState.OPEN
        for photo in post.photos:
            photo.rendition_sha256 = photo.rendition_sha256 or "0" * 64


def patches(school: School) -> list[tuple[float, ...]]:
    with school.services.db.read() as session:
        return [(p.x1, p.y1, p.x2, p.y2) for p in session.scalars(select(Patch).order_by(Patch.id))]


def is_being_made_again(school: School, post_id: int, photo_id: int) -> bool:
    with school.services.db.read() as session:
        made = session.get_one(Photo, photo_id).rendition_sha256
        return made is None and session.get_one(Post, post_id).state == PostState.SCANNING


def test_a_covered_part_has_the_photo_made_and_checked_again(school: School, post_id: int, photo_id: int) -> None:
    patch.add_patch(school.services, photo_id, by=school.author, box=(90, 80, 10, 20))
    assert patches(school) == [(10, 20, 90, 80)]
    assert is_being_made_again(school, post_id, photo_id)
    with school.services.db.read() as session:
        assert session.scalars(select(Order.job)).all() == ["scan"]
        assert session.get_one(Post, post_id).revision == 1
        assert session.scalars(select(Audit.subject).where(Audit.action == "patch.placed")).all() == [
            f"photo:{photo_id}"
        ]


def test_taking_a_cover_off_again_is_checked_again(school: School, post_id: int, photo_id: int) -> None:
    placed = patch.add_patch(school.services, photo_id, by=school.author, box=(10, 20, 90, 80))
    as_checked(school, post_id)
    patch.remove_patch(school.services, placed, by=school.author)
    assert patches(school) == []
    assert is_being_made_again(school, post_id, photo_id)
    with pytest.raises(NotFound):
        patch.remove_patch(school.services, placed, by=school.author)


@pytest.mark.parametrize("box", [(0, 0, 7, 100), (500, 400, 900, 900), (0, 0, 0, 0), (-50, -50, -1, -1)])
def test_cannot_cover_nothing(school: School, post_id: int, photo_id: int, box: Box) -> None:
    with pytest.raises(BadInput, match="too small"):
        patch.add_patch(school.services, photo_id, by=school.author, box=box)
    assert school.state(post_id) == PostState.OPEN


def test_cannot_cover_a_photo_with_ever_more_patches(school: School, post_id: int, photo_id: int) -> None:
    with school.services.db.begin() as session:
        now = school.services.clock.now()
        for _ in range(patch.MOST):
            session.add(Patch(photo_id=photo_id, x1=0, y1=0, x2=9, y2=9, placed_by=school.author, placed_at=now))
    with pytest.raises(BadInput, match="Very much"):
        patch.add_patch(school.services, photo_id, by=school.author, box=(10, 20, 90, 80))


def test_what_a_finding_speaks_of_is_covered_with_a_margin_in_its_own_photo(school: School, post_id: int) -> None:
    finding = finding_in(school, post_id, "images[1].lettering", [100, 50, 180, 90])
    patch.cover_finding(school.services, finding, by=school.author)
    assert patches(school) == [(94, 44, 186, 96)]
    with school.services.db.read() as session:
        second = session.get_one(Post, post_id).photos[1]
        assert session.scalars(select(Patch.photo_id)).one() == second.id
        assert second.rendition_sha256 is None


@pytest.mark.parametrize(
    ("field", "box"),
    [
        ("text", [1, 2, 30, 40]),
        ("images[0].alt", [1, 2, 30, 40]),
        ("images[0].lettering", None),
        ("images[7].code", [1, 2, 30, 40]),
    ],
    ids=["in-the-text", "in-a-description", "no-place", "no-such-photo"],
)
def test_cannot_cover_what_is_in_no_photo(school: School, post_id: int, field: str, box: list[float] | None) -> None:
    finding = finding_in(school, post_id, field, box)
    with pytest.raises(BadInput):
        patch.cover_finding(school.services, finding, by=school.author)
    assert patches(school) == []


def test_cannot_cover_what_was_found_in_an_earlier_version(school: School, post_id: int) -> None:
    finding = finding_in(school, post_id, "images[0].code", [100, 50, 180, 90])
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).revision += 1
    with pytest.raises(Conflict, match="changed"):
        patch.cover_finding(school.services, finding, by=school.author)


def test_a_photo_is_kept_sharp_only_with_a_reason(school: School, post_id: int, photo_id: int) -> None:
    for reason in ("", "  ", "Because.", "x" * 301):
        with pytest.raises(BadInput) as refused:
            patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=reason)
        assert set(refused.value.fields) == {"sharp"}
    assert school.state(post_id) == PostState.OPEN
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=WHY)
    assert is_being_made_again(school, post_id, photo_id)
    with school.services.db.read() as session:
        photo = session.get_one(Photo, photo_id)
        assert (photo.full_size, photo.full_size_reason) == (True, WHY)


def test_the_lower_size_needs_no_reason_and_forgets_the_old_one(school: School, post_id: int, photo_id: int) -> None:
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=WHY)
    as_checked(school, post_id)
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=False)
    assert is_being_made_again(school, post_id, photo_id)
    with school.services.db.read() as session:
        photo = session.get_one(Photo, photo_id)
        assert (photo.full_size, photo.full_size_reason) == (False, "")


def test_a_better_reason_makes_no_picture_anew(school: School, post_id: int, photo_id: int) -> None:
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=WHY)
    as_checked(school, post_id)
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=f"{WHY} On page one.")
    patch.set_sharpness(school.services, photo_id, by=school.author, full_size=True, reason=f"{WHY} On page one.")
    assert school.state(post_id) == PostState.OPEN


def steps(school: School, post_id: int, photo_id: int, by: int) -> list[Callable[[], object]]:
    services = school.services
    finding = finding_in(school, post_id, "images[0].mark", [100, 50, 180, 90])
    with services.db.begin() as session:
        placed = Patch(
            photo_id=photo_id, x1=0, y1=0, x2=9, y2=9, placed_by=school.author, placed_at=services.clock.now()
        )
        session.add(placed)
        session.flush()
        patch_id = placed.id
    return [
        lambda: patch.add_patch(services, photo_id, by=by, box=(10, 20, 90, 80)),
        lambda: patch.cover_finding(services, finding, by=by),
        lambda: patch.remove_patch(services, patch_id, by=by),
        lambda: patch.set_sharpness(services, photo_id, by=by, full_size=True, reason=WHY),
    ]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_changes_anothers_photo(school: School, post_id: int, photo_id: int, role: Role) -> None:
    for step in steps(school, post_id, photo_id, school.staff[role]):
        with pytest.raises(NotFound):
            step()


def test_nothing_changes_while_the_headteacher_decides(school: School, post_id: int, photo_id: int) -> None:
    todo = steps(school, post_id, photo_id, school.author)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.WAITING
    for step in todo:
        with pytest.raises(Conflict):
            step()


@pytest.mark.parametrize(
    ("field", "number"),
    [("images[0].lettering", 1), ("images[3].photo", 4), ("images[0].alt", None), ("text", None), ("images[x].code", None)],
)  # fmt: skip
def test_a_field_tells_its_photo(field: str, number: int | None) -> None:
    assert photo_number(field) == number
