"""A written approval on record of one sealed version, where a test needs no more of the way there."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from approvals import decisions, proofs, requests, tokens
from approvals.tables import Verdict
from gatekeeper.posts.model import Version


def approval_of(session: Session, version: Version, *, author: int, head: int, now: datetime) -> str:
    """The id of the headteacher's decision about exactly this version."""
    until = now + timedelta(days=1)
    request = requests.open_request(
        session,
        subject=f"post:{version.post_id}",
        version_ref=str(version.id),
        digest=version.digest,
        title="Harvest",
        summary=requests.Summary(channels=("X",), due_at=until),
        override_asked=False,
        author_id=author,
        approver_id=head,
        now=now,
        expires_at=until,
    )
    token = tokens.mint(session, request=request, person_id=head, purpose=tokens.DECIDE, now=now)
    opened = tokens.open_link(session, token, purpose=tokens.DECIDE, now=now)
    proved = proofs.prove_browser(session, opened.view_secret, method=proofs.PIN, now=now)
    return decisions.decide(
        session,
        view_secret=proved.view_secret or "",
        verdict=Verdict.APPROVE,
        digest_shown=version.digest,
        typed_name="Head Teacher",
        statement="I approve this post for this page.",
        answers={},
        required_findings={},
        policy_version="1",
        now=now,
        may_decide=lambda person: person == head,
    ).id
