"""The findings about a post as its page shows them: where they stand, and which photo they speak of."""

import pytest

from gatekeeper.posts.model import Finding, Post
from gatekeeper.workflow.words_view import FindingView, finding_views, passages_of, place_of
from tests.factories.school import School


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("text", "Text"),
        ("images[0].alt", "Description of photo 1"),
        ("images[1].file", "File name of photo 2"),
        ("images[0].lettering", "Lettering in photo 1"),
        ("images[3].code", "Code in photo 4"),
        ("images[1].mark", "Mark in photo 2"),
        ("images[2].photo", "Photo 3"),
        ("images[2].anything", "Photo 3"),
    ],
)
def test_each_field_has_a_name_that_staff_know(field: str, place: str) -> None:
    assert place_of(field) == place


def seen(school: School, post_id: int, *found: Finding) -> tuple[tuple[FindingView, ...], list[str]]:
    """The views of these findings, and the fields whose words the page shows."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        for finding in found:
            finding.version_id, finding.severity, finding.clause = post.version_id or 0, "block", "3.8"
            finding.message = "This must be changed."
            session.add(finding)
        session.flush()
        views = finding_views(session, list(found))
        return views, [passage.field for passage in passages_of(post, views)]


def test_what_was_read_in_a_photo_leads_to_that_photo_and_marks_no_words(school: School) -> None:
    post_id = school.post(photos=2)
    with school.services.db.read() as session:
        photos = [photo.id for photo in session.get_one(Post, post_id).photos]
    views, fields = seen(
        school,
        post_id,
        Finding(rule="contact-phone", field="images[1].lettering", start=0, end=4, quote="0770", box=[1, 2, 30, 40]),
        Finding(
            rule="code-unsafe", field="images[0].code", start=None, end=None, quote="http://1.2.3.4", box=[1, 2, 3, 4]
        ),
        Finding(rule="images-no-names", field="images[0].photo", start=None, end=None),
        Finding(rule="pupil-name-full", field="images[0].alt", start=0, end=1, quote="A"),
    )
    assert [view.photo_id for view in views] == [photos[1], photos[0], photos[0], None]
    assert fields == ["text", "images[0].alt"]


def test_a_finding_about_a_photo_that_is_gone_leads_nowhere(school: School) -> None:
    (view,), _ = seen(
        school, school.post(), Finding(rule="logo-trademark", field="images[4].mark", start=None, end=None)
    )
    assert (view.photo_id, view.place) == (None, "Mark in photo 5")


def test_other_words_are_offered_for_what_stands_in_the_text(school: School) -> None:
    text = "The cake is Wren Applethwaite's."
    (one, other, _), _ = seen(
        school,
        school.post(text=text),
        Finding(rule="pupil-name-full", field="text", start=12, end=29, quote="Wren Applethwaite"),
        Finding(rule="pupil-name-full", field="text", start=12, end=29, quote="Wren somebody else"),
        Finding(rule="harassment-discrimination", field="text", start=0, end=3, quote="The"),
    )
    assert (one.suggestion, other.suggestion) == ("a pupil’s", "")
