"""The conversation about a post: what was asked, where, what the author answers, and what is told of it the next time."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import decisions
from approvals.statements import Mark
from approvals.tables import ApprovalRequest, Decision, LedgerEntry, Verdict
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import ChangeReply, Face, Photo, Post, Version
from gatekeeper.posts.repository import move, seal
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import asked_changes, decide
from gatekeeper.workflow.asked_changes import LONGEST_REPLY, Exchange
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.compare import NOW, Since, compare, last_asked, since_last, versions_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.versions_view import VersionsView, versions_view
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    return make_services(sqlite_database, tmp_path, clock)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


MARKS = (Mark("text:4-11", "Say autumn."), Mark("photo:1:face:1", "Cover her, please."), Mark("time", "An hour later."))


def ask_for_changes(
    school: School, post_id: int, *marks: Mark, statement: str = "", verdict: Verdict = Verdict.CHANGES
) -> str:
    """The head marks and writes; returns the decision's id."""
    secret = school.ask(post_id)
    proof = decide.prove(school.services, secret, PIN)
    outcome = decide.decide(
        school.services,
        proof.view_secret or secret,
        decide.DecisionForm(
            verdict=verdict,
            digest_shown=school.digest(post_id),
            typed_name="Head Teacher",
            statement=statement,
            answers={},
            marks=marks,
        ),
    )
    assert outcome.decision is not None
    return outcome.decision.id


