"""Deciding: once, by the right person, about exactly what was shown; and everything that follows, or nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from approvals import ledger_check, proofs, requests
from approvals.errors import (
    AlreadyDecided,
    AnswersAlike,
    DigestMismatch,
    FindingUnanswered,
    LinkExpired,
    LinkSpent,
    LinkUnknown,
    NotTheApprover,
    ProofMissing,
    RequestClosed,
    StatementMissing,
)
from approvals.tables import ApprovalRequest, Decision, LedgerEntry, RequestStatus, Verdict
from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict
from gatekeeper.mail.model import Notice
from gatekeeper.people.consent import Consent
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import ChannelAccount, Face, Finding, Photo, Post, Publication, Version
from gatekeeper.posts.repository import move, post_for_update
from gatekeeper.posts.status import FindingState, PostState, PublicationState
from gatekeeper.workflow import decide as step
from gatekeeper.workflow import request as request_step
from gatekeeper.workflow.change import touch
from gatekeeper.workflow.decide import DecisionForm
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services


@pytest.fixture
def services(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Services:
    return make_services(sqlite_database, tmp_path, clock)


@pytest.fixture
def school(services: Services) -> Iterator[School]:
    return School(services)


def proved(school: School, post_id: int) -> str:
    """The head has opened the link and given the PIN."""
    proof = step.prove(school.services, school.ask(post_id), PIN)
    assert proof.view_secret is not None
    return proof.view_secret


def form(school: School, post_id: int, verdict: Verdict = Verdict.APPROVE) -> DecisionForm:
    return DecisionForm(
        verdict=verdict,
        digest_shown=school.digest(post_id),
        typed_name="Head Quarry",
        statement="I have read this and decide so.",
        answers={},
    )


def publications(school: School) -> list[Publication]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Publication).order_by(Publication.account_id)))


def decisions(school: School) -> list[Decision]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Decision).order_by(Decision.ledger_seq)))


def notices(school: School, kind: str) -> list[Notice]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind)))


def the_request(school: School) -> ApprovalRequest:
    with school.services.db.read() as session:
        return session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()  # type: ignore[return-value]


def note_of(school: School, post_id: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(Post, post_id).note


def nothing_followed(school: School, post_id: int) -> bool:
    return not publications(school) and not decisions(school) and school.state(post_id) == PostState.WAITING


def test_a_yes_makes_one_publication_for_each_channel_under_this_decision(school: School, clock: ToldClock) -> None:
    post_id = school.post(photos=2)
    outcome = step.decide(school.services, proved(school, post_id), form(school, post_id))
    assert outcome.decision is not None
    assert school.state(post_id) == PostState.SCHEDULED
    due = clock.now() + timedelta(hours=1)
    made = publications(school)
    assert [p.account_id for p in made] == [school.accounts["x"], school.accounts["facebook"]]
    for one in made:
        assert (one.state, one.decision_id, one.digest) == (
            PublicationState.SCHEDULED,
            outcome.decision.id,
            school.digest(post_id),
        )
        assert (one.due_at, one.next_at, one.closes_at) == (due, due, due + timedelta(minutes=120))


@pytest.mark.parametrize(
    ("verdict", "state"), [(Verdict.REFUSE, PostState.REFUSED), (Verdict.CHANGES, PostState.CHANGES)]
)
def test_a_no_makes_no_publication_and_keeps_the_words_for_the_author(
    school: School, verdict: Verdict, state: PostState
) -> None:
    post_id = school.post()
    step.decide(school.services, proved(school, post_id), form(school, post_id, verdict))
    assert school.state(post_id) == state
    assert publications(school) == []
    assert note_of(school, post_id) == "I have read this and decide so."


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_author_is_told_and_the_ledger_holds_it(school: School, verdict: Verdict) -> None:
    post_id = school.post()
    step.decide(school.services, proved(school, post_id), form(school, post_id, verdict))
    (notice,) = notices(school, "decided")
    assert notice.staff_id == school.author
    assert notice.context == {"post_id": post_id, "verdict": str(verdict)}  # not the words: they may name a pupil
    (decision,) = decisions(school)
    with school.services.db.read() as session:
        assert session.get_one(LedgerEntry, decision.ledger_seq).kind == "decision.recorded"
        assert ledger_check.verify(session).ok


def test_cannot_decide_without_the_pin(school: School) -> None:
    post_id = school.post()
    with pytest.raises(ProofMissing):
        step.decide(school.services, school.ask(post_id), form(school, post_id))
    assert nothing_followed(school, post_id)


def test_cannot_decide_ten_minutes_after_the_pin(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    secret = proved(school, post_id)
    clock.advance(minutes=10)
    with pytest.raises(ProofMissing):
        step.decide(school.services, secret, form(school, post_id))
    assert nothing_followed(school, post_id)


def test_cannot_decide_with_a_secret_nobody_was_given(school: School) -> None:
    post_id = school.post()
    proved(school, post_id)
    with pytest.raises(LinkUnknown):
        step.decide(school.services, "A" * 43, form(school, post_id))
    assert nothing_followed(school, post_id)


def test_cannot_decide_about_another_digest(school: School) -> None:
    post_id = school.post()
    with pytest.raises(DigestMismatch):
        step.decide(school.services, proved(school, post_id), replace(form(school, post_id), digest_shown="0" * 64))
    assert nothing_followed(school, post_id)


@pytest.mark.parametrize("changes", [{"typed_name": " "}, {"statement": ""}, {"statement": "…"}])
def test_cannot_decide_without_words(school: School, changes: dict[str, str]) -> None:
    post_id = school.post()
    with pytest.raises(StatementMissing):
        step.decide(school.services, proved(school, post_id), replace(form(school, post_id), **changes))
    assert nothing_followed(school, post_id)


def test_cannot_decide_twice(school: School) -> None:
    post_id = school.post()
    secret = proved(school, post_id)
    step.decide(school.services, secret, form(school, post_id))
    with pytest.raises(LinkSpent, match="approved"):
        step.decide(school.services, secret, form(school, post_id, Verdict.REFUSE))
    assert [decision.verdict for decision in decisions(school)] == ["approve"]
    assert school.state(post_id) == PostState.SCHEDULED


def test_cannot_decide_at_its_time_or_later(school: School, clock: ToldClock) -> None:
    post_id = school.post(due_in=timedelta(minutes=5))
    secret = proved(school, post_id)
    clock.advance(minutes=5)
    with pytest.raises(LinkExpired):
        step.decide(school.services, secret, form(school, post_id))
    assert nothing_followed(school, post_id)


def test_cannot_decide_about_a_version_that_was_edited_since(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    secret, filled = proved(school, post_id), form(school, post_id)
    with school.services.step() as session:
        touch(session, session.get_one(Post, post_id), by=school.author, now=clock.now())
    with pytest.raises(LinkSpent, match="edited"):
        step.decide(school.services, secret, filled)
    assert school.state(post_id) == PostState.DRAFT
    assert publications(school) == []


def test_cannot_decide_when_the_post_itself_no_longer_waits(school: School) -> None:
    """However it came to that: a request that is still open is no permission by itself."""
    post_id = school.post()
    secret = proved(school, post_id)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.DRAFT
    with pytest.raises(RequestClosed):
        step.decide(school.services, secret, form(school, post_id))
    assert publications(school) == []
    assert decisions(school) == []


@pytest.mark.parametrize("loss", [{"role": Role.AUTHOR}, {"active": False}])
def test_cannot_decide_after_losing_the_right_to(school: School, loss: dict[str, object]) -> None:
    post_id = school.post()
    secret = proved(school, post_id)
    with school.services.db.begin() as session:
        for name, value in loss.items():
            setattr(session.get_one(Staff, school.head), name, value)
    with pytest.raises(NotTheApprover):
        step.decide(school.services, secret, form(school, post_id))
    assert nothing_followed(school, post_id)


def test_cannot_be_decided_by_a_deputy_who_was_asked_while_the_head_wrote_it_and_now_does_not(school: School) -> None:
    """The deputy stands in for the author's own headship only; a second head takes the question away from them."""
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).author_id = school.head
        proofs.set_pin(session, school.staff[Role.DEPUTY], PIN, now=school.services.clock.now())
    with school.services.step() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)
    request_step.run(school.services, post_id)
    opened = step.open_for(school.services, the_request(school).id, person_id=school.staff[Role.DEPUTY])
    assert opened is not None
    secret = step.prove(school.services, opened.view_secret, PIN).view_secret
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.LINE_MANAGER]).role = Role.HEADTEACHER
    with pytest.raises(NotTheApprover):
        step.decide(school.services, secret or "", form(school, post_id))
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.LINE_MANAGER]).role = Role.LINE_MANAGER
    assert step.decide(school.services, secret or "", form(school, post_id)).decision is not None


