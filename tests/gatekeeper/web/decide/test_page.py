"""What the decision page shows: exactly what would be public, who is in it, what the checks said."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from gatekeeper.people.staff import Role
from gatekeeper.policy.verdict import NEVER
from gatekeeper.posts.model import Face, Finding, Patch, Post, SecondLook
from gatekeeper.posts.status import FaceState, FindingState
from gatekeeper.workflow.stop import stop
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.gatekeeper.web.decide.asking import (
    Browser,
    add_findings,
    add_marks,
    call_it,
    link_to,
    opened,
    proved,
)


def test_after_the_pin_exactly_what_would_be_public_is_shown(head: FlaskClient, school: School) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"), text="A great day\nat the farm.")
    page = head.get(proved(head, link_to(school, post_id)))
    for shown in (
        "A great day\nat the farm.",
        "A table full of vegetables, picture 1",
        "Quarry Bank on x",
        "Quarry Bank on facebook",
        "at the latest 12:00",
        "Pupil: Wren Applethwaite (Heron)",
        "May be shown on X and Facebook (consent, recorded 1 September 2026).",
        "Said by Mx Author Quarry",
        school.digest(post_id),
    ):
        assert shown in page.text, shown
    assert page.text.count('name="verdict" value="') == 4  # three answers, and the one that Enter presses: none


@pytest.mark.parametrize(
    ("kinds", "text", "said"),
    [
        (("x", "facebook"), "Plain words", "Publishing this costs the school about $0.015 on X."),
        (("x",), "See https://quarry.example", "about $0.20 on X, because it has a link."),
        (("facebook",), "See https://quarry.example", ""),
    ],
    ids=["words", "link", "free"],
)
def test_the_price_of_this_post_is_told_before_it_is_approved(
    *, head: FlaskClient, school: School, kinds: tuple[str, ...], text: str, said: str
) -> None:
    page = head.get(proved(head, link_to(school, school.post(kinds=kinds, text=text)))).text
    assert said in page
    assert ("costs the school" in page) == bool(said)


def test_findings_are_shown_with_the_authors_reasons_and_overrides_with_a_field_each(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post()
    override = add_findings(school, post_id)
    page = head.get(proved(head, link_to(school, post_id)))
    assert "The family asked for it." in page.text
    assert f'name="answer-{override}"' in page.text
    assert page.text.count(f'id="answer-{override}"') == 1
    assert "because:</strong>" in page.text  # why the author asks stands before the answer, unfolded
    assert "1 override asked" in page.text


def test_a_picture_is_shown_to_the_browser_that_gave_the_pin_and_to_no_other(
    head: FlaskClient, as_role: Browser, school: School
) -> None:
    post_id = school.post(photos=1)
    link = link_to(school, post_id)
    with school.services.db.read() as session:
        sha = session.get_one(Post, post_id).photos[0].rendition_sha256 or ""
    address = proved(head, link)
    picture = head.get(f"{address}/photo/{sha}")
    assert picture.mimetype == "image/jpeg"
    assert picture.data == school.services.media.read(sha)
    other = as_role(None)
    assert other.get(f"{address}/photo/{sha}").status_code == 404
    opened(other, link)
    assert other.get(f"{address}/photo/{sha}").status_code == 404
    with school.services.db.read() as session:
        elsewhere = school.services.media.put(b"another post's picture", ".jpg")
    assert head.get(f"{address}/photo/{elsewhere}").status_code == 404


def test_a_permission_withdrawn_before_the_page_is_opened_stands_on_top_of_it(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    address = proved(head, link_to(school, school.post(pupils=("Wren", "Jonty"))))
    assert "permission for each: consent" in head.get(address).text
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "facebook", allowed=False)
    page = head.get(address).text
    assert "1 face may not be shown now, so it cannot be approved" in page
    assert "permission for each" not in page
    assert 'value="approve"' not in page
    assert "May not be shown on Facebook." in page


def test_faces_are_numbered_where_they_are_in_the_cropped_picture(head: FlaskClient, school: School) -> None:
    """The crop cuts one face away, and the other keeps its number and moves with the picture."""
    post_id = school.post(pupils=("Wren", "Jonty"))
    with school.services.db.begin() as session:
        photo = session.get_one(Post, post_id).photos[0]
        photo.crop = [100, 0, 400, 300]
        photo.rendition_width, photo.rendition_height = 150, 150  # half the size of what was cut out
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "Jonty Applethwaite" in page
    assert "Wren Applethwaite" not in page
    assert '<rect class="shape-line" x="5.0" y="20.0" width="25.0" height="30.0"' in page
    assert 'aria-label="Face 2: Pupil"' in page
    assert re.search(r'<span class="face-number" aria-hidden="true">2</span>', page)


def test_covered_adult_and_staff_faces_are_told_apart(head: FlaskClient, school: School, clock: ToldClock) -> None:
    post_id = school.post(photos=1)
    with school.services.db.begin() as session:
        photo = session.get_one(Post, post_id).photos[0]
        for place, (state, words) in enumerate(
            [(FaceState.COVERED, ""), (FaceState.STAFF, "Ms Okoro, asked today"), (FaceState.ADULT, "The baker, asked")]
        ):
            photo.faces.append(
                Face(
                    x1=10 + 80 * place, y1=10, x2=70 + 80 * place, y2=80, source="detector", state=state, words=words,
                    resolved_by=school.author, resolved_at=clock.now(),
                )
            )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    for shown in ("Covered, cannot be recognised", "Member of staff", "Ms Okoro, asked today", "Another adult"):
        assert shown in page
    assert "2 adults" in page
    assert "1 face covered" in page


def test_what_was_found_in_a_photo_is_shown_at_its_place_with_the_authors_reason(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(photos=2)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        photo = post.photos[1]
        photo.full_size, photo.full_size_reason = True, "The winners' faces are small in it."
        photo.patches.append(
            Patch(x1=300, y1=200, x2=380, y2=280, placed_by=school.author, placed_at=school.services.clock.now())
        )
        for what, severity, box in (
            ("lettering", "justify", [10, 10, 60, 30]),
            ("code", "justify", [70, 10, 120, 60]),
            ("photo", "justify", None),
            ("photo", "advice", None),
        ):
            session.add(
                Finding(
                    version_id=post.version_id or 0, rule=f"a-{what}-{severity}", clause="3.1d", severity=severity,
                    field=f"images[1].{what}", message=f"Something about the {what}, {severity}.", box=box,
                    state=FindingState.ANSWERED, reason=f"A reason for the {what}.", resolved_by=school.author,
                )
            )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    for words in ("Lettering in photo 2", "Code in photo 2", "<span>Photo 2 ·", "A reason for the photo.",
                  "1 hint about this photo", "1 other part covered", "Sharper than usual", "faces are small in it",
                  "Published at 400 × 300 pixels", "3 points explained"):  # fmt: skip
        assert words in page, words
    assert 'aria-label="Finding 1"' in page
    assert 'aria-label="Covered part 1"' in page
    assert "What the checks said about the words" not in page


def test_a_box_that_a_second_person_looked_at_is_shown_with_both_names(head: FlaskClient, school: School) -> None:
    post_id = school.post(photos=1)
    now, lead = school.services.clock.now(), school.staff[Role.CONSENT_LEAD]
    with school.services.db.begin() as session:
        face = Face(
            x1=10, y1=10, x2=70, y2=80, source="detector", score=0.95, state=FaceState.NOT_A_FACE, resolved_by=lead,
            resolved_at=now,
        )  # fmt: skip
        photo = session.get_one(Post, post_id).photos[0]
        photo.faces.append(face)
        session.flush()
        session.add(
            SecondLook(
                face_id=face.id, asked_by=school.author, asked_at=now, no_face=True, answered_by=lead, answered_at=now,
                closed_at=now,
            )
        )  # fmt: skip
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "Mx Author Quarry asked for a second look, and Mx Consent_Lead Quarry saw none either" in page
    assert "Nobody can be recognised in it." in page


def test_what_the_author_typed_is_shown_as_words_and_never_as_a_page(head: FlaskClient, school: School) -> None:
    post_id = school.post(text='<script>alert(1)</script><img src=x onerror="x">')
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_channels_with_the_same_words_share_one_preview_and_each_description_is_read_out(
    head: FlaskClient, school: School
) -> None:
    page = head.get(proved(head, link_to(school, school.post(photos=2, text="A great day at the farm.")))).text
    assert page.count('class="sketch-text"') == 1
    assert 'aria-label="As it will look on X and Facebook"' in page
    for number in (1, 2):
        assert f"“A table full of vegetables, picture {number}”" in page


def test_a_channel_with_words_of_its_own_has_a_preview_of_its_own_and_can_be_pointed_at(
    head: FlaskClient, school: School
) -> None:
    post_id = school.post(text="A great day at the farm.", wordings={"x": "Farm day!"})
    page = head.get(proved(head, link_to(school, post_id))).text
    previews = re.findall(
        r'aria-label="As it will look on ([^"]+)".*?<p class="sketch-text">([^<]*)</p>', page, re.DOTALL
    )
    assert previews == [("X", "Farm day!"), ("Facebook", "A great day at the farm.")]
    assert f'<option value="wording:x:{school.accounts["x"]}">Words for X</option>' in page


@pytest.mark.parametrize(("minutes", "said"), [(40, "⚠ In 40 minutes"), (61, "in 1 hour 1 minute")])
def test_little_time_left_is_said_as_a_warning(head: FlaskClient, school: School, minutes: int, said: str) -> None:
    post_id = school.post(due_in=timedelta(minutes=minutes))
    page = head.get(proved(head, link_to(school, post_id))).text
    assert said in page
    assert ("⚠ In" in page) is (minutes <= 60)


def test_the_same_words_once_more_and_a_post_close_by_are_said(head: FlaskClient, school: School) -> None:
    school.approve(call_it(school, school.post(text="Come to the FAIR!\nAll welcome."), "The fair"))
    school.approve(call_it(school, school.post(text="Another.", due_in=timedelta(minutes=80)), "The gala"))
    school.approve(call_it(school, school.post(text="Far off.", due_in=timedelta(minutes=95)), "The choir"))
    page = head.get(proved(head, link_to(school, school.post(text="Come to the fair! All welcome.")))).text
    assert "These words are not new:</strong> “The fair”" in page
    assert "Another post goes out close by:</strong> “The gala”, today, 10:20" in page
    assert "The choir" not in page


def test_a_post_that_was_taken_back_is_no_neighbour(head: FlaskClient, school: School) -> None:
    other = school.post(text="Come to the fair!")
    school.approve(other)
    stop(school.services, other, by=school.head)
    page = head.get(proved(head, link_to(school, school.post(text="Come to the fair!")))).text
    assert "These words are not new" not in page


def test_the_people_line_counts_by_class_and_says_on_what_basis(
    head: FlaskClient, school: School, clock: ToldClock
) -> None:
    post_id = school.post(pupils=("Wren", "Jonty"))
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "2 pupils, Heron" in page
    assert "✓ permission for each: consent" in page
    assert "Isolde" not in page


def test_a_photo_with_nobody_in_it_is_one_line_with_the_photo_folded(head: FlaskClient, school: School) -> None:
    page = head.get(proved(head, link_to(school, school.post(photos=1)))).text
    assert "No face was found in it, and nobody marked one." in page
    assert "Photo 1 in full</summary>" in page


def test_the_warnings_stand_outside_everything_that_is_folded(head: FlaskClient, school: School) -> None:
    post_id = school.post(photos=1, due_in=timedelta(minutes=30))
    add_findings(school, post_id)
    add_marks(school, post_id, "Kestrel crest")
    page = head.get(proved(head, link_to(school, post_id))).text
    unfolded = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    for words in ("⚠ In 30 minutes", "⚠ 1 override asked", "1 logo to authorise", "The family asked for it.", "Kestrel crest"):  # fmt: skip
        assert words in unfolded, words


def test_what_nobody_can_allow_has_no_button_for_a_yes(head: FlaskClient, school: School) -> None:
    post_id = school.post()
    finding = add_findings(school, post_id)
    with school.services.db.begin() as session:
        session.get_one(Finding, finding).rule = f"{NEVER}words"
    page = head.get(proved(head, link_to(school, post_id))).text
    assert "something in it can be allowed by nobody" in page
    assert 'value="approve"' not in page
    assert 'value="changes"' in page
