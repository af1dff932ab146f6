"""What is written into the register counts at once, and nobody is named outside it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.biometric import BiometricFacts, Said, biometric_answer
from gatekeeper.people.consent import Answer, Basis, Consent, Purpose, answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import ANY_CHANNEL, consent_history, find_pupils
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.public import ConsentReview
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import consents
from gatekeeper.workflow.consent_hold import HELD_NOTE
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

YES = consents.Permission(
    allowed=True, basis=Basis.CONSENT, given_on=date(2026, 10, 1), note="signed form, both parents"
)


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def lead(school: School) -> int:
    return school.staff[Role.CONSENT_LEAD]


def allowed(school: School, name: str, kind: str = "x") -> bool:
    with school.services.db.read() as session:
        pupil = session.get_one(Pupil, school.pupils[name])
        return answer_for(session, pupil, kind, today=date(2026, 11, 23), words="X").allowed


def test_a_recorded_yes_counts_and_a_withdrawal_takes_it_back_at_once(school: School, lead: int) -> None:
    isolde = school.pupils["Isolde"]
    assert not allowed(school, "Isolde")
    consents.record_consent(school.services, isolde, "x", YES, by=lead)
    assert allowed(school, "Isolde")
    assert not allowed(school, "Isolde", "facebook")
    consents.withdraw_consent(school.services, isolde, "x", Purpose.SOCIAL_MEDIA, by=lead)
    assert not allowed(school, "Isolde")
    with pytest.raises(Conflict):
        consents.withdraw_consent(school.services, isolde, "x", Purpose.SOCIAL_MEDIA, by=lead)
    with school.services.db.read() as session:
        (row,) = consent_history(session, isolde)
    assert (row.withdrawn_by, row.allowed) == (lead, True)


def test_every_permission_is_withdrawn_at_once_and_one_review_begins(school: School, lead: int) -> None:
    isolde = school.pupils["Isolde"]
    for kind in ("x", "facebook"):
        consents.record_consent(school.services, isolde, kind, YES, by=lead)
    consents.withdraw_everywhere(school.services, isolde, by=lead)
    assert not allowed(school, "Isolde")
    assert not allowed(school, "Isolde", "facebook")
    with school.services.db.read() as session:
        assert [row.withdrawn_by for row in consent_history(session, isolde)] == [lead, lead]
        (review,) = session.scalars(select(ConsentReview).where(ConsentReview.pupil_id == isolde))
    assert review.cause == "withdrawn"
    with pytest.raises(Conflict):
        consents.withdraw_everywhere(school.services, isolde, by=lead)


def test_the_never_mark_beats_a_yes_and_needs_a_reason(school: School, lead: int) -> None:
    wren = school.pupils["Wren"]
    with pytest.raises(BadInput):
        consents.mark_never(school.services, wren, reason=" ", by=lead)
    consents.mark_never(school.services, wren, reason="Court order", by=lead)
    assert not allowed(school, "Wren")
    with pytest.raises(BadInput):
        consents.clear_never(school.services, wren, reason="", by=lead)
    consents.clear_never(school.services, wren, reason="Order ended", by=lead)
    assert allowed(school, "Wren")
    with pytest.raises(Conflict):
        consents.clear_never(school.services, wren, reason="Again please", by=lead)


def test_a_leaver_is_a_no_from_the_day_after(school: School, lead: int) -> None:
    wren = school.pupils["Wren"]
    consents.set_leaver(school.services, wren, left_on=date(2026, 11, 23), by=lead)
    assert allowed(school, "Wren")
    consents.set_leaver(school.services, wren, left_on=date(2026, 11, 22), by=lead)
    assert not allowed(school, "Wren")
    consents.set_leaver(school.services, wren, left_on=None, by=lead)
    assert allowed(school, "Wren")


@pytest.mark.parametrize(
    ("permission", "field"),
    [
        (consents.Permission(allowed=True, basis=Basis.CONSENT, given_on=date(2026, 11, 24)), "given_on"),
        (
            consents.Permission(
                allowed=True, basis=Basis.CONSENT, given_on=date(2026, 10, 1), expires_on=date(2026, 9, 30)
            ),
            "expires_on",
        ),
    ],
)
def test_dates_that_cannot_be_right_are_refused(
    school: School, lead: int, permission: consents.Permission, field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        consents.record_consent(school.services, school.pupils["Isolde"], "x", permission, by=lead)
    assert field in caught.value.fields


def test_unknown_pupils_and_channels_are_refused(school: School, lead: int) -> None:
    with pytest.raises(NotFound):
        consents.record_consent(school.services, 999, "x", YES, by=lead)
    with pytest.raises(BadInput):
        consents.record_consent(school.services, school.pupils["Wren"], "tiktok", YES, by=lead)


FAMILY = consents.FamilyAnswer(
    said=Said.YES,
    given_on=date(2026, 10, 1),
    written_by="Mrs Applethwaite",
    told="Letter to both parents",
    each_told=True,
    nobody_objects=True,
)


def matched(school: School, name: str) -> Answer:
    with school.services.db.read() as session:
        pupil = session.get_one(Pupil, school.pupils[name])
        return biometric_answer(session, pupil, today=date(2026, 11, 23))


def test_a_whole_biometric_yes_is_a_yes(school: School, lead: int) -> None:
    assert matched(school, "Wren").sentence == "Nothing on record."
    consents.record_biometric(school.services, school.pupils["Wren"], FAMILY, by=lead)
    assert matched(school, "Wren").allowed
    assert not matched(school, "Jonty").allowed


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"written_by": " "}, "written_by"),
        ({"told": "ok"}, "told"),
        ({"each_told": False}, "each_told"),
        ({"nobody_objects": False}, "nobody_objects"),
        ({"given_on": date(2026, 11, 24)}, "given_on"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cannot_record_a_biometric_yes_that_leaves_out_what_the_law_asks(
    school: School, lead: int, missing: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        consents.record_biometric(school.services, school.pupils["Wren"], replace(FAMILY, **missing), by=lead)
    assert set(caught.value.fields) == {field}
    assert matched(school, "Wren").sentence == "Nothing on record."


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Said.PARENT_OBJECTS, "A parent objects. One objection is enough."),
        (Said.CHILD_OBJECTS, "The pupil objects. That beats every consent."),
        (Said.NOT_GIVEN, "No consent in writing."),
    ],
)
def test_one_objection_beats_an_earlier_consent(school: School, lead: int, said: Said, sentence: str) -> None:
    wren = school.pupils["Wren"]
    consents.record_biometric(school.services, wren, FAMILY, by=lead)
    no = consents.FamilyAnswer(said=said, given_on=date(2026, 11, 20))
    consents.record_biometric(school.services, wren, no, by=lead)
    assert (matched(school, "Wren").allowed, matched(school, "Wren").sentence) == (False, sentence)


def test_a_biometric_yes_ends_with_its_day_with_its_withdrawal_and_with_the_never_mark(
    school: School, lead: int
) -> None:
    ended = replace(FAMILY, expires_on=date(2026, 11, 22))
    consents.record_biometric(school.services, school.pupils["Wren"], ended, by=lead)
    assert matched(school, "Wren").sentence == "The consent has run out."
    jonty = school.pupils["Jonty"]
    consents.record_biometric(school.services, jonty, FAMILY, by=lead)
    consents.mark_never(school.services, jonty, reason="Court order", by=lead)
    assert not matched(school, "Jonty").allowed
    consents.clear_never(school.services, jonty, reason="Order ended", by=lead)
    assert matched(school, "Jonty").allowed
    consents.withdraw_consent(school.services, jonty, ANY_CHANNEL, Purpose.BIOMETRIC, by=lead)
    assert matched(school, "Jonty").sentence == "The consent was withdrawn."


def test_a_yes_recorded_without_the_facts_is_no_yes(school: School, lead: int) -> None:
    """As an earlier release recorded it: with a note alone."""
    with school.services.db.begin() as session:
        session.add(
            Consent(
                pupil_id=school.pupils["Wren"],
                channel_kind=ANY_CHANNEL,
                purpose=Purpose.BIOMETRIC,
                allowed=True,
                basis=Basis.CONSENT,
                given_on=date(2026, 9, 1),
                note="signed form, both parents",
                recorded_by=lead,
                recorded_at=school.services.clock.now(),
            )
        )
    assert matched(school, "Wren").sentence.startswith("The record does not say who consented in writing")


def test_the_database_itself_refuses_a_yes_without_facts(school: School, lead: int) -> None:
    consents.record_biometric(school.services, school.pupils["Wren"], FAMILY, by=lead)
    with pytest.raises(IntegrityError), school.services.db.begin() as session:
        session.execute(update(BiometricFacts).values(written_by=""))


def test_the_author_of_a_waiting_post_is_told_without_a_name(school: School, lead: int) -> None:
    shown = school.post(photos=1, pupils=("Wren",))
    other = school.post(photos=1, pupils=("Jonty",))
    with school.services.db.begin() as session:
        for post_id in (shown, other):
            session.get_one(Post, post_id).state = PostState.SCHEDULED
    consents.withdraw_consent(school.services, school.pupils["Wren"], "x", Purpose.SOCIAL_MEDIA, by=lead)
    with school.services.db.read() as session:
        assert session.get_one(Post, shown).note == HELD_NOTE
        assert session.get_one(Post, other).note == ""
    assert "Wren" not in HELD_NOTE
    consents.record_consent(school.services, school.pupils["Jonty"], "x", YES, by=lead)
    with school.services.db.read() as session:
        assert session.get_one(Post, other).note == consents.CHANGED_NOTE


def test_every_step_and_every_look_is_audited_and_names_nobody(school: School, lead: int) -> None:
    wren = school.pupils["Wren"]
    consents.note_look(school.services, wren, by=lead)
    consents.record_consent(school.services, wren, "x", YES, by=lead)
    consents.mark_never(school.services, wren, reason="Court order about Wren", by=lead)
    with school.services.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.subject == f"pupil:{wren}")).all()
    assert [row.action for row in rows] == ["pupil.seen", "consent.recorded", "never.marked"]
    assert "Wren" not in str([(row.subject, row.detail) for row in rows])


def test_pupils_are_found_however_the_name_is_typed(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Pupil, school.pupils["Wren"]).first_name = "Zoë"
    with school.services.db.read() as session:
        today = date(2026, 11, 23)
        assert [p.id for p in find_pupils(session, today=today, words="ZOE").items] == [school.pupils["Wren"]]
        assert find_pupils(session, today=today, words="nobody").total == 0
        assert find_pupils(session, today=today, left=True).total == 0
        page = find_pupils(session, today=today + timedelta(days=1), page=9, size=2)
        assert (page.number, page.pages, page.total) == (2, 2, 3)