def withdraw(school: School) -> None:
    with school.services.db.begin() as session:
        for consent in session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])):
            consent.withdrawn_at, consent.withdrawn_by = school.services.clock.now(), school.staff[Role.CONSENT_LEAD]


def mark_never(school: School) -> None:
    with school.services.db.begin() as session:
        pupil = session.get_one(Pupil, school.pupils["Wren"])
        pupil.never_publish, pupil.never_at = True, school.services.clock.now()
        pupil.never_by = school.staff[Role.CONSENT_LEAD]


def add_face(school: School) -> None:
    with school.services.db.begin() as session:
        photo_id = session.scalars(select(Photo.id)).one()
        session.add(Face(photo_id=photo_id, x1=5, y1=5, x2=40, y2=40, source="hand"))


def close_channel(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "closed"


def swap_account(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).remote_id = "666"


def change_alt(school: School) -> None:
    with school.services.db.begin() as session:
        session.scalars(select(Post)).one().photos[0].alt = "Something else"


def change_text(school: School) -> None:
    with school.services.db.begin() as session:
        session.scalars(select(Post)).one().text = "Something else"


CHANGES: list[Callable[[School], None]] = [
    withdraw, mark_never, add_face, close_channel, swap_account, change_alt, change_text
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_cannot_approve_what_no_longer_stands(school: School, change: Callable[[School], None]) -> None:
    """Nothing is recorded as approved; the question is closed and the author sees why on the post's page."""
    post_id = school.post(pupils=("Wren",))
    secret, filled = proved(school, post_id), form(school, post_id)
    change(school)
    outcome = step.decide(school.services, secret, filled)
    assert outcome.decision is None
    assert "not recorded" in outcome.sentence
    assert decisions(school) == []
    assert publications(school) == []
    assert school.state(post_id) == PostState.OPEN
    assert note_of(school, post_id)
    assert the_request(school).status == RequestStatus.VOID
    (told,) = notices(school, "cannot_request")
    assert told.staff_id == school.author
    assert "Wren" not in str(told.context) + outcome.sentence
    with school.services.db.read() as session:
        assert "approval.stopped" in set(session.scalars(select(Audit.action)))


def test_the_reason_names_the_face_on_the_post_alone_and_no_withdrawal(school: School) -> None:
    post_id = school.post(pupils=("Wren",))
    secret, filled = proved(school, post_id), form(school, post_id)
    withdraw(school)
    outcome = step.decide(school.services, secret, filled)
    assert "May not be shown on X" in note_of(school, post_id)
    assert "withdrawn" not in note_of(school, post_id)
    (told,) = notices(school, "cannot_request")
    assert "withdrawn" not in str(told.context) + outcome.sentence + (the_request(school).closed_reason or "")


@pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGES])
@pytest.mark.parametrize("change", CHANGES)
def test_can_always_say_no(school: School, change: Callable[[School], None], verdict: Verdict) -> None:
    post_id = school.post(pupils=("Wren",))
    secret, filled = proved(school, post_id), form(school, post_id, verdict)
    change(school)
    assert step.decide(school.services, secret, filled).decision is not None


