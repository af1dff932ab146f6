"""Cases from opening to end: who is told, who sees what, what is written down, and what is refused."""

import io
import json
import zipfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader
from sqlalchemy import select

from approvals import ledger_records
from approvals.tables import LedgerEntry
from gatekeeper.cases.clocks import PEOPLE, REMOVE, REPORT
from gatekeeper.cases.model import Case, CaseAttachment, CaseClock, CaseEntry, CaseKind, CaseState
from gatekeeper.cases.rules import RULES, Sight, sight
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.workflow import case_clocks, case_export, case_view, case_work
from gatekeeper.workflow.case_right import standing, viewer
from gatekeeper.workflow.case_view import Search
from gatekeeper.workflow.cases import Opening, begin, open_case
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

SECRET = "Jonty Applethwaite was laughed at"
LINK = "https://social.example/@somebody/1"


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    school = School(make_services(sqlite_database, tmp_path, clock))
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).line_manager_id = school.staff[Role.LINE_MANAGER]
    return school


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def opened(school: School, kind: CaseKind, role: Role = Role.AUTHOR, **more: Any) -> int:
    given = {"title": "Something", "words": SECRET, "link": LINK} | more
    return begin(school.services, Opening(kind=kind, **given), by=who(school, role))


def removal(school: School, **more: Any) -> int:
    now = school.services.clock.now()
    given: dict[str, Any] = {"about_id": school.author, "deadline": now + timedelta(days=3)}
    return opened(school, CaseKind.REMOVAL, Role.HEADTEACHER, **given | more)


def case(school: School, case_id: int) -> Case:
    with school.services.db.read() as session:
        return session.get_one(Case, case_id)


def page(school: School, case_id: int, role: Role) -> case_view.CasePage:
    return case_view.page_for(school.services, case_id, who(school, role))


def told(school: School, kind: str) -> list[int]:
    with school.services.db.read() as session:
        return sorted(session.scalars(select(Notice.staff_id).where(Notice.kind == kind)))


def listed(school: School, role: Role, **search: Any) -> list[int]:
    with school.services.db.read() as session:
        found = case_view.listing(session, who(school, role), Search(**search), now=school.services.clock.now())
    return [one.id for one in found.lines]


def a_picture() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (64, 48), (20, 90, 60))
    exif = Image.Exif()
    exif[0x010F] = "A camera with a name"
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


# ---- whom it goes to ----


def test_a_concern_goes_to_the_line_manager_and_the_headteacher_hears_of_it(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    assert case(school, case_id).owner_id == school.staff[Role.LINE_MANAGER]
    assert told(school, "case_given") == sorted([school.staff[Role.LINE_MANAGER], school.head])


def test_a_concern_about_the_line_manager_goes_to_the_headteacher_and_the_manager_sees_nothing(school: School) -> None:
    manager = school.staff[Role.LINE_MANAGER]
    case_id = opened(school, CaseKind.CONCERN, about_id=manager)
    assert case(school, case_id).owner_id == school.head
    assert told(school, "case_given") == [school.head]
    assert listed(school, Role.LINE_MANAGER, which="all") == []
    with pytest.raises(NotFound):
        page(school, case_id, Role.LINE_MANAGER)
    with pytest.raises(BadInput):
        case_work.hand_over(school.services, case_id, manager, by=who(school, Role.HEADTEACHER))


def test_without_a_line_manager_it_goes_to_the_headteacher(school: School) -> None:
    assert case(school, opened(school, CaseKind.CONCERN, Role.CONSENT_LEAD)).owner_id == school.head


def test_a_concern_about_the_headteacher_goes_past_them_to_the_deputy(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN, about_id=school.head)
    assert case(school, case_id).owner_id == school.staff[Role.DEPUTY]
    assert school.head not in told(school, "case_given")
    with pytest.raises(NotFound):
        page(school, case_id, Role.HEADTEACHER)
    with pytest.raises(NotFound):
        case_export.export(school.services, case_id, by=who(school, Role.HEADTEACHER))


def test_a_concern_about_the_headteacher_is_not_kept_where_nobody_stands_beside_them(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.DEPUTY]).active = False
    with pytest.raises(BadInput, match="chair of governors"):
        opened(school, CaseKind.CONCERN, about_id=school.head)
    with school.services.db.read() as session:
        assert session.scalar(select(Case.id)) is None


