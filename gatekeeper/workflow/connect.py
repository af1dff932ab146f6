"""Connecting a channel: the administrator registers it, the platform is asked (`key_check`), the head opens it.

The website seals the keys to a public key the moment they are typed and can never read them again. A channel opens
only by the headteacher's second proof and the declaration that the page is the school's own (policy 1.3, 3.1c).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.channels import seal
from gatekeeper.channels.base import Credentials
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.policy.limits import LIMITS
from gatekeeper.posts.model import ChannelAccount, ChannelLimit
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, confirm

#: what a platform's keys are called here and on the platform's own pages; the channels' own list is the same
SECRETS: Final[Mapping[str, Mapping[str, str]]] = {
    "x": {
        "consumer_key": "API key",
        "consumer_secret": "API key secret",
        "access_token": "Access token",
        "access_token_secret": "Access token secret",
    },
    "facebook": {"access_token": "Page access token", "app_id": "App ID", "app_secret": "App secret"},
    "linkedin": {"access_token": "Access token", "client_id": "Client ID", "client_secret": "Client secret"},
}
#: what the headteacher's second proof is for when a channel is opened
ACTION: Final = "channel"
#: the audit's words for keys that were typed in
REGISTERED: Final = "channel.registered"
RENEWED: Final = "channel.keys_renewed"
#: the audit's word for "an administrator looked at the page without being signed in there"
SEEN: Final = "channel.seen_logged_out"
_LONGEST_ID: Final = 40
_SHORTEST_REASON: Final = 5


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What an administrator types to register an account."""

    kind: str
    name: str
    remote_id: str
    secrets: Mapping[str, str]


def register(services: Services, typed: Registration, *, by: int) -> int:
    """Add an account and have the platform asked whose the keys are.

    Raises:
        BadInput: a field cannot be used.
    """
    remote_id = typed.remote_id.strip()
    fields = _missing_secrets(typed.kind, typed.secrets)
    if typed.kind not in LIMITS:
        fields["kind"] = "Please choose the platform."
    if not typed.name.strip():
        fields["name"] = "Please give the account the name staff know it by."
    if not (remote_id.isascii() and remote_id.isdigit() and len(remote_id) <= _LONGEST_ID):
        fields["remote_id"] = "This is the account's number: digits only. The help page says where it stands."
    if fields:
        raise BadInput("Please look at the marked fields.", fields=fields)
    with services.step() as session:
        now = services.clock.now()
        same = select(ChannelAccount.id).where(ChannelAccount.kind == typed.kind, ChannelAccount.remote_id == remote_id)
        if session.scalar(same) is not None:
            sentence = "This account is registered already."
            raise BadInput(sentence, fields={"remote_id": sentence})
        account = ChannelAccount(
            kind=typed.kind, name=typed.name.strip(), remote_id=remote_id, created_by=by, created_at=now
        )
        session.add(account)
        session.flush()
        account.sealed = _sealed(services, account, typed.secrets)
        jobs.order(session, jobs.CONNECT, account.id, now=now)
        record(session, at=now, staff_id=by, action=REGISTERED, subject=f"channel:{account.id}")
    return account.id


def renew(services: Services, account_id: int, secrets: Mapping[str, str], *, by: int) -> None:
    """Seal new keys for the same account and have them checked. What the headteacher declared of the page stays.

    Raises:
        BadInput: a key is missing.
        NotFound: there is no such account.
    """
    with services.step() as session:
        now = services.clock.now()
        account = _account(session, account_id)
        if fields := _missing_secrets(account.kind, secrets):
            raise BadInput("Please look at the marked fields.", fields=fields)
        account.sealed = _sealed(services, account, secrets)
        account.check_result, account.expires_at, account.told_expiry = "", None, None
        _ask_afresh(session, account, now=now)
        record(session, at=now, staff_id=by, action=RENEWED, subject=f"channel:{account.id}")


def check_again(services: Services, account_id: int, *, by: int) -> None:
    """Ask the platform once more. Until it has answered, nothing goes out on the channel.

    Raises:
        Conflict: there are no keys to ask with.
        NotFound: there is no such account.
    """
    with services.step() as session:
        now = services.clock.now()
        account = _account(session, account_id)
        if not account.sealed:
            raise Conflict("There are no keys for this account. Please type them in again.")
        _ask_afresh(session, account, now=now)
        record(session, at=now, staff_id=by, action="channel.check_ordered", subject=f"channel:{account.id}")


