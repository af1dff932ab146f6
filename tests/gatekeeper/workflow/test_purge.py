"""What had its time goes and nothing else does: younger, held, asked about, on its way, or used by somebody else."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from approvals import ledger_records
from approvals.tables import ApprovalRequest, ApprovalView, Decision, LedgerEntry
from gatekeeper.cases.model import Case
from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict, NotAllowed, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Attempt, Face, Finding, Photo, Post, Publication, Restoration, Version
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import legal_hold, purge
from gatekeeper.workflow.evidence import Wish, export
from gatekeeper.workflow.own_post import own_post, readable_post
from gatekeeper.workflow.submit import use_again
from tests.conftest import ToldClock
from tests.factories.aged import aged_case, aged_post, files_of, open_case, published_post, taken_down
from tests.factories.school import School, make_services


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """On both databases."""
    return School(make_services(database, tmp_path, clock))


@pytest.fixture
def one_school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """Where the kind of database does not matter."""
    return School(make_services(sqlite_database, tmp_path, clock))


def purged(school: School) -> dict[str, int]:
    """One whole night; what it says it erased."""
    for _ in range(20):
        purge.run(school.services)
        with school.services.db.read() as session:
            if not purge.is_due(session, now=school.services.clock.now()):
                last = purge.last_runs(session)[0]
                assert last.failed == ()
                return last.counts
    raise AssertionError("the night never ends")


def staff(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def hold(school: School, subject: str) -> int:
    return legal_hold.place(
        school.services,
        case_id=open_case(school),
        subject=subject,
        reason="A solicitor asked for it",
        by=staff(school, Role.HEADTEACHER),
    )


def post(school: School, post_id: int) -> Post:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id)


def age_files(school: School, days: float = 3) -> None:
    """As if every file had been put so long ago, by the clock of the test."""
    moment = (school.services.clock.now() - timedelta(days=days)).timestamp()
    for path in school.services.media.root.rglob("*.*"):
        os.utime(path, (moment, moment))


def everything_in(school: School) -> str:
    """Every value of every table, to look for a word in."""
    with school.services.db.engine.connect() as connection:
        from approvals.tables import ApprovalBase
        from gatekeeper.db.base import Base

        told = []
        for metadata in (Base.metadata, ApprovalBase.metadata):
            for table in metadata.sorted_tables:
                told += [str(tuple(row)) for row in connection.execute(select(table))]
        return "\n".join(told)


def test_a_refused_post_goes_with_every_word_and_the_ledger_stays_whole(school: School, clock: ToldClock) -> None:
    text = "Zebedee's marrow won at the show"
    gone = school.post(text=text, photos=1, pupils=("Wren",), kinds=("x",))
    school.approve(gone)
    with school.services.db.begin() as session:
        number = session.scalar(select(Publication.id)) or 0
        session.execute(update(Publication).values(state="cancelled", problem="Zebedee"))
        session.add(
            Attempt(publication_id=number, fence=1, started_at=clock.now(), digest="", outcome="", detail="Zebedee")
        )
        session.execute(
            update(Post).values(
                state=PostState.WITHDRAWN, title="Zebedee", note="Zebedee", wordings={"1": "Zebedee"},
                changed_at=clock.now() - timedelta(days=31), due_at=clock.now() - timedelta(days=31),
            )
        )  # fmt: skip
        version = session.scalars(select(Version)).one()
        session.add(
            Finding(
                version_id=version.id, rule="x", clause="3.1", severity="block", field="text", quote="Zebedee",
                message="Zebedee", reason="Zebedee",
            )
        )  # fmt: skip
        session.execute(update(ApprovalRequest).values(title="Zebedee", closed_reason="Zebedee"))
        digest = version.digest
    assert "Zebedee" in everything_in(school)
    assert purged(school)["rejected"] == 1
    assert "Zebedee" not in everything_in(school)
    assert "I approve this post" not in everything_in(school)
    with school.services.db.read() as session:
        assert ledger_records.verify(session).ok
        kept = session.get_one(Post, gone)
        assert kept.erased_at == clock.now()
        version = session.scalars(select(Version)).one()
        assert (version.canonical, version.originals, version.digest) == ("", None, digest)
        decision = session.scalars(select(Decision)).one()
        assert (decision.digest, decision.statement, decision.text_salt) == (digest, None, None)
        assert session.scalar(select(func.count(Photo.id))) == 0
        assert session.scalar(select(func.count(Face.id))) == 0
        assert session.scalar(select(func.count()).select_from(ApprovalView)) == 0
        assert session.scalar(select(func.count(Publication.id))) == 1
        entry = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "erased")).one()
        assert entry.body == f'{{"subject":"post:{gone}","why":"rejected"}}'


def test_a_post_that_never_went_out_goes_by_its_state_and_age(one_school: School) -> None:
    over = {
        PostState.WITHDRAWN: 30, PostState.REFUSED: 30, PostState.EXPIRED: 30, PostState.MISSED: 30,
        PostState.FAILED: 30, PostState.DRAFT: 90, PostState.OPEN: 90, PostState.CHANGES: 90, PostState.SCAN_FAILED: 90,
    }  # fmt: skip
    moving = (
        PostState.SCANNING, PostState.REQUESTING, PostState.WAITING, PostState.SCHEDULED, PostState.NEEDS_PERSON,
    )  # fmt: skip
    planted = [(state, days + more) for state, days in over.items() for more in (-1, 1)]
    planted += [(state, 4000) for state in moving]
    ids = {
        aged_post(one_school, days=days, state=state, text=f"{n}"): (state, days)
        for n, (state, days) in enumerate(planted)
    }
    purged(one_school)
    with one_school.services.db.read() as session:
        gone = set(session.scalars(select(Post.id).where(Post.erased_at.is_not(None))))
    assert {ids[one] for one in gone} == {(state, days + 1) for state, days in over.items()}


def test_a_draft_whose_time_is_still_to_come_stays_however_old_it_is(one_school: School, clock: ToldClock) -> None:
    post_id = aged_post(one_school, days=400, state=PostState.DRAFT)
    with one_school.services.db.begin() as session:
        session.execute(update(Post).values(due_at=clock.now() + timedelta(days=1)))
    purged(one_school)
    assert post(one_school, post_id).erased_at is None


def test_a_published_post_stays_while_a_child_in_it_is_at_the_school(one_school: School, clock: ToldClock) -> None:
    with_child = published_post(one_school, days=1200, pupils=("Wren",))
    without = published_post(one_school, days=1200)
    young = published_post(one_school, days=1000)
    purged(one_school)
    assert [post(one_school, one).erased_at is not None for one in (with_child, without, young)] == [False, True, False]
    for days, goes in ((364, False), (366, True)):
        with one_school.services.db.begin() as session:
            session.get_one(Pupil, one_school.pupils["Wren"]).left_on = (clock.now() - timedelta(days=days)).date()
        clock.advance(days=1)
        purged(one_school)
        assert (post(one_school, with_child).erased_at is not None) == goes


@pytest.mark.parametrize(
    ("days", "state", "goes"), [(181, "gone", True), (179, "gone", False), (400, "ordered", False)]
)
def test_a_post_that_was_taken_down_everywhere_goes_sooner(
    one_school: School, days: int, state: str, goes: bool
) -> None:
    post_id = published_post(one_school, days=500, pupils=("Wren",))
    taken_down(one_school, post_id, days=days, state=state)
    purged(one_school)
    assert (post(one_school, post_id).erased_at is not None) == goes


def test_a_post_of_which_one_channel_still_shows_it_is_not_taken_down_everywhere(one_school: School) -> None:
    post_id = published_post(one_school, days=500, pupils=("Wren",))
    taken_down(one_school, post_id, days=400)
    with one_school.services.db.begin() as session:
        from gatekeeper.posts.public import Takedown

        session.delete(session.scalars(select(Takedown).order_by(Takedown.id.desc())).first())
    purged(one_school)
    assert post(one_school, post_id).erased_at is None


@pytest.mark.parametrize("subject", ["post", "case", "pupil"])
def test_what_is_held_is_never_purged_and_goes_once_the_hold_ends(
    one_school: School, clock: ToldClock, subject: str
) -> None:
    post_id = aged_post(one_school, days=4000, pupils=("Wren",))
    case_id = aged_case(one_school, days=4000, post_id=post_id)
    wren = one_school.pupils["Wren"]
    held = hold(one_school, {"post": f"post:{post_id}", "case": f"case:{case_id}", "pupil": f"pupil:{wren}"}[subject])
    kept_until_the_hold_ends(one_school, clock, post_id, held)


def test_a_post_that_only_may_name_a_held_child_is_held_too(school: School, clock: ToldClock) -> None:
    post_id = aged_post(school, days=4000, text="Well done, ISOLDE-Applethwaite!")
    kept_until_the_hold_ends(school, clock, post_id, hold(school, f"pupil:{school.pupils['Isolde']}"))


def kept_until_the_hold_ends(school: School, clock: ToldClock, post_id: int, held: int) -> None:
    purged(school)
    assert post(school, post_id).text != ""
    with school.services.db.read() as session:
        assert legal_hold.is_held(session, f"post:{post_id}")
    legal_hold.end(school.services, held, reason="The claim is settled", by=staff(school, Role.ADMINISTRATOR))
    clock.advance(days=1)
    purged(school)
    assert post(school, post_id).erased_at is not None
    with school.services.db.read() as session:
        assert ledger_records.verify(session).ok
        kinds = session.scalars(
            select(LedgerEntry.kind).where(LedgerEntry.kind.like("hold.%")).order_by(LedgerEntry.seq)
        ).all()
        assert kinds == ["hold.placed", "hold.ended"]


def test_an_open_case_about_a_post_keeps_it_without_a_hold(one_school: School) -> None:
    post_id = aged_post(one_school, days=4000)
    case_id = open_case(one_school, post_id=post_id)
    assert "rejected" not in purged(one_school)
    assert post(one_school, post_id).erased_at is None
    with one_school.services.db.read() as session:
        assert session.get_one(Case, case_id).words == "Wren was seen"


@pytest.mark.parametrize("role", [role for role in Role if role not in legal_hold.MAY_HOLD], ids=str)
def test_a_hold_is_placed_and_ended_by_few(one_school: School, role: Role) -> None:
    post_id, by = aged_post(one_school, days=1), staff(one_school, role)
    with pytest.raises(NotAllowed):
        legal_hold.place(
            one_school.services, case_id=open_case(one_school), subject=f"post:{post_id}", reason="Because of it", by=by
        )
    with pytest.raises(NotAllowed):
        legal_hold.end(one_school.services, hold(one_school, f"post:{post_id}"), reason="Because of that", by=by)


def test_a_hold_ends_once_and_is_not_placed_twice(one_school: School) -> None:
    post_id, head = aged_post(one_school, days=1), staff(one_school, Role.HEADTEACHER)
    case_id = open_case(one_school)
    place: dict[str, Any] = {"case_id": case_id, "subject": f"post:{post_id}", "reason": "A claim was made", "by": head}
    number = legal_hold.place(one_school.services, **place)
    with pytest.raises(Conflict, match="held under this case already"):
        legal_hold.place(one_school.services, **place)
    legal_hold.end(one_school.services, number, reason="It is settled now", by=head)
    with pytest.raises(Conflict, match="ended already"):
        legal_hold.end(one_school.services, number, reason="It is settled now", by=head)


def test_a_crash_in_the_middle_of_a_post_erases_none_of_it(one_school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id = aged_post(one_school, days=31, photos=1)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("approvals.erasure.erase_words", crash)
    with pytest.raises(KeyboardInterrupt):
        purge.run(one_school.services)
    kept = post(one_school, post_id)
    assert (kept.erased_at, kept.text != "") == (None, True)
    assert files_of(one_school, post_id)


def test_one_class_that_cannot_be_purged_keeps_no_other(
    one_school: School, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aged_post(one_school, days=31, text="Zebedee")
    case_id = aged_case(one_school, days=1200)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Zebedee")

    monkeypatch.setattr("gatekeeper.workflow.purge_posts.erase", fail)
    purge.run(one_school.services)
    with one_school.services.db.read() as session:
        assert session.get_one(Case, case_id).erased_at is not None
        assert purge.last_runs(session)[0].failed == ("rejected",)
    assert "RuntimeError" in caplog.text
    assert "Zebedee" not in caplog.text


def test_a_round_ends_after_a_while_and_the_next_goes_on(one_school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "STEPS", 2)
    for number in range(25):
        aged_post(one_school, days=31, text=f"Number {number}")
    purge.run(one_school.services)
    with one_school.services.db.read() as session:
        assert session.scalar(select(func.count(Post.id)).where(Post.erased_at.is_not(None))) == 20
        assert purge.last_runs(session) == []
    assert purged(one_school)["rejected"] == 25


def test_it_runs_once_a_night_and_says_how_many_never_what(one_school: School, clock: ToldClock) -> None:
    aged_post(one_school, days=31, text="Zebedee's marrow")
    purged(one_school)
    with one_school.services.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.subject == "retention").order_by(Audit.id)).all()
        assert [row.detail for row in rows] == [{"class": "rejected", "number": 1}, {"counts": {"rejected": 1}}]
    purge.run(one_school.services)
    clock.advance(hours=15)  # midnight: still the same night
    purge.run(one_school.services)
    with one_school.services.db.read() as session:
        assert len(purge.last_runs(session)) == 1
    clock.advance(hours=1)
    purge.run(one_school.services)
    with one_school.services.db.read() as session:
        assert len(purge.last_runs(session)) == 2


def test_nothing_is_purged_before_a_restored_database_knows_what_went_out(one_school: School, clock: ToldClock) -> None:
    post_id = aged_post(one_school, days=31)
    with one_school.services.db.begin() as session:
        session.add(Restoration(taken_at=clock.now(), restored_at=clock.now()))
    purge.run(one_school.services)
    assert post(one_school, post_id).erased_at is None
    with one_school.services.db.begin() as session:
        session.execute(update(Restoration).values(finished_at=clock.now()))
    purged(one_school)
    assert post(one_school, post_id).erased_at is not None


def test_an_erased_post_opens_to_nobody_and_is_used_for_nothing(one_school: School) -> None:
    post_id = aged_post(one_school, days=31, photos=1)
    with one_school.services.db.begin() as session:
        session.execute(update(Post).values(state=PostState.REFUSED))
    purged(one_school)
    with one_school.services.db.read() as session, pytest.raises(NotFound, match="were erased on 23 November 2026"):
        readable_post(session, post_id, staff(one_school, Role.HEADTEACHER))
    with one_school.services.db.begin() as session, pytest.raises(NotFound, match="were erased"):
        own_post(session, post_id, one_school.author)
    with pytest.raises(NotFound, match="were erased"):
        use_again(one_school.services, post_id, one_school.author)


def test_the_evidence_of_an_erased_post_says_that_it_was_erased(one_school: School) -> None:
    post_id = published_post(one_school, days=1200)
    purged(one_school)
    with pytest.raises(Conflict, match="were erased on 23 November 2026"):
        export(one_school.services, post_id, Wish(), by=staff(one_school, Role.HEADTEACHER))


def test_a_post_whose_originals_are_gone_is_used_again_without_them(one_school: School) -> None:
    post_id = published_post(one_school, days=31, photos=1)
    purged(one_school)
    copy = use_again(one_school.services, post_id, one_school.author)
    assert files_of(one_school, copy) == set()
    assert "photos" in post(one_school, copy).note
