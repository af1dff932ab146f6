"""The attempt to send one publication: written down before a byte leaves, and how it ended."""

from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from gatekeeper.db.bare import table_of
from gatekeeper.posts.model import Attempt, Publication
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.claim import Claim, LostClaim


def begin(session: Session, claim: Claim, *, digest: str, now: datetime, lease_until: datetime) -> None:
    """Write the intent: from the commit on the publication is *sending*, for one new lease.

    Raises:
        LostClaim: the claim is gone.
    """
    moved = session.execute(_SENDING, {**_named(claim), "now": now, "lease": lease_until})
    _check_one(moved.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result always has it
    row = {"publication_id": claim.publication_id, "fence": claim.fence, "started_at": now, "digest": digest}
    session.execute(_BEGUN, row)


def renew(session: Session, claim: Claim, *, lease_until: datetime) -> None:
    """Let the lease begin anew, before anything was sent.

    Raises:
        LostClaim: the claim is gone.
    """
    renewed = session.execute(_RENEWED, {**_named(claim), "lease": lease_until})
    _check_one(renewed.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result always has it


def end(session: Session, claim: Claim, *, outcome: str, now: datetime, detail: str = "") -> None:
    """Write down how it ended; where none was begun, nothing is."""
    session.execute(_ENDED, {**_named(claim), "now": now, "how": outcome, "more": detail})


def _named(claim: Claim) -> dict[str, int]:
    return {"claimed_publication": claim.publication_id, "claimed_fence": claim.fence}


def _check_one(rows: int) -> None:
    if rows != 1:
        raise LostClaim("The claim is gone.")


_P, _A = table_of(Publication).c, table_of(Attempt).c
_CLAIMED = (
    update(table_of(Publication))
    .where(_P.id == bindparam("claimed_publication"), _P.fence == bindparam("claimed_fence"), _P.state == S.CLAIMED)
    .values(lease_until=bindparam("lease"))
)
_RENEWED = _CLAIMED
_SENDING = _CLAIMED.values(state=S.SENDING, sent_at=bindparam("now"), reads=0)
_BEGUN = insert(table_of(Attempt))
_ENDED = (
    update(table_of(Attempt))
    .where(_A.publication_id == bindparam("claimed_publication"), _A.fence == bindparam("claimed_fence"))
    .values(ended_at=bindparam("now"), outcome=bindparam("how"), detail=bindparam("more"))
)