def open_channel(services: Services, account_id: int, *, by: int, proof: Proof, declared_own: bool) -> None:
    """Open a checked account for posts, by the headteacher's second proof and declaration.

    Raises:
        BadInput: the declaration was not made.
        NotAllowed: this person is not the headteacher.
        Conflict: the platform has not confirmed the keys.
        ProofRefused: the proof was not right, is locked, or was not given.
    """
    with services.db.read() as session:
        _check_head(session, by)
        _check_openable(_account(session, account_id))
    if not declared_own:
        sentence = "Please declare that this page is the school's own, or leave the channel closed."
        raise BadInput(sentence, fields={"declared_own": sentence})
    method = confirm(services, by, proof, action=ACTION)
    with services.step() as session:
        now = services.clock.now()
        ledger.hold(session)
        _check_head(session, by)
        account = _account(session, account_id)
        _check_openable(account)
        account.status, account.declared_own, account.opened_by, account.opened_at = "open", True, by, now
        account.held_reason = ""
        body = {"account": account.id, "kind": account.kind, "remote_id": account.remote_id, "by": by}
        ledger.append(
            session, at=now, kind="channel.opened", body={**body, "declared": "the school's own", "proof": method}
        )
        record(session, at=now, staff_id=by, action="channel.opened", subject=f"channel:{account.id}")


def looked_logged_out(services: Services, account_id: int, *, by: int) -> None:
    """Write down that an administrator saw a test post on the page without being signed in there.

    No platform tells by its keys whether strangers see what an app posts; a Facebook app that is not live shows it to
    its own people alone.

    Raises:
        NotFound: there is no such account.
    """
    with services.step() as session:
        account = _account(session, account_id)
        now = services.clock.now()
        record(session, at=now, staff_id=by, action=SEEN, subject=f"channel:{account.id}")


def hold_channel(services: Services, account_id: int, *, reason: str, by: int) -> None:
    """Stop everything on an account until the headteacher opens it again.

    Raises:
        BadInput: no reason was given.
        Conflict: the account is not open.
        NotFound: there is no such account.
    """
    words = reason.strip()
    if len(words) < _SHORTEST_REASON:
        sentence = "Please give the reason in a few words."
        raise BadInput(sentence, fields={"reason": sentence})
    with services.step() as session:
        now = services.clock.now()
        ledger.hold(session)
        account = _account(session, account_id)
        if account.status != "open":
            raise Conflict("This channel is not open.")
        account.status, account.held_reason = "held", words
        account.declared_own, account.opened_by, account.opened_at = False, None, None
        ledger.append(session, at=now, kind="channel.held", body={"account": account.id, "by": by})
        record(session, at=now, staff_id=by, action="channel.held", subject=f"channel:{account.id}")


def close_channel(services: Services, account_id: int, *, by: int) -> None:
    """Close an account and destroy its keys here. Connecting it again needs fresh keys and the headteacher.

    Raises:
        NotFound: there is no such account.
    """
    with services.step() as session:
        now = services.clock.now()
        ledger.hold(session)
        account = _account(session, account_id)
        account.status, account.sealed, account.held_reason = "closed", None, ""
        account.declared_own, account.opened_by, account.opened_at = False, None, None
        ledger.append(session, at=now, kind="channel.closed", body={"account": account.id, "by": by})
        record(session, at=now, staff_id=by, action="channel.closed", subject=f"channel:{account.id}")


def _ask_afresh(session: Session, account: ChannelAccount, *, now: datetime) -> None:
    """Order a check that forgets what the platform said before, of the keys and of its limits."""
    account.status, account.held_reason = "new", ""
    session.execute(delete(ChannelLimit).where(ChannelLimit.account_id == account.id))
    jobs.order(session, jobs.CONNECT, account.id, now=now)


def _check_head(session: Session, staff_id: int) -> None:
    staff = session.get(Staff, staff_id)
    if staff is None or staff.role != Role.HEADTEACHER:
        raise NotAllowed("Only the headteacher opens a channel.")


def _check_openable(account: ChannelAccount) -> None:
    """What a person held may be opened again; what the platform's own answer held needs a fresh check instead.

    A person's hold takes the declaration away, a platform's leaves it: keys that were mended open the channel again.
    """
    if account.status == "checked" or (
        account.status == "held" and account.opened_at is None and account.held_reason != account.check_result
    ):
        return
    if account.status == "open":
        raise Conflict("This channel is open already.")
    raise Conflict("The platform has not confirmed the keys of this account, so it cannot be opened.")


def can_be_opened(account: ChannelAccount) -> bool:
    """Whether the headteacher may open this account now."""
    try:
        _check_openable(account)
    except Conflict:
        return False
    return True


def _missing_secrets(kind: str, secrets: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"Please paste it here: {label}."
        for name, label in SECRETS.get(kind, {}).items()
        if not secrets.get(name, "").strip()
    }


def _sealed(services: Services, account: ChannelAccount, secrets: Mapping[str, str]) -> str:
    wanted = {name: secrets[name].strip() for name in SECRETS[account.kind]}
    plain = Credentials(account.kind, account.remote_id, wanted).to_json().encode()
    return seal.seal(services.settings.seal_public, plain, context=seal.account_context(account.id))


def _account(session: Session, account_id: int) -> ChannelAccount:
    account = session.get(ChannelAccount, account_id)
    if account is None:
        raise NotFound("There is no such channel.")
    return account
