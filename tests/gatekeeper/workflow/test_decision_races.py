"""Fifty at once with the second proof already given: one decision each time, and what follows from it once."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from approvals import deputies, ledger_check, proofs, tokens
from approvals.errors import AlreadyDecided, LinkSpent, QuestionClosed
from approvals.tables import ApprovalRequest, ApprovalToken, Decision, LedgerEntry, RequestStatus, Verdict
from gatekeeper.db import session as session_module
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Publication
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide
from tests.conftest import ToldClock
from tests.factories.crowd import Crowd
from tests.factories.school import PIN, School, make_services
from tests.fixtures.signing import SIGNER

THREADS, ROUNDS, CONNECTIONS = 50, 20, 20
TOO_LATE = (AlreadyDecided, LinkSpent, QuestionClosed)
AFTER = {
    Verdict.APPROVE: PostState.SCHEDULED,
    Verdict.REFUSE: PostState.REFUSED,
    Verdict.CHANGES: PostState.CHANGES,
}


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A fresh database of each kind whose connections are kept: making them anew would be most of the time."""
    monkeypatch.setattr(session_module, "create_engine", partial(create_engine, pool_size=CONNECTIONS, max_overflow=0))
    opened = Database(database_url, signer=SIGNER)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """A school whose head is away and has named a deputy."""
    school = School(make_services(database, tmp_path, clock))
    with school.services.db.begin() as session:
        proofs.set_pin(session, school.staff[Role.DEPUTY], PIN, now=clock.now())
        deputies.name(
            session,
            head_id=school.head,
            deputy_id=school.staff[Role.DEPUTY],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=5),
            reason="I am at the heads' conference.",
            proof_method="pin",
            now=clock.now(),
        )
    return school


def browsers(school: School, post_id: int) -> list[str]:
    """Two tabs of the head and two of the deputy, each with a proof of its own."""
    school.ask(post_id)
    now = school.services.clock.now()
    with school.services.db.begin() as session:
        found = session.scalars(select(ApprovalRequest).where(ApprovalRequest.subject == f"post:{post_id}")).one()
        links = {
            person: tokens.mint(session, request=found, person_id=person, purpose=tokens.DECIDE, now=now)
            for person in (school.head, school.staff[Role.DEPUTY])
        }
        opened = [tokens.open_link(session, link, purpose=tokens.DECIDE, now=now) for link in links.values()]
        return [
            proofs.prove_view(session, one.view_secret, PIN, now=now).view_secret or "" for one in opened for _ in "ab"
        ]


def test_fifty_at_once_decide_once_and_make_one_set_of_publications(school: School, clock: ToldClock) -> None:
    """The head and the deputy, two tabs each, press different buttons about the same post at the same moment."""
    services, winners, verdicts = school.services, Counter[int](), Counter[str]()
    with Crowd(THREADS) as crowd:
        for _ in range(ROUNDS):
            post_id = school.post(due_in=timedelta(days=2))
            digest = school.digest(post_id)

            def press(secret: str, verdict: Verdict, digest: str = digest) -> Decision | None:
                form = decide.DecisionForm(
                    verdict=verdict,
                    digest_shown=digest,
                    typed_name="Quarry",
                    statement="This is what I decided.",
                    answers={},
                )
                return decide.decide(services, secret, form).decision

            hands = islice(cycle(zip(cycle(browsers(school, post_id)), cycle(Verdict), strict=False)), THREADS)
            calls = [lambda secret=secret, verdict=verdict: press(secret, verdict) for secret, verdict in hands]
            results = crowd.together(calls)
            (made,) = [result for result in results if not isinstance(result, Exception)]
            assert all(isinstance(result, TOO_LATE) for result in results if isinstance(result, Exception)), results
            assert school.state(post_id) == AFTER[made.verdict]
            winners[made.approver_id] += 1
            verdicts[made.verdict] += 1
    with services.db.read() as session:
        assert session.scalar(select(func.count(Decision.id))) == ROUNDS
        recorded = select(func.count(LedgerEntry.seq)).where(LedgerEntry.kind == "decision.recorded")
        assert session.scalar(recorded) == ROUNDS
        sets = session.execute(select(Publication.decision_id, func.count()).group_by(Publication.decision_id)).all()
        assert len(sets) == verdicts[Verdict.APPROVE]
        assert {number for _, number in sets} <= {2}
        under = select(func.count(Decision.id)).where(Decision.appointment_id.is_not(None))
        assert session.scalar(under) == winners[school.staff[Role.DEPUTY]]
        open_ones = select(func.count()).where(ApprovalRequest.status == RequestStatus.OPEN)
        assert session.scalar(open_ones) == 0
        living = select(func.count()).where(ApprovalToken.closed_at.is_(None))
        assert session.scalar(living) == 0
        assert ledger_check.verify(session).ok