def test_cannot_stop_a_post_without_the_pin(school: School) -> None:
    """Whoever holds the link alone cannot even send it back."""
    post_id = school.post(pupils=("Wren",))
    secret, filled = school.ask(post_id), form(school, post_id)
    withdraw(school)
    with pytest.raises(ProofMissing):
        step.decide(school.services, secret, filled)
    assert school.state(post_id) == PostState.WAITING


@pytest.mark.parametrize("how", ["flipped", "missing"])
def test_cannot_approve_a_picture_that_is_no_longer_what_was_shown(school: School, how: str) -> None:
    post_id = school.post(photos=2)
    secret = proved(school, post_id)
    with school.services.db.read() as session:
        sha = session.get_one(Post, post_id).photos[1].rendition_sha256 or ""
    path = school.services.media.path(sha)
    if how == "missing":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    outcome = step.decide(school.services, secret, form(school, post_id))
    assert outcome.decision is None
    assert "damaged" in outcome.sentence
    assert decisions(school) == []
    assert publications(school) == []
    assert school.state(post_id) == PostState.SCANNING
    with school.services.db.read() as session:
        first, second = session.get_one(Post, post_id).photos
        assert first.rendition_sha256 is not None
        assert second.rendition_sha256 is None  # made and looked at again


def test_cannot_approve_a_sealed_version_whose_stored_words_were_changed(school: School) -> None:
    """A trigger guards the row; here somebody took it away first."""
    post_id = school.post()
    secret, filled = proved(school, post_id), form(school, post_id)
    with school.services.db.begin() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        version = session.scalars(select(Version)).one()
        version.canonical = version.canonical.replace("harvest", "HARVEST")
        session.get_one(Post, post_id).text = "Our HARVEST table is full. Thank you to every family!"
    outcome = step.decide(school.services, secret, filled)
    assert outcome.decision is None
    assert publications(school) == []


