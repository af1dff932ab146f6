"""What belongs to a post in the audit: also what was taken away since, and nothing of another post."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role, record
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import photos
from gatekeeper.workflow.audit_view import Filters, page_of
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), (90, 120, 90)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(database, tmp_path, clock))


def draft(school: School, author: int) -> int:
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        post = Post(
            author_id=author, title="Harvest", text="Soup", channels=[school.accounts["x"]], wordings={},
            window_minutes=120, state=PostState.DRAFT, created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(post)
        session.flush()
        return post.id


def lines(school: School, about: str) -> list[tuple[str, str, int | None]]:
    with school.services.db.read() as session:
        return [(row.subject, row.action, row.staff_id) for row in page_of(session, Filters(about=about)).rows]


def test_what_was_done_to_a_removed_photo_stays_with_its_post_whoever_has_its_number_now(school: School) -> None:
    services, (mine, theirs) = school.services, (draft(school, school.author), draft(school, school.head))
    first = photos.add_photo(services, mine, school.author, data=picture(), file_name="a.png")
    photos.remove_photo(services, first, school.author)
    second = photos.add_photo(services, theirs, school.head, data=picture(), file_name="b.png")
    if services.db.engine.dialect.name == "sqlite":
        assert second == first, "the number of a row that is gone is used again"
    photos.remove_photo(services, second, school.head)
    assert lines(school, f"post:{mine}") == [(f"photo:{first}", "photo.removed", school.author)]
    assert lines(school, f"post:{theirs}") == [(f"photo:{second}", "photo.removed", school.head)]


@pytest.mark.parametrize("part", ["photo", "face", "finding"])
def test_only_lines_about_parts_of_posts_are_found_by_the_post_they_name(school: School, part: str) -> None:
    with school.services.db.begin() as session:
        for subject, post in ((f"{part}:7", 12), (f"{part}:7", 120), ("staff:12", 12), (f"{part}:12", 1)):
            record(
                session, at=school.services.clock.now(), staff_id=school.staff[Role.AUTHOR], action="photo.cropped",
                subject=subject, detail={"post": post},
            )  # fmt: skip
    found = [(subject, who) for subject, _, who in lines(school, "post:12")]
    assert found == [(f"{part}:7", school.staff[Role.AUTHOR])]
