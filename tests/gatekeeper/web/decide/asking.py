"""Putting a post before the headteacher, and going through the pages as their telephone does."""

from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from approvals import deputies, proofs, tokens
from approvals.tables import ApprovalBase, ApprovalRequest
from gatekeeper.db.base import Base
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Finding, Post
from gatekeeper.posts.status import FindingState
from tests.factories.school import PIN, School

WORDS = {"typed_name": "Head Quarry", "statement": "I have read it and approve it."}
Browser = Callable[[Role | None], FlaskClient]


def link_to(school: School, post_id: int) -> str:
    """The address in the e-mail about this post."""
    school.ask(post_id)
    with school.services.db.begin() as session:
        asked = session.get_one(ApprovalRequest, the_request(school).id)
        token = tokens.mint(
            session, request=asked, person_id=school.head, purpose=tokens.DECIDE, now=school.services.clock.now()
        )
    return f"/a/{token}"


def the_request(school: School) -> ApprovalRequest:
    with school.services.db.read() as session:
        newest = session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.opened_seq.desc())).first()
        assert newest is not None
        return newest


def opened(client: FlaskClient, link: str) -> str:
    """Open the link; returns the clean address."""
    answer = client.get(link)
    assert answer.status_code == 303
    return answer.headers["Location"]


def proved(client: FlaskClient, link: str) -> str:
    """Open the link and give the PIN; returns the clean address."""
    address = opened(client, link)
    answer = client.post(f"{address}/prove", data={"pin": PIN})
    assert answer.status_code == 303
    return address


def send(client: FlaskClient, address: str, school: School, verdict: str = "approve", **more: str) -> TestResponse:
    with school.services.db.read() as session:
        digest = session.get_one(ApprovalRequest, address.rsplit("/", 1)[-1]).digest
    return client.post(address, data={"digest": digest, "verdict": verdict, **WORDS, **more})


def count(school: School, table: type) -> int:
    with school.services.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def everything(school: School) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with school.services.db.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for metadata in (Base.metadata, ApprovalBase.metadata)
            for table in metadata.sorted_tables
        }


def add_findings(school: School, post_id: int) -> int:
    with school.services.db.begin() as session:
        version_id = session.get_one(Post, post_id).version_id
        rows = [
            Finding(
                version_id=version_id, rule="naming.pupil", clause="3.1d", severity=severity, field="text",
                quote="harvest", message="This may be a name.", state=state, reason="The family asked for it.",
                resolved_by=school.author, resolved_at=school.services.clock.now(),
            )
            for severity, state in (
                ("block", FindingState.OVERRIDE), ("justify", FindingState.ANSWERED), ("advice", FindingState.OPEN)
            )
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return rows[0].id


def add_marks(school: School, post_id: int, *names: str) -> list[int]:
    """Logos that were seen in photo 1, each explained by the author; the finding's id for each."""
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        rows = [
            Finding(
                version_id=post.version_id or 0, rule="photo-mark", clause="3.6", severity="justify",
                field="images[0].mark", quote=name, message=f"The logo “{name}” can be seen.", box=[40 * place, 20, 40 * place + 30, 50],
                state=FindingState.ANSWERED, reason="It is on our jumpers.", resolved_by=school.author,
                resolved_at=school.services.clock.now(),
            )
            for place, name in enumerate(names)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def call_it(school: School, post_id: int, title: str) -> int:
    """Give a post another title."""
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).title = title
    return post_id


def appoint_deputy(school: School) -> None:
    """The headteacher names the deputy for a day, and the deputy chooses a PIN."""
    now, deputy = school.services.clock.now(), school.staff[Role.DEPUTY]
    with school.services.db.begin() as session:
        proofs.set_pin(session, deputy, PIN, now=now)
        deputies.name(
            session,
            head_id=school.head,
            deputy_id=deputy,
            starts_at=now,
            ends_at=now + timedelta(days=1),
            reason="I am at the heads' conference.",
            proof_method="pin",
            now=now,
        )