def test_only_the_headteacher_asks_for_a_removal_and_never_of_themselves(school: School) -> None:
    now = school.services.clock.now()
    with pytest.raises(NotAllowed):
        opened(school, CaseKind.REMOVAL, Role.DEPUTY, about_id=school.author, deadline=now + timedelta(days=1))
    with pytest.raises(BadInput) as refused:
        removal(school, about_id=school.head, link=" ", words="", deadline=None)
    assert set(refused.value.fields) == {"about", "link", "words", "deadline_date"}


# ---- who sees what ----


def test_the_reporter_sees_the_progress_and_not_what_others_write(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    manager = who(school, Role.LINE_MANAGER)
    case_work.note(school.services, case_id, "Between us: I rang her sister.", by=manager)
    case_work.note(school.services, case_id, "Thank you, we are on it.", by=manager, shared=True)
    case_work.wait(school.services, case_id, waiting=True, by=manager)
    case_work.hand_over(school.services, case_id, school.head, words="It is above me", by=manager)
    mine = page(school, case_id, Role.AUTHOR)
    assert mine.sight is Sight.PROGRESS
    assert [one.words for one in mine.story if one.words] == ["Thank you, we are on it."]
    assert {one.kind for one in mine.story} == {"opened", "note", "waiting"}
    assert mine.state[0] == "Waiting for somebody"
    case_work.close(
        school.services, case_id, "settled", "She was warned.", told="It is settled.", by=who(school, Role.HEADTEACHER)
    )
    mine = page(school, case_id, Role.AUTHOR)
    assert "She was warned." not in repr(mine.story)
    assert mine.story[-1].words == "It is settled."
    assert mine.result == "Settled"


def test_whoever_handed_a_concern_over_sees_it_no_more(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    manager = who(school, Role.LINE_MANAGER)
    case_work.hand_over(school.services, case_id, school.head, by=manager)
    with pytest.raises(NotFound):
        case_work.note(school.services, case_id, "One more thing", by=manager)


def test_the_list_and_the_pages_agree_about_every_case_for_everybody(school: School) -> None:
    """The list asks the database in one question what the rules say of each case by itself."""
    now = school.services.clock.now()
    abouts = [None, school.author, school.head, school.staff[Role.LINE_MANAGER], school.staff[Role.ADMINISTRATOR]]
    with school.services.step() as session:
        for kind in CaseKind:
            for opener in (Role.AUTHOR, Role.HEADTEACHER):
                for about in abouts:
                    more = {"deadline": now + timedelta(days=2), "link": LINK} if kind is CaseKind.REMOVAL else {}
                    with suppress(BadInput, NotAllowed):
                        open_case(
                            session, kind=kind, title="One", words="Of many", by=school.staff[opener], now=now,
                            about_id=about, **more,
                        )  # fmt: skip
        for kind in CaseKind:  # and of each kind one whose words were erased, and with them whom it was about
            erased = open_case(
                session, kind=kind, title="One", words="Of many", by=school.head, now=now, link=LINK,
                deadline=now + timedelta(days=2), about_id=school.author if kind is CaseKind.REMOVAL else None,
            )  # fmt: skip
            gone = session.get_one(Case, erased)
            gone.erased_at, gone.about_id, gone.opened_by = now, None, school.author
        everything = session.scalars(select(Case)).all()
    assert len(everything) > 40
    for role in Role:
        reader = viewer(who(school, role))
        seen = {one.id for one in everything if sight(standing(one), reader) is not Sight.NOTHING}
        shown = [*listed(school, role, which="all"), *listed(school, role, which="all", page=2)]
        assert set(shown) == seen, role


def test_cases_can_be_looked_for_by_kind_and_by_what_is_overdue(school: School, clock: ToldClock) -> None:
    breach, concern = opened(school, CaseKind.BREACH), opened(school, CaseKind.CONCERN)
    assert listed(school, Role.HEADTEACHER) == [breach, concern]
    assert listed(school, Role.HEADTEACHER, kind=CaseKind.CONCERN) == [concern]
    assert listed(school, Role.HEADTEACHER, which="overdue") == []
    assert listed(school, Role.LINE_MANAGER, which="mine") == [concern]
    clock.advance(hours=73)
    assert listed(school, Role.HEADTEACHER, which="overdue") == [breach]


def test_reading_about_a_person_leaves_one_trace_a_day(school: School, clock: ToldClock) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    for _ in range(3):
        page(school, case_id, Role.HEADTEACHER)
    page(school, case_id, Role.AUTHOR)  # their own words
    clock.advance(days=1)
    page(school, case_id, Role.HEADTEACHER)
    with school.services.db.read() as session:
        reads = session.scalars(select(Audit).where(Audit.action == "case.read")).all()
    assert [(one.staff_id, one.subject) for one in reads] == [(school.head, f"case:{case_id}")] * 2


def test_a_number_that_is_no_case_is_no_case(school: School) -> None:
    for number in (0, -1, 99, 2**31, 10**18):
        with pytest.raises(NotFound):
            page(school, number, Role.HEADTEACHER)


# ---- what is written down, and where it is not ----


def test_no_word_of_a_case_is_in_the_ledger_the_audit_or_an_e_mail(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN, title="About Jonty")
    case_work.note(school.services, case_id, SECRET, by=who(school, Role.LINE_MANAGER), shared=True)
    case_work.close(school.services, case_id, "settled", SECRET, told=SECRET, by=who(school, Role.HEADTEACHER))
    with school.services.db.read() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
        audit = [repr((one.action, one.subject, one.detail)) for one in session.scalars(select(Audit))]
        notices = [repr((one.subject, one.context)) for one in session.scalars(select(Notice))]
        assert ledger_records.verify(session).ok
    assert [one.kind for one in entries if one.kind.startswith("case.")] == ["case.opened", "case.closed"]
    everything = " ".join([*(one.body for one in entries), *audit, *notices])
    assert "Jonty" not in everything
    assert LINK not in everything


def test_a_screenshot_is_made_anew_and_only_those_who_may_see_it_do(school: School) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    mine = case_work.attach(school.services, case_id, a_picture(), "C:\\secret\\shot.jpg", by=who(school, Role.AUTHOR))
    case_work.attach(school.services, case_id, _other_picture(), "b.jpg", by=who(school, Role.LINE_MANAGER))
    other = opened(school, CaseKind.CONCERN, title="Another")
    with school.services.db.read() as session:
        stored = session.get_one(CaseAttachment, mine)
        assert stored.name == "shot.jpg"
        assert b"camera" not in school.services.media.read(stored.sha256)
        seen = case_view.attachments_of(session, session.get_one(Case, case_id), who(school, Role.AUTHOR))
        assert [one.id for one in seen] == [mine]
        with pytest.raises(NotFound):
            case_view.attachment_of(session, case_id, mine, who(school, Role.DEPUTY))
        assert case_view.attachment_of(session, other, mine, who(school, Role.HEADTEACHER)) is None
    with pytest.raises(BadInput):
        case_work.attach(school.services, case_id, b"%PDF-1.7 no picture", "x.pdf", by=who(school, Role.AUTHOR))


def _other_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), (200, 10, 10)).save(out, "PNG")
    return out.getvalue()


