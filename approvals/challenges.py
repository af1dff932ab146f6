"""The random challenges that passkeys answer: given to one person for one purpose, good for five minutes, once.

A challenge carries its time and a seal by the site's own key, so giving one out writes nothing: mail scanners that
open a page a thousand times leave no trace. What is written down is the answer. An approval is different: there the
challenge is the digest (`assertions`). The two cannot be confused, because these are longer.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.tables import PasskeyChallenge

LASTS: Final = timedelta(minutes=5)
_KEPT: Final = timedelta(days=1)  # longer than it lasts, so that a clock set back brings none to life again
_NONCE, _TIME, _SEAL = 16, 8, 32
_DOMAIN: Final = b"gatekeeper/challenge/1\x00"


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Who is asked to prove themselves, and what for.

    Attributes:
        person_id: who.
        purpose: a short word such as "view", "enrol" or the name of a weighty step.
        subject: the request that is opened, where one is.
    """

    person_id: int
    purpose: str
    subject: str = ""

    def written(self) -> bytes:
        """The one way an occasion is spelt."""
        return "\x00".join((str(self.person_id), self.purpose, self.subject)).encode()


def give(key: bytes, occasion: Occasion, *, now: datetime) -> bytes:
    """A fresh challenge. Nothing is written."""
    fresh = secrets.token_bytes(_NONCE) + int(now.timestamp()).to_bytes(_TIME, "big")
    return fresh + _seal(key, occasion, fresh)


def stands(key: bytes, challenge: bytes, occasion: Occasion, *, now: datetime) -> bool:
    """Whether this challenge was given on this occasion, within the last five minutes.

    Whether it was answered already, `spend` knows.
    """
    fresh, seal = challenge[: _NONCE + _TIME], challenge[_NONCE + _TIME :]
    if len(seal) != _SEAL or not hmac.compare_digest(seal, _seal(key, occasion, fresh)):
        return False
    given = _given_at(challenge)
    return given <= now < given + LASTS


def spend(session: Session, challenge: bytes, occasion: Occasion, *, now: datetime) -> bool:
    """Note that this challenge is answered; False when it was answered before. The caller has asked `stands`."""
    ledger.hold(session)
    name = hashlib.sha256(challenge).hexdigest()
    if session.get(PasskeyChallenge, name) is not None:
        return False
    given = _given_at(challenge)
    session.add(
        PasskeyChallenge(
            id=name,
            person_id=occasion.person_id,
            purpose=occasion.purpose,
            subject=occasion.subject,
            created_at=given,
            expires_at=given + LASTS,
            used_at=now,
        )
    )
    session.flush()
    return True


def drop_old(session: Session, now: datetime) -> int:
    """Forget the answered challenges that could not be answered again anyway. Says how many there were."""
    gone = session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now - _KEPT))
    return cast("CursorResult[tuple[()]]", gone).rowcount


def _given_at(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(challenge[_NONCE : _NONCE + _TIME], "big"), UTC)


def _seal(key: bytes, occasion: Occasion, fresh: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + fresh + occasion.written(), "sha256")
