"""Overrides: the head alone, point by point; and what nobody can allow, whatever a form says, on every floor."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import decisions
from approvals.errors import FindingUnanswered, NobodyCanAllow
from approvals.tables import ApprovalRequest, Decision, Verdict
from gatekeeper.db.session import Database
from gatekeeper.people.consent import Consent
from gatekeeper.people.pupils import Pupil
from gatekeeper.posts.model import Finding, Post, Publication
from gatekeeper.posts.status import FindingState, PostState
from gatekeeper.workflow import decide
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services

SENTENCE = "The family asked us for it in writing."


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def proved(school: School, post_id: int) -> str:
    return decide.prove(school.services, school.ask(post_id, override=True), PIN).view_secret or ""


def form(school: School, post_id: int, **answers: str) -> decide.DecisionForm:
    return decide.DecisionForm(
        verdict=Verdict.APPROVE,
        digest_shown=school.digest(post_id),
        typed_name="Head Quarry",
        statement="I approve all of it.",
        answers=answers,
    )


def add_finding(school: School, post_id: int, rule: str) -> str:
    """A point whose author asks for an override; for some rules no page would have let them."""
    with school.services.db.begin() as session:
        finding = Finding(
            version_id=session.get_one(Post, post_id).version_id, rule=rule, clause="3.1d", severity="block",
            field="text", quote="Wren", message="A name.", state=FindingState.OVERRIDE, reason="It is her birthday.",
            resolved_by=school.author, resolved_at=school.services.clock.now(),
        )  # fmt: skip
        session.add(finding)
        session.flush()
        return str(finding.id)


def nothing_recorded(school: School) -> bool:
    with school.services.db.read() as session:
        return not session.scalars(select(Decision)).all() and not session.scalars(select(Publication)).all()


def test_an_override_is_approved_by_its_own_sentence(school: School) -> None:
    post_id = school.post()
    finding = add_finding(school, post_id, "pupil-name-full")
    secret = proved(school, post_id)
    with pytest.raises(FindingUnanswered):
        decide.decide(school.services, secret, form(school, post_id))
    outcome = decide.decide(school.services, secret, form(school, post_id, **{finding: SENTENCE}))
    assert outcome.decision is not None
    assert [answer["sentence"] for answer in outcome.decision.answers or []] == [SENTENCE]


@pytest.mark.parametrize("rule", ["never-pupil-name-full", "never-pupil-name-first"])
def test_cannot_allow_a_never_publish_mark_by_a_forged_form(school: School, rule: str) -> None:
    post_id = school.post()
    finding = add_finding(school, post_id, rule)
    outcome = decide.decide(school.services, proved(school, post_id), form(school, post_id, **{finding: SENTENCE}))
    assert outcome.decision is None
    assert nothing_recorded(school)
    assert school.state(post_id) == PostState.OPEN


@pytest.mark.parametrize("rule", ["never-pupil-name-full"])
def test_cannot_allow_a_never_publish_mark_even_past_the_looking_again(
    school: School, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    """The approval room itself is told what nobody can allow."""
    monkeypatch.setattr(decide, "find_against", lambda *_, **__: None)
    post_id = school.post()
    finding = add_finding(school, post_id, rule)
    with pytest.raises(NobodyCanAllow):
        decide.decide(school.services, proved(school, post_id), form(school, post_id, **{finding: SENTENCE}))
    assert nothing_recorded(school)


def test_cannot_allow_it_in_the_approval_room_whatever_is_answered(school: School, clock: ToldClock) -> None:
    post_id = school.post()
    secret = proved(school, post_id)
    with school.services.db.begin() as session, pytest.raises(NobodyCanAllow):
        decisions.decide(
            session,
            view_secret=secret,
            verdict=Verdict.APPROVE,
            digest_shown=school.digest(post_id),
            typed_name="Head Quarry",
            statement="I approve all of it.",
            answers={"7": SENTENCE},
            required_findings={"7": "never-pupil-name-full"},
            policy_version="2022-03/0",
            now=clock.now(),
            may_decide=lambda _: True,
            never=frozenset({"7"}),
        )
    assert nothing_recorded(school)


@pytest.mark.parametrize("how", ["never", "refused", "withdrawn", "none"])
def test_cannot_allow_a_face_without_consent_by_any_answer(school: School, clock: ToldClock, how: str) -> None:
    """Answers under names of faces, or of anything else, change nothing: they belong to no finding."""
    post_id = school.post(pupils=("Wren",))
    secret = proved(school, post_id)
    with school.services.db.begin() as session:
        face = session.get_one(Post, post_id).photos[0].faces[0]
        rows = session.scalars(select(Consent).where(Consent.pupil_id == school.pupils["Wren"])).all()
        for row in rows:
            if how == "refused":
                row.allowed = False
            elif how == "withdrawn":
                row.withdrawn_at, row.withdrawn_by = clock.now(), school.head
            elif how == "none":
                session.delete(row)
        if how == "never":
            pupil = session.get_one(Pupil, school.pupils["Wren"])
            pupil.never_publish, pupil.never_by, pupil.never_at = True, school.head, clock.now()
    forged = dict.fromkeys((str(face.id), f"face-{face.id}", "photo:1:face:1", "0", "-1"), SENTENCE)
    filled = replace(form(school, post_id, **forged), authorised={str(face.id): "the headteacher"})
    outcome = decide.decide(school.services, secret, filled)
    assert outcome.decision is None
    assert nothing_recorded(school)
    with school.services.db.read() as session:
        assert session.scalars(select(ApprovalRequest)).one().status == "void"


def test_answers_that_belong_to_no_finding_are_kept_nowhere(school: School) -> None:
    post_id = school.post()
    outcome = decide.decide(
        school.services, proved(school, post_id), form(school, post_id, **{"999": SENTENCE, "face-1": SENTENCE})
    )
    assert outcome.decision is not None
    assert outcome.decision.answers == []