# ---- the clocks ----


def test_a_breach_warns_four_times_and_no_more_and_stops_when_it_is_done(school: School, clock: ToldClock) -> None:
    case_id = opened(school, CaseKind.BREACH)
    sent = []
    for _ in range(76):
        clock.advance(hours=1)
        sent.append(case_clocks.run(school.services))
    assert [hour for hour, number in enumerate(sent, 1) if number] == [24, 48, 66, 72]
    office = sorted(school.staff[role] for role in (Role.HEADTEACHER, Role.ADMINISTRATOR, Role.CONSENT_LEAD))
    assert sorted(set(told(school, "case_due"))) == office
    assert len(told(school, "case_due")) == 12
    case_work.meet(school.services, case_id, REPORT, "Reported by telephone, late.", by=who(school, Role.ADMINISTRATOR))
    clock.advance(days=9)
    assert case_clocks.run(school.services) == 0


def test_a_warning_that_was_missed_goes_once_as_the_latest_one(school: School, clock: ToldClock) -> None:
    opened(school, CaseKind.BREACH)
    clock.advance(hours=67)  # nothing ran in the meantime
    assert [case_clocks.run(school.services), case_clocks.run(school.services)] == [1, 0]
    assert len(told(school, "case_due")) == 3


def test_a_breach_known_for_two_days_warns_of_what_is_left_and_one_known_for_four_is_over_at_once(
    school: School, clock: ToldClock
) -> None:
    now = clock.now()
    late = opened(school, CaseKind.BREACH, began_at=now - timedelta(days=4))
    opened(school, CaseKind.BREACH, began_at=now - timedelta(hours=50))
    assert case_clocks.run(school.services) == 1
    with school.services.db.read() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == "case_due")).all()
    assert {(one.context["case_id"], one.context["over"]) for one in notices} == {(late, True)}


