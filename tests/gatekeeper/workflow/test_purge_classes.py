"""Every class of data beside posts: the younger stays, the older goes, the held stays, and the frame is kept."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from approvals import deputies, ledger_records
from approvals.tables import ApprovalToken, DeputyAppointment
from gatekeeper.cases.model import Case, CaseAttachment, CaseEntry, CaseReply
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.people.biometric import BiometricFacts
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.own_rules import WordQuestion
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.roll import find_pupils
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Audit, Invitation, Role, Staff, StaffSession
from gatekeeper.people.templates import Enrolment
from gatekeeper.policy import retention
from gatekeeper.posts.model import PhotoScan, PictureReading
from gatekeeper.posts.public import ConsentReview, Incident, RemotePublicPost, ReviewItem, Takedown
from gatekeeper.workflow import legal_hold, purge
from tests.conftest import ToldClock
from tests.factories.aged import aged_case, aged_post, open_case, published_post, taken_down
from tests.factories.school import School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def purged(school: School) -> dict[str, int]:
    purge.run(school.services)
    with school.services.db.read() as session:
        last = purge.last_runs(session)[0]
        assert last.failed == ()
        assert last.at == school.services.clock.now()
        return last.counts


def again(school: School, clock: ToldClock) -> dict[str, int]:
    clock.advance(days=1)
    return purged(school)


def hold(school: School, subject: str) -> None:
    with school.services.db.read() as session:
        head = session.get_one(Staff, school.head)
    legal_hold.place(
        school.services, case_id=open_case(school), subject=subject, reason="A solicitor asked for it", by=head
    )


def add(school: School, *rows: Any) -> None:
    with school.services.db.begin() as session:
        session.add_all(rows)


def count(school: School, table: Any) -> int:
    with school.services.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


Plant = Callable[[School, datetime], list[Any]]
_MADE: dict[str, tuple[Any, Plant]] = {
    "mail": (
        Notice,
        lambda s, at: [
            Notice(
                kind="decided", staff_id=s.author, subject=f"a{at}", created_at=at, sent_at=at, message_id="<a@b.example>"
            )
        ],
    ),
    "sessions": (
        StaffSession,
        lambda s, at: [
            StaffSession(id_hash=f"{at}", staff_id=s.author, created_at=at, last_seen_at=at, expires_at=at),
        ],
    ),
    "word_questions": (
        WordQuestion,
        lambda s, at: [WordQuestion(post_id=s.post(), quote="Wren", sentence="Wren", asked_by=s.author, asked_at=at)],
    ),
    "enrolments": (
        Enrolment,
        lambda s, at: [
            Enrolment(
                pupil_id=s.pupils["Wren"], media_sha256="", state="refused", sentence="No face", asked_by=s.head,
                asked_at=at, ended_at=at,
            )
        ],
    ),
    "public_readings": (
        RemotePublicPost,
        lambda s, at: [
            RemotePublicPost(
                account_id=s.accounts["x"], remote_id=f"{at}", text="Wren", posted_at=at, first_seen_at=at, seen_at=at
            )
        ],
    ),
    "scan_results": (
        PhotoScan,
        lambda _, at: [
            PhotoScan(sha256=f"{int(at.timestamp()):064d}", engine="e", faces=[], width=1, height=1, scanned_at=at)
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("class_id", sorted(_MADE))
def test_the_older_goes_and_the_younger_stays(school: School, clock: ToldClock, class_id: str) -> None:
    table, made = _MADE[class_id]
    days = retention.classes()[class_id].days
    before = count(school, table)
    for age in (days - 0.1, days + 0.1):
        add(school, *made(school, clock.now() - timedelta(days=age)))
    assert purged(school)[class_id] == 1
    assert count(school, table) == before + 1
    with school.services.db.begin() as session:
        change_setting(session, "retention", {class_id: retention.classes()[class_id].least}, by=None, now=clock.now())
    clock.advance(days=retention.classes()[class_id].least + 1)
    purged(school)
    assert count(school, table) == before


def test_a_mail_that_was_never_sent_stays(school: School, clock: ToldClock) -> None:
    at = clock.now() - timedelta(days=900)
    add(school, Notice(kind="decided", staff_id=school.author, subject="x", created_at=at, message_id="<a@b.example>"))
    assert purged(school) == {}


def test_invitations_and_browsers_with_a_pin_go_when_they_ended(school: School, clock: ToldClock) -> None:
    now = clock.now()
    old, young = now - timedelta(days=31), now - timedelta(days=29)
    for name, end in (("a", old), ("b", young)):
        add(school, Invitation(staff_id=school.author, token_hash=name, created_at=old, expires_at=end))
    add(school, Invitation(staff_id=school.author, token_hash="c", created_at=old, expires_at=now, used_at=old))
    assert purged(school) == {"sessions": 2}


def test_links_go_a_while_after_their_question_and_never_while_it_is_open(school: School, clock: ToldClock) -> None:
    published_post(school, days=1, text="One")
    school.ask(school.post(text="Two", due_in=timedelta(days=3)))
    assert count(school, ApprovalToken) == 2
    clock.advance(days=91)
    assert purged(school)["links"] == 1  # the open question was not closed by anybody
    clock.advance(days=5)
    purged(school)
    assert count(school, ApprovalToken) == 1


def leaver(school: School, clock: ToldClock, name: str = "Wren", *, days: int) -> None:
    with school.services.db.begin() as session:
        pupil = session.get_one(Pupil, school.pupils[name])
        pupil.left_on, pupil.born_on = (clock.now() - timedelta(days=days)).date(), date(2017, 5, 4)
        pupil.never_publish, pupil.never_reason = True, "Adopted"
        pupil.never_by, pupil.never_at = school.head, clock.now()


def test_a_leaver_keeps_a_number_and_loses_everything_else(school: School, clock: ToldClock) -> None:
    leaver(school, clock, days=366)
    leaver(school, clock, "Jonty", days=364)
    wren = school.pupils["Wren"]
    with school.services.db.begin() as session:
        consent = Consent(
            pupil_id=wren, channel_kind="any", purpose=Purpose.BIOMETRIC, allowed=True, basis=Basis.CONSENT,
            given_on=date(2026, 1, 1), recorded_by=school.head, recorded_at=clock.now(),
        )  # fmt: skip
        session.add(consent)
        session.flush()
        session.add(BiometricFacts(consent_id=consent.id, said="yes", written_by="Mrs A", told="Both by letter"))
    assert purged(school) == {"leavers": 1}
    with school.services.db.read() as session:
        gone = session.get_one(Pupil, wren)
        assert (gone.first_name, gone.last_name, gone.known_as, gone.born_on, gone.never_reason) == (
            "",
            "",
            "",
            None,
            None,
        )
        assert (gone.reference, gone.full_name, gone.never_publish) == (f"gone-{wren}", f"Former pupil {wren}", True)
        assert session.scalar(select(func.count(Consent.id)).where(Consent.pupil_id == wren)) == 0
        assert session.scalar(select(func.count()).select_from(BiometricFacts)) == 0
        assert session.get_one(Pupil, school.pupils["Jonty"]).first_name == "Jonty"
        left = find_pupils(session, today=clock.now().date(), left=True)
        assert [pupil.first_name for pupil in left.items] == ["Jonty"]
    assert again(school, clock) == {}  # once is enough


def test_a_leavers_name_stays_while_a_kept_post_shows_the_child(school: School, clock: ToldClock) -> None:
    published_post(school, days=400, pupils=("Wren",))
    leaver(school, clock, days=400)
    assert "leavers" not in purged(school)
    clock.advance(days=700)
    purged(school)  # the post goes first, and in the same night the name
    with school.services.db.read() as session:
        assert session.get_one(Pupil, school.pupils["Wren"]).full_name.startswith("Former pupil")


@pytest.mark.parametrize("why", ["hold", "review"])
def test_a_leaver_who_is_held_or_being_reviewed_keeps_the_name(school: School, clock: ToldClock, why: str) -> None:
    leaver(school, clock, days=4000)
    wren = school.pupils["Wren"]
    if why == "hold":
        hold(school, f"pupil:{wren}")
    else:
        add(school, ConsentReview(pupil_id=wren, cause="left", opened_at=clock.now()))
    assert "leavers" not in purged(school)


def test_who_consented_to_matching_goes_a_year_after_the_withdrawal_and_an_objection_stays(
    school: School, clock: ToldClock
) -> None:
    for said, days in (("yes", 366), ("yes", 364), ("child", None)):
        at = clock.now() - timedelta(days=days) if days else None
        with school.services.db.begin() as session:
            consent = Consent(
                pupil_id=school.pupils["Wren"], channel_kind="any", purpose=Purpose.BIOMETRIC, allowed=said == "yes",
                basis=Basis.CONSENT, given_on=date(2024, 1, 1), recorded_by=school.head, recorded_at=clock.now(),
                withdrawn_at=at, withdrawn_by=school.head if at else None,
            )  # fmt: skip
            session.add(consent)
            session.flush()
            session.add(BiometricFacts(consent_id=consent.id, said=said, written_by="Mrs A", told="By letter"))
    assert purged(school) == {"biometric_facts": 1}
    assert count(school, BiometricFacts) == 2


def test_an_incidents_words_and_pictures_go_and_that_it_was_stays(school: School, clock: ToldClock) -> None:
    for number, days in enumerate((366, 364, None)):
        at = clock.now() - timedelta(days=days) if days else None
        add(
            school,
            Incident(
                account_id=school.accounts["x"], kind="ungated", remote_id=str(number), text="Wren won", pictures=["a" * 64],
                seen_at=clock.now() - timedelta(days=400), closed_at=at, closed_by=school.head if at else None,
                outcome="Taken down by the office",
            ),
        )  # fmt: skip
    assert purged(school) == {"incidents": 1}
    with school.services.db.read() as session:
        words = [(one.text, one.outcome, one.pictures, one.kind) for one in session.scalars(select(Incident))]
        assert words[0] == ("", "", [], "ungated")
        assert all(text == "Wren won" for text, *_ in words[1:])
    assert again(school, clock) == {}


def test_a_removals_words_go_and_its_proof_stays(school: School, clock: ToldClock) -> None:
    post_id = published_post(school, days=100, kinds=("x",))
    taken_down(school, post_id, days=366)
    young = published_post(school, days=100, kinds=("x",), text="Another")
    taken_down(school, young, days=30)
    purged(school)
    with school.services.db.read() as session:
        rows = session.scalars(select(Takedown).order_by(Takedown.id)).all()
        assert [(row.words != "", row.state, row.confirmed_at is not None) for row in rows] == [
            (False, "gone", True),
            (True, "gone", True),
        ]


@pytest.mark.parametrize(("days", "held", "goes"), [(366, False, True), (364, False, False), (4000, True, False)])
def test_a_consent_reviews_letter_goes_a_year_after_its_end(
    school: School, clock: ToldClock, days: int, held: bool, goes: bool
) -> None:
    wren, at = school.pupils["Wren"], clock.now() - timedelta(days=days)
    post_id = published_post(school, days=10)
    with school.services.db.begin() as session:
        review = ConsentReview(
            pupil_id=wren, cause="withdrawn", opened_at=at, letter="Dear Mrs A", closed_at=at, closed_by=school.head
        )
        session.add(review)
        session.flush()
        session.add(
            ReviewItem(
                review_id=review.id, post_id=post_id, state="kept", words="Wren is not seen", ended_at=at,
                ended_by=school.head,
            )
        )  # fmt: skip
    if held:
        hold(school, f"pupil:{wren}")
    purged(school)
    with school.services.db.read() as session:
        letter, words = (
            session.scalars(select(ConsentReview.letter)).one(),
            session.scalars(select(ReviewItem.words)).one(),
        )
    assert (letter, words) == (("", "") if goes else ("Dear Mrs A", "Wren is not seen"))


@pytest.mark.parametrize(
    ("kind", "days", "goes"),
    [
        ("complaint", 1094, False),
        ("complaint", 1096, True),
        ("enquiry", 1096, True),
        ("breach", 1096, False),
        ("breach", 2191, True),
    ],
)
def test_a_case_loses_its_words_and_keeps_its_frame(
    school: School, clock: ToldClock, kind: str, days: int, goes: bool
) -> None:
    case_id = aged_case(school, days=days, kind=kind)
    add(
        school,
        CaseAttachment(case_id=case_id, sha256="b" * 64, name="wren.png", added_by=school.head, added_at=clock.now()),
        CaseReply(
            case_id=case_id, number=1, recipient="Mrs A", words="Wren is sorry", digest="c" * 64,
            written_by=school.head, written_at=clock.now(),
        ),
    )  # fmt: skip
    purged(school)
    with school.services.db.read() as session:
        case = session.get_one(Case, case_id)
        entry, reply = session.scalars(select(CaseEntry)).one(), session.scalars(select(CaseReply)).one()
        told = (case.title, case.words, case.outcome, case.link, entry.words, reply.words, reply.recipient)
        assert ("Wren" not in str(told)) == goes
        assert (case.erased_at is not None, case.facts == {}, count(school, CaseAttachment) == 0) == (goes, goes, goes)
        assert (case.kind, case.state, reply.digest) == (kind, "closed", "c" * 64)
        assert ledger_records.verify(session).ok


def test_a_case_under_which_something_is_held_stays(school: School) -> None:
    post_id = aged_post(school, days=1)
    case_id = aged_case(school, days=4000)
    with school.services.db.read() as session:
        head = session.get_one(Staff, school.head)
    legal_hold.place(school.services, case_id=case_id, subject=f"post:{post_id}", reason="A claim was made", by=head)
    assert purged(school) == {}


def test_why_a_deputy_was_named_goes_after_six_years(school: School, clock: ToldClock) -> None:
    now = clock.now()
    with school.services.db.begin() as session:
        appointment = deputies.name(
            session, head_id=school.head, deputy_id=school.staff[Role.DEPUTY], starts_at=now,
            ends_at=now + timedelta(days=1), reason="At a conference", proof_method="pin", now=now,
        )  # fmt: skip
        assert appointment is not None
    clock.advance(days=2190)
    purged(school)
    clock.advance(days=2)
    assert purged(school)["deputies"] == 1
    with school.services.db.read() as session:
        row = session.scalars(select(DeputyAppointment)).one()
        assert (row.reason, row.reason_salt, row.deputy_id) == (None, None, school.staff[Role.DEPUTY])
        assert ledger_records.verify(session).ok


def test_staff_who_left_long_ago_become_a_number(school: School, clock: ToldClock) -> None:
    gone, agency, young = (school.staff[role] for role in (Role.LINE_MANAGER, Role.AUTHOR, Role.AUDITOR))
    with school.services.db.begin() as session:
        for number, days in ((gone, 2191), (young, 2189)):
            person = session.get_one(Staff, number)
            person.active, person.deactivated_at = False, clock.now() - timedelta(days=days)
        session.get_one(Staff, agency).ends_on = (clock.now() - timedelta(days=2192)).date()
    assert purged(school) == {"staff": 2}
    with school.services.db.read() as session:
        person = session.get_one(Staff, gone)
        told = (person.name, person.email, person.password_hash, person.active)
        assert told == (f"Former member of staff {gone}", f"left-{gone}@erased.invalid", None, False)
        assert not session.get_one(Staff, agency).active
        assert session.get_one(Staff, young).name.startswith("Mx")
    assert again(school, clock) == {}


def test_the_audit_goes_after_six_years_but_not_what_is_held(school: School, clock: ToldClock) -> None:
    wren = school.pupils["Wren"]
    hold(school, f"pupil:{wren}")
    for subject, days in ((f"pupil:{wren}", 4000), ("pupil:77", 2191), ("pupil:78", 2189)):
        add(
            school,
            Audit(at=clock.now() - timedelta(days=days), staff_id=school.head, action="pupil.seen", subject=subject),
        )
    assert purged(school) == {"audit": 1}
    with school.services.db.read() as session:
        subjects = session.scalars(select(Audit.subject).where(Audit.action == "pupil.seen")).all()
    assert set(subjects) == {f"pupil:{wren}", "pupil:78"}


def test_the_audit_may_be_kept_for_ever_and_posts_may_not(school: School, clock: ToldClock) -> None:
    add(school, Audit(at=clock.now() - timedelta(days=9000), staff_id=school.head, action="x", subject="y"))
    aged_post(school, days=31)
    with school.services.db.begin() as session:
        change_setting(session, "retention", {"audit": None, "rejected": None}, by=None, now=clock.now())
    assert purged(school) == {"rejected": 1}


def test_what_was_read_in_a_picture_goes_with_it_and_stays_with_a_picture_that_is_kept(
    school: School, clock: ToldClock
) -> None:
    aged_post(school, days=2, photos=1)
    with school.services.db.begin() as session:
        old = clock.now() - timedelta(days=2)
        session.execute(update(PictureReading).values(read_at=old))
        session.execute(update(PhotoScan).values(scanned_at=old))
        session.add(PictureReading(sha256="d" * 64, engine="e", words=[[0, 0, 1, 1, "Wren", 1]], codes=[], read_at=old))
    assert purged(school) == {"scan_results": 1}
    assert (count(school, PictureReading), count(school, PhotoScan)) == (1, 1)


def test_what_the_page_counts_is_what_the_night_erases(school: School, clock: ToldClock) -> None:
    for number in range(3):
        aged_post(school, days=31, text=f"Number {number}")
    aged_post(school, days=29)
    leaver(school, clock, days=366)
    aged_case(school, days=1200)
    with school.services.db.read() as session:
        told = {name: number for name, number in purge.waiting(session, now=clock.now()).items() if number}
    assert told == {"rejected": 3, "leavers": 1, "cases": 1}
    assert purged(school) == told