def add_findings(school: School, post_id: int) -> list[str]:
    """Two overrides are asked for, and one reason was given."""
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        rows = [
            Finding(
                version_id=version_id, rule=f"naming.{number}", clause="3.1d", severity=severity, field="text",
                message="A name.", state=state, reason="They asked for it.", resolved_by=school.author,
                resolved_at=school.services.clock.now(),
            )
            for number, (severity, state) in enumerate(
                [("block", FindingState.OVERRIDE), ("block", FindingState.OVERRIDE), ("justify", FindingState.ANSWERED)]
            )
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [str(row.id) for row in rows if row.severity == "block"]


def test_cannot_approve_overrides_without_an_answer_to_each(school: School) -> None:
    post_id = school.post()
    first, second = add_findings(school, post_id)
    secret, filled = proved(school, post_id), form(school, post_id)
    with pytest.raises(FindingUnanswered) as missing:
        step.decide(school.services, secret, replace(filled, answers={first: "The family asked us in writing."}))
    assert missing.value.finding_ids == (second,)
    assert nothing_followed(school, post_id)


def test_answers_to_overrides_are_kept_with_the_decision(school: School) -> None:
    post_id = school.post()
    both = add_findings(school, post_id)
    answers = dict(zip(both, ("The family asked us in writing.", "The school named after him is public."), strict=True))
    step.decide(school.services, proved(school, post_id), replace(form(school, post_id), answers=answers))
    (decision,) = decisions(school)
    assert [answer["id"] for answer in decision.answers or []] == both


@pytest.mark.parametrize("second", ["The family asked us in writing.", "the family  asked us, in writing!"])
def test_cannot_answer_two_different_overrides_with_one_sentence(school: School, second: str) -> None:
    """One sentence for all would be approval in bulk: each point is a decision of its own."""
    post_id = school.post()
    both = add_findings(school, post_id)
    answers = dict(zip(both, ("The family asked us in writing.", second), strict=True))
    secret = proved(school, post_id)
    with pytest.raises(AnswersAlike) as alike:
        step.decide(school.services, secret, replace(form(school, post_id), answers=answers))
    assert alike.value.finding_ids == tuple(both)
    assert nothing_followed(school, post_id)


def test_the_same_words_found_twice_are_one_matter_and_may_be_answered_alike(school: School) -> None:
    post_id = school.post()
    both = add_findings(school, post_id)
    with school.services.db.begin() as session:
        for number, finding_id in enumerate(both):
            finding = session.get_one(Finding, int(finding_id))
            finding.rule, finding.quote, finding.field = "pupil-name", "Wren", ("text", "images[0].alt")[number]
    answers = dict.fromkeys(both, "The family asked us in writing.")
    outcome = step.decide(school.services, proved(school, post_id), replace(form(school, post_id), answers=answers))
    assert outcome.decision is not None


def test_the_same_version_can_be_approved_anew_after_its_approval_was_taken_back(school: School) -> None:
    """The row goes on with its fence, so that no attempt of before can be mistaken for one of now."""
    post_id = school.post()
    first = school.approve(post_id)
    with school.services.db.begin() as session:
        for publication in session.scalars(select(Publication)):
            publication.state, publication.fence = PublicationState.CANCELLED, 3
        move(session.get_one(Post, post_id), PostState.OPEN)
    assert school.approve(post_id) == first
    newest = decisions(school)[-1]
    assert {(p.decision_id, p.state, p.fence) for p in publications(school)} == {(newest.id, "scheduled", 3)}


def test_cannot_approve_what_is_being_sent(school: School) -> None:
    post_id = school.post()
    school.approve(post_id)
    with school.services.db.begin() as session:
        for publication in session.scalars(select(Publication)):
            publication.state = PublicationState.SENDING
        session.get_one(Post, post_id).state = PostState.OPEN
    with pytest.raises(Conflict):
        school.approve(post_id)
    assert len(decisions(school)) == 1
    assert {p.state for p in publications(school)} == {"sending"}


def test_wrong_pins_are_counted_and_the_fifth_locks_and_tells_the_head(school: School) -> None:
    secret = school.ask(school.post())
    left = [step.prove(school.services, secret, "000001").tries_left for _ in range(4)]
    assert left == [4, 3, 2, 1]
    assert notices(school, "pin_locked") == []
    assert step.prove(school.services, secret, "000001").locked_now
    assert not step.prove(school.services, secret, PIN).ok
    (told,) = notices(school, "pin_locked")
    assert told.staff_id == school.head


def test_the_inbox_shows_what_waits_for_this_person_and_nobody_elses(school: School, clock: ToldClock) -> None:
    later, sooner = school.post(due_in=timedelta(hours=3)), school.post(due_in=timedelta(hours=1))
    decided = school.post(text="Decided.")
    for post_id in (later, sooner):
        school.ask(post_id)
    school.approve(decided)
    with school.services.db.read() as session:
        waiting = step.waiting_for(session, school.head, now=clock.now())
        assert [step.post_id_of(one) for one in waiting] == [sooner, later]
        assert step.waiting_for(session, school.author, now=clock.now()) == []
        assert session.scalars(select(Decision.approver_id)).all() == [school.head]


def test_cannot_open_somebody_elses_question_or_one_that_is_over(school: School, clock: ToldClock) -> None:
    school.ask(school.post())
    asked = the_request(school)
    assert step.open_for(school.services, asked.id, person_id=school.author) is None
    assert step.open_for(school.services, "unknown", person_id=school.head) is None
    clock.advance(hours=1)
    assert step.open_for(school.services, asked.id, person_id=school.head) is None


def test_what_is_not_decided_by_its_time_expires_and_its_author_is_told_once(school: School, clock: ToldClock) -> None:
    waiting, other = school.post(), school.post(due_in=timedelta(hours=2))
    for post_id in (waiting, other):
        school.ask(post_id)
    assert step.expire_due(school.services) == 0
    clock.advance(hours=1)
    assert step.expire_due(school.services) == 1
    assert step.expire_due(school.services) == 0
    assert (school.state(waiting), school.state(other)) == (PostState.EXPIRED, PostState.WAITING)
    (told,) = notices(school, "expired")
    assert told.staff_id == school.author
    assert publications(school) == []


def test_what_could_not_even_be_asked_by_its_time_expires_too(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    with school.services.step() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)
    clock.advance(hours=1)
    assert step.expire_due(school.services) == 1
    assert school.state(post_id) == PostState.EXPIRED


def test_a_question_about_an_older_version_expires_without_touching_the_post(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    school.ask(post_id)
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.DRAFT
    clock.advance(hours=1)
    assert step.expire_due(school.services) == 0
    assert the_request(school).status == RequestStatus.EXPIRED
    assert school.state(post_id) == PostState.DRAFT


def test_looking_for_what_expired_writes_nothing_when_nothing_did(school: School) -> None:
    school.ask(school.post())
    with school.services.db.read() as session:
        before = session.scalar(select(func.count()).select_from(LedgerEntry))
    step.expire_due(school.services)
    with school.services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == before
        assert requests.summary_of(the_request(school)).channels == ("X",)


def test_many_at_once_make_one_decision(database: Database, tmp_path: Path, clock: ToldClock) -> None:
    """Six browsers, each with the PIN given, press at the same moment; half say yes and half say no."""
    school = School(make_services(database, tmp_path, clock))
    post_id = school.post()
    link = school.ask(post_id)
    secrets = [step.prove(school.services, link, PIN).view_secret or "" for _ in range(6)]
    verdicts = [Verdict.APPROVE, Verdict.REFUSE] * 3

    def press(secret: str, verdict: Verdict) -> str:
        try:
            step.decide(school.services, secret, form(school, post_id, verdict))
        except (LinkSpent, AlreadyDecided):
            return "too late"
        return "recorded"

    with ThreadPoolExecutor(6) as crowd:
        answers = list(crowd.map(press, secrets, verdicts))
    assert sorted(answers) == ["recorded"] + ["too late"] * 5
    (decision,) = decisions(school)
    assert decision.verdict == verdicts[answers.index("recorded")]
    assert len(publications(school)) == (2 if decision.verdict == Verdict.APPROVE else 0)


def test_an_edit_and_a_decision_at_once_never_leave_an_approval_of_something_else(
    database: Database, tmp_path: Path, clock: ToldClock
) -> None:
    """Whoever comes second finds what the first one did: an edit takes the approval back, or the link is spent."""
    school = School(make_services(database, tmp_path, clock))
    for _ in range(4):
        post_id = school.post()
        secret, filled = proved(school, post_id), form(school, post_id)

        def edit(post_id: int = post_id) -> None:
            with school.services.step() as session:
                touch(session, post_for_update(session, post_id), by=school.author, now=clock.now())

        def approve(secret: str = secret, filled: DecisionForm = filled) -> None:
            with suppress(LinkSpent):
                step.decide(school.services, secret, filled)

        with ThreadPoolExecutor(2) as both:
            for done in [both.submit(edit), both.submit(approve)]:
                done.result()
        assert school.state(post_id) == PostState.DRAFT
        with school.services.db.read() as session:
            version_id = session.get_one(Post, post_id).version_id
            rows = session.scalars(select(Publication.state).where(Publication.version_id == version_id)).all()
        assert set(rows) <= {PublicationState.CANCELLED}


def test_a_post_asked_for_anew_with_a_later_time_does_not_expire_with_its_old_question(
    school: School, clock: ToldClock
) -> None:
    post_id = school.post()
    school.ask(post_id)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.state, post.due_at = PostState.REQUESTING, clock.now() + timedelta(hours=5)
    clock.advance(hours=1)
    assert step.expire_due(school.services) == 0
    assert school.state(post_id) == PostState.REQUESTING
    assert the_request(school).status == RequestStatus.EXPIRED