def test_nobody_is_aware_of_what_is_still_to_come(school: School, clock: ToldClock) -> None:
    with pytest.raises(BadInput) as refused:
        opened(school, CaseKind.BREACH, began_at=clock.now() + timedelta(minutes=1))
    assert "began_time" in refused.value.fields


def test_a_breach_cannot_be_closed_while_something_is_due(school: School) -> None:
    case_id = opened(school, CaseKind.BREACH, high_risk=True)
    head = who(school, Role.HEADTEACHER)
    case_work.meet(school.services, case_id, REPORT, "Reported, number 123.", by=head)
    with pytest.raises(BadInput, match="still due"):
        case_work.close(school.services, case_id, "reported", "Done with it.", by=head)
    case_work.meet(school.services, case_id, PEOPLE, "Letters went to both families.", by=head)
    with pytest.raises(Conflict):
        case_work.meet(school.services, case_id, PEOPLE, "Again", by=head)
    case_work.close(school.services, case_id, "reported", "Done with it.", by=head)
    assert case(school, case_id).state == CaseState.CLOSED


def test_a_high_risk_that_is_found_later_begins_its_clock_from_the_first_moment(
    school: School, clock: ToldClock
) -> None:
    case_id, began = opened(school, CaseKind.BREACH), clock.now()
    clock.advance(hours=10)
    for _ in range(2):
        case_work.change_breach(
            school.services, case_id, {"what": "A list went out."}, high_risk=True, by=who(school, Role.CONSENT_LEAD)
        )
    with school.services.db.read() as session:
        clocks = session.scalars(select(CaseClock).where(CaseClock.name == PEOPLE)).all()
    assert [one.due_at for one in clocks] == [began + timedelta(hours=72)]


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.LINE_MANAGER, Role.DEPUTY, Role.AUDITOR])
def test_whoever_is_not_of_the_office_does_nothing_with_a_breach(school: School, role: Role) -> None:
    case_id, somebody = opened(school, CaseKind.BREACH), who(school, role)
    refusal = (NotFound, NotAllowed)
    with pytest.raises(refusal):
        case_work.meet(school.services, case_id, REPORT, "Not needed, I think.", by=somebody)
    with pytest.raises(refusal):
        case_work.change_breach(school.services, case_id, {}, high_risk=False, by=somebody)
    with pytest.raises(refusal):
        case_work.close(school.services, case_id, "none", "It was nothing.", by=somebody)
    with pytest.raises(refusal):
        case_export.export(school.services, case_id, by=somebody)
    with pytest.raises(refusal):
        case_work.hand_over(school.services, case_id, school.head, by=somebody)


# ---- a request to remove something ----


def test_the_person_asked_sees_the_request_answers_it_and_sees_no_note_about_them(school: School) -> None:
    case_id = removal(school)
    head = who(school, Role.HEADTEACHER)
    case_work.note(school.services, case_id, "Speak to the union first.", by=head)
    mine = page(school, case_id, Role.AUTHOR)
    assert mine.asked
    assert mine.case.words == SECRET
    assert [one.name for one in mine.clocks] == [REMOVE]
    assert "union" not in repr(mine.story)
    case_work.note(school.services, case_id, "I took it down at noon.", by=who(school, Role.AUTHOR))
    assert "I took it down at noon." in repr(page(school, case_id, Role.HEADTEACHER).story)
    for forbidden in (Role.DEPUTY, Role.LINE_MANAGER, Role.ADMINISTRATOR, Role.CONSENT_LEAD, Role.AUDITOR):
        with pytest.raises(NotFound):
            page(school, case_id, forbidden)


def test_the_person_asked_can_neither_close_it_nor_take_it_out_nor_stop_its_clock(school: School) -> None:
    case_id, asked = removal(school), who(school, Role.AUTHOR)
    for step in (
        lambda: case_work.close(school.services, case_id, "removed", "I removed it.", by=asked),
        lambda: case_work.meet(school.services, case_id, REMOVE, "Removed.", by=asked),
        lambda: case_export.export(school.services, case_id, by=asked),
        lambda: case_work.hand_over(school.services, case_id, asked.id, by=asked),
    ):
        with pytest.raises(NotAllowed):
            step()