def edit(school: School, post_id: int, **changes: object) -> None:
    """The author changes the post and it is checked again."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        touch(session, post, by=school.author, now=school.services.clock.now())
        for name, value in changes.items():
            setattr(post, name, value)
        move(post, PostState.SCANNING)
        seal(session, post, now=school.services.clock.now())
        move(post, PostState.OPEN)


def exchanges(school: School, post_id: int, *, by: int | None = None) -> tuple[Exchange, ...]:
    with school.services.db.read() as session:
        return asked_changes.exchanges_of(session, session.get_one(Post, post_id), by=by or school.author)


def answer(school: School, post_id: int, decision_id: str, **replies: str) -> None:
    told = {int(name.removeprefix("n")): words for name, words in replies.items()}
    asked_changes.answer(school.services, post_id, school.author, decision_id=decision_id, replies=told)


def since(school: School, post_id: int) -> Since | None:
    with school.services.db.read() as session:
        newest = session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()
        assert newest is not None
        return since_last(session, newest, session.get_one(Post, post_id))


def view(school: School, post_id: int, role: Role, **choice: str) -> VersionsView:
    with school.services.db.read() as session:
        reader = session.get_one(Staff, school.staff[role])
    return versions_view(school.services, post_id, reader, **choice)


def test_each_mark_is_shown_at_its_place(school: School) -> None:
    post_id = school.post(photos=1, pupils=("Wren",))
    ask_for_changes(school, post_id, *MARKS, statement="Nearly there, thank you.")
    (one,) = exchanges(school, post_id)
    assert (one.verdict, one.who, one.version) == (Verdict.CHANGES, "Mx Headteacher Quarry", 1)
    assert one.newest
    assert one.can_answer
    assert [(said.number, said.label, said.quote, said.words) for said in one.asked] == [
        (0, "", "", "Nearly there, thank you."),
        (1, "Text", "harvest", "Say autumn."),
        (2, "Photo 1, face 1", "", "Cover her, please."),
        (3, "Time", "", "An hour later."),
    ]
    (passage,) = one.passages
    assert passage.runs[:3] == (("Our ", ()), ("harvest", (1,)), (" table is full. Thank you to every family!", ()))
    (photo,) = one.photos
    assert [(shape.tag, shape.x, shape.y) for shape in photo.shapes] == [("1✎", 20, 40)]
    with school.services.db.read() as session:
        face, row = session.scalars(select(Face)).one(), session.scalars(select(Photo)).one()
    assert [said.jump for said in one.asked] == ["", "text", f"face-{face.id}", "due_date"]
    assert photo.id == row.id


def test_marks_that_lie_over_each_other_each_keep_their_words(school: School) -> None:
    post_id = school.post()
    ask_for_changes(school, post_id, Mark("text:4-17", "Say autumn."), Mark("text:12-25", "Say empty."))
    (one,) = exchanges(school, post_id)
    assert [run for run in one.passages[0].runs if run[1]] == [
        ("harvest ", (1,)), ("table", (1, 2)), (" is full", (2,)),
    ]  # fmt: skip


def test_marks_are_hashed_into_the_ledger_and_their_words_can_be_erased(school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0], MARKS[2])
    with school.services.db.begin() as session:
        decision = session.get_one(Decision, decision_id)
        entry = session.get_one(LedgerEntry, decision.ledger_seq)
        assert "text:4-11" in entry.body
        assert "Say autumn" not in entry.body
        decisions.check_on_record(session, decision)
        decision.statement = decision.typed_name = decision.answers = decision.marks = decision.text_salt = None
        session.flush()
        decisions.check_on_record(session, decision)
    (one,) = exchanges(school, post_id)
    assert one.erased
    assert one.asked == ()


def test_answers_are_kept_for_each_mark_and_can_be_changed_until_it_is_sent(school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0], MARKS[2], statement="Nearly there, thank you.")
    answer(school, post_id, decision_id, n0="Thank you.", n1="It says autumn now.")
    answer(school, post_id, decision_id, n1="It says “autumn” now.", n2="")
    (one,) = exchanges(school, post_id)
    assert [said.reply for said in one.asked] == ["Thank you.", "It says “autumn” now.", ""]
    assert one.answered == 2
    answer(school, post_id, decision_id, n0="")
    assert [said.reply for said in exchanges(school, post_id)[0].asked] == ["", "It says “autumn” now.", ""]
    edit(school, post_id, text="Our autumn table is full.")
    school.ask(post_id)
    with pytest.raises(Conflict):
        answer(school, post_id, decision_id, n1="Something else.")
    (one,) = exchanges(school, post_id)
    assert not one.newest
    assert [said.reply for said in one.asked] == ["", "It says “autumn” now.", ""]


def test_an_answer_is_in_the_audit_without_its_words(school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0], MARKS[2])
    answer(school, post_id, decision_id, n1="Wren says autumn.")
    answer(school, post_id, decision_id, n1="Wren says autumn.")  # the same again is no event
    answer(school, post_id, decision_id, n1="Wren says autumn now.")  # nor is what the form saves while it is typed
    with school.services.db.read() as session:
        (line,) = session.scalars(select(Audit).where(Audit.action == "change.answered"))
    assert (line.staff_id, line.subject) == (school.author, f"post:{post_id}")
    assert line.detail == {"decision": decision_id, "marks": [1]}
    answer(school, post_id, decision_id, n1="", n2="Later.")
    with school.services.db.read() as session:
        details = [
            one.detail["marks"] for one in session.scalars(select(Audit).where(Audit.action == "change.answered"))
        ]
    assert details == [[1], [1, 2]]


def test_cannot_answer_for_somebody_else_nor_what_was_never_asked(school: School) -> None:
    post_id, other = school.post(), school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0])
    with pytest.raises(NotFound):
        asked_changes.answer(school.services, post_id, school.head, decision_id=decision_id, replies={1: "No."})
    with pytest.raises(NotFound):
        answer(school, other, decision_id, n1="No.")
    with pytest.raises(NotFound):
        answer(school, post_id, "nothing", n1="No.")
    answer(school, post_id, decision_id, n7="There is no seventh mark.")
    with school.services.db.read() as session:
        assert session.scalars(select(ChangeReply)).all() == []


def test_cannot_answer_at_endless_length(school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0])
    with pytest.raises(BadInput) as refused:
        answer(school, post_id, decision_id, n1="x" * (LONGEST_REPLY + 1))
    assert list(refused.value.fields) == ["reply-1"]


def test_only_the_author_is_offered_to_answer(school: School) -> None:
    post_id = school.post()
    ask_for_changes(school, post_id, MARKS[0])
    assert not exchanges(school, post_id, by=school.head)[0].can_answer


def test_a_photo_that_was_taken_out_is_said_to_be_gone(school: School) -> None:
    post_id = school.post(photos=1, pupils=("Wren",))
    ask_for_changes(school, post_id, MARKS[1], Mark("alt:1:0-7", "Say whose."))
    edit(school, post_id, photos=[])
    (one,) = exchanges(school, post_id)
    assert [said.gone for said in one.asked] == ["This photo is no longer in the post."] * 2
    assert [said.jump for said in one.asked] == ["", ""]
    assert one.photos == ()
    assert one.passages[0].runs[0] == ("A table", (2,))


def test_a_first_version_has_nothing_before_it(school: School) -> None:
    post_id = school.post()
    school.ask(post_id)
    assert since(school, post_id) is None


def test_the_head_reads_what_changed_since_they_asked_and_what_was_answered(school: School) -> None:
    post_id = school.post()
    decision_id = ask_for_changes(school, post_id, MARKS[0], statement="Nearly there, thank you.")
    answer(school, post_id, decision_id, n1="It says autumn.")
    edit(school, post_id, text="Our autumn table is full. Thank you to every family!")
    school.ask(post_id)
    told = since(school, post_id)
    assert told is not None
    assert told.words == "you asked for changes"
    assert [(said.words, said.reply) for said in told.asked] == [
        ("Nearly there, thank you.", ""), ("Say autumn.", "It says autumn."),
    ]  # fmt: skip
    changed = told.comparison.difference.text
    assert [piece.text for piece in changed if piece.kind != "same"] == ["harvest", "autumn"]
    assert not told.is_long


@pytest.mark.parametrize(
    ("verdict", "words"), [(Verdict.REFUSE, "you refused it"), (Verdict.APPROVE, "you approved it")]
)
def test_a_refusal_and_an_approval_are_where_the_difference_begins_too(
    school: School, verdict: Verdict, words: str
) -> None:
    post_id = school.post()
    ask_for_changes(school, post_id, statement="My words about this post.", verdict=verdict)
    edit(school, post_id, text="Another text.")
    school.ask(post_id)
    told = since(school, post_id)
    assert told is not None
    assert told.words == words


def test_a_question_that_was_never_answered_counts_as_seen(school: School) -> None:
    post_id = school.post()
    school.ask(post_id)
    edit(school, post_id, due_at=school.services.clock.now() + timedelta(hours=3))
    school.ask(post_id)
    told = since(school, post_id)
    assert told is not None
    assert told.words == "you were asked"
    assert told.comparison.difference.due is not None


def test_nothing_changed_is_told_too(school: School) -> None:
    post_id = school.post()
    ask_for_changes(school, post_id, statement="Please look again at it.")
    edit(school, post_id)
    school.ask(post_id)
    told = since(school, post_id)
    assert told is not None
    assert told.comparison.difference.is_empty


def test_a_photo_covered_anew_is_the_same_photo(school: School) -> None:
    post_id = school.post(photos=2)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.photos[1].rendition_sha256 = "c" * 64
        touch(session, post, by=school.author, now=school.services.clock.now())
        move(post, PostState.SCANNING)
        seal(session, post, now=school.services.clock.now())
    with school.services.db.read() as session:
        (change,) = compare(session, session.get_one(Post, post_id), "1", "2").difference.photos
    assert (change.before, change.after, change.redrawn, change.swapped) == (2, 2, True, False)


def test_the_working_copy_is_compared_as_soon_as_it_differs(school: School) -> None:
    post_id = school.post(photos=1)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        assert [one.key for one in versions_of(session, post)] == ["1"]
        touch(session, post, by=school.author, now=school.services.clock.now())
        post.text, post.due_at, post.photos[0].rendition_sha256 = "New.", None, None
        assert [one.key for one in versions_of(session, post)] == [NOW, "1"]
        found = compare(session, post, "1", NOW).difference
        assert last_asked(session, post) == "1"
    assert found.due is not None
    assert found.photos[0].redrawn
    assert [piece.text for piece in found.text if piece.kind == "in"] == ["New"]


def test_the_page_of_versions_begins_with_what_was_last_asked_about(school: School) -> None:
    post_id = school.post()
    ask_for_changes(school, post_id, statement="Please look again at it.")
    edit(school, post_id, text="Second.")
    edit(school, post_id, text="Third.")
    shown = view(school, post_id, Role.AUTHOR)
    assert shown.comparison is not None
    assert (shown.comparison.before.key, shown.comparison.after.key) == ("1", "3")
    assert shown.comparison.before.said == ("asked", "changes asked for")
    assert [one.key for one in shown.versions] == ["3", "2", "1"]
    chosen = view(school, post_id, Role.HEADTEACHER, before="2", after="3").comparison
    assert chosen is not None
    assert [piece.text for piece in chosen.difference.text if piece.kind != "same"] == ["Second", "Third"]


@pytest.mark.parametrize(("before", "after"), [("1", "9"), ("9", "1"), ("now", "1"), ("0", "1")])
def test_cannot_compare_a_version_that_there_is_not(school: School, before: str, after: str) -> None:
    post_id = school.post()
    with pytest.raises(NotFound):
        view(school, post_id, Role.AUTHOR, before=before, after=after)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_who_may_see_no_photo_reads_no_words_here_either(school: School, role: Role) -> None:
    post_id = school.post(photos=1, pupils=("Wren",))
    ask_for_changes(school, post_id, MARKS[1])
    edit(school, post_id, text="Wren again.")
    shown = view(school, post_id, role)
    assert not shown.words
    assert shown.comparison is not None
    assert shown.comparison.difference.kinds == ("the words",)
    assert shown.exchanges == ()
    assert shown.pictures == {}
    assert (shown.title == f"Post {post_id}") is (role is Role.AUDITOR)


def test_a_draft_that_was_never_sent_is_its_authors_alone(school: School, services: Services) -> None:
    with services.db.begin() as session:
        post = Post(author_id=school.author, state=PostState.DRAFT, channels=[], created_at=services.clock.now(), changed_at=services.clock.now())  # fmt: skip
        session.add(post)
        session.flush()
        post_id = post.id
    assert view(school, post_id, Role.AUTHOR).versions == ()
    for role in (Role.HEADTEACHER, Role.AUDITOR, Role.ADMINISTRATOR, Role.LINE_MANAGER):
        with pytest.raises(NotFound):
            view(school, post_id, role)


def test_a_line_manager_sees_no_versions_of_anybodys_post(school: School) -> None:
    post_id = school.post()
    with pytest.raises(NotFound):
        view(school, post_id, Role.LINE_MANAGER)


def test_a_version_keeps_which_photos_it_was_made_from(school: School) -> None:
    post_id = school.post(photos=2)
    with school.services.db.read() as session:
        version = session.scalars(select(Version).where(Version.post_id == post_id)).one()
        photos = session.scalars(select(Photo).where(Photo.post_id == post_id).order_by(Photo.position)).all()
    assert version.originals == [photo.original_sha256 for photo in photos]