def test_the_person_asked_is_reminded_before_the_time_is_over(school: School, clock: ToldClock) -> None:
    removal(school, deadline=clock.now() + timedelta(hours=30))
    clock.advance(hours=7)
    case_clocks.run(school.services)
    assert told(school, "case_due") == sorted([school.author, school.head])


def test_the_letter_is_for_the_two_people_it_concerns(school: School) -> None:
    case_id = removal(school)
    for role in (Role.HEADTEACHER, Role.AUTHOR):
        package = case_export.letter(school.services, case_id, by=who(school, role))
        text = " ".join(" ".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(package.data)).pages)
        assert SECRET in text
        assert LINK in text
        assert "Thursday 26 November 2026" in text
    with pytest.raises(NotFound):
        case_export.letter(school.services, case_id, by=who(school, Role.DEPUTY))
    with pytest.raises(NotFound):
        case_export.letter(school.services, opened(school, CaseKind.CONCERN), by=who(school, Role.HEADTEACHER))


# ---- taking out, closing, opening again ----


def test_an_export_holds_the_whole_case_in_the_order_of_the_report_and_is_written_down(school: School) -> None:
    case_id = opened(school, CaseKind.BREACH)
    head = who(school, Role.HEADTEACHER)
    case_work.attach(school.services, case_id, a_picture(), "shot.jpg", by=head)
    facts = {"prevent_after": "A second look.", "what": "A list went to all parents.", "people": "31"}
    case_work.change_breach(school.services, case_id, facts, high_risk=False, by=head)
    package = case_export.export(school.services, case_id, by=head)
    with zipfile.ZipFile(io.BytesIO(package.data)) as bundle:
        assert sorted(bundle.namelist()) == ["case.json", "case.pdf", "picture-1.jpg"]
        told_facts = json.loads(bundle.read("case.json"))
        pages = PdfReader(io.BytesIO(bundle.read("case.pdf"))).pages
        text = " ".join(" ".join(one.extract_text().split()) for one in pages)
    names = list(told_facts["facts"])
    assert names.index("what") < names.index("people") < names.index("prevent_after")
    assert text.index("What has happened?") < text.index("How many people") < text.index("keep it from happening")
    assert SECRET in text
    with school.services.db.read() as session:
        taken = session.scalars(select(Audit).where(Audit.action == "case.exported")).one()
    assert (taken.staff_id, taken.subject) == (school.head, f"case:{case_id}")


def test_a_closed_case_takes_no_note_until_it_is_opened_again_with_a_reason(school: School) -> None:
    case_id, head = opened(school, CaseKind.CONCERN), who(school, Role.HEADTEACHER)
    case_work.close(school.services, case_id, "nothing", "It was a joke.", by=head)
    with pytest.raises(Conflict):
        case_work.note(school.services, case_id, "But still", by=who(school, Role.AUTHOR))
    with pytest.raises(BadInput):
        case_work.reopen(school.services, case_id, " . ", by=head)
    case_work.reopen(school.services, case_id, "There is more.", by=head)
    assert case(school, case_id).state == CaseState.OPEN
    with school.services.db.read() as session:
        words = [one.words for one in session.scalars(select(CaseEntry).where(CaseEntry.case_id == case_id))]
    assert "It was a joke." in words, "what came of it before is kept"


@pytest.mark.parametrize(
    ("result", "words"), [("", "It is over."), ("approved", "It is over."), ("settled", " - "), ("settled", "x" * 10_001)],
    ids=["no result", "a result of nothing", "no words", "a novel"],
)  # fmt: skip
def test_cannot_close_without_saying_how(school: School, result: str, words: str) -> None:
    case_id = opened(school, CaseKind.CONCERN)
    with pytest.raises(BadInput):
        case_work.close(school.services, case_id, result, words, by=who(school, Role.HEADTEACHER))
    assert case(school, case_id).state == CaseState.OPEN


def test_a_step_can_open_a_case_of_its_own(school: School) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with school.services.step() as session:
        first = open_case(
            session, kind=CaseKind.CONCERN, title="Not through the gate", words="", by=school.head, now=now
        )
        second = open_case(
            session, kind=CaseKind.BREACH, title="A child shown", words="", by=school.head, now=now, parent_id=first
        )
    assert case(school, second).parent_id == first
    assert [one.id for one in page(school, first, Role.HEADTEACHER).children] == [second]


def test_every_kind_says_what_it_is() -> None:
    for rules in RULES.values():
        assert all((rules.word, rules.begin, rules.lead, rules.clause))
