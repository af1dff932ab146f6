"""Short guidance from the policy, shown where it matters. A card put away stays on the policy's page and the account page."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput
from gatekeeper.people.policy_editions import PolicyEdition, PutAwayCard, edition_in_force
from gatekeeper.workflow.services import Services


class Place(StrEnum):
    """Where a card is shown beside the policy's own page."""

    POST = "post"
    ACCOUNT = "account"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One piece of guidance. `away` says that this reader put it away."""

    key: str
    clause: str
    title: str
    words: str
    places: frozenset[Place]
    away: bool = False


_BOTH: Final = frozenset(Place)
_POST: Final = frozenset({Place.POST})
_ACCOUNT: Final = frozenset({Place.ACCOUNT})

#: what section 2 says about devices, by the choice on record
_DEVICES: Final = {
    "": "Your school has not decided yet which rule about devices counts. A school device is always right.",
    "2A": "In this school nobody uses their own social media in working hours or on school equipment.",
    "2B": "Your own social media may be used now and then, in the designated place only{place}.",
    "2C": "Your own device stays out of pupils' sight and is for breaks only.",
}


def cards_of(edition: PolicyEdition | None, away: frozenset[str] = frozenset()) -> tuple[Card, ...]:
    """Every card as the edition has it."""
    told = (
        (
            "photographs",
            "2",
            "Photograph with a school device",
            f"Take pictures of pupils with a school device, never with your own. {_about_devices(edition)}",
            _POST,
        ),
        (
            "own_behalf",
            "5.1",
            "Who is speaking?",
            (
                "A post of the school speaks for the school: leave out “I think”. On an account of your own say that you "
                "speak for yourself, and do not use the school's address or name for it."
            ),
            _BOTH,
        ),
        (
            "ask_first",
            "5.5",
            "Not sure? Ask first",
            (
                "If you wonder whether something should be posted, do not post it yet: ask your line manager and keep the "
                "draft until you have the answer."
            ),
            _POST,
        ),
        (
            "friends",
            "3.1a",
            "Pupils are not friends online",
            (
                "Do not befriend, follow or accept pupils, or former pupils under 18, on any account. The school's own "
                "accounts do not follow them either."
            ),
            _ACCOUNT,
        ),
        (
            "privacy",
            "5.3",
            "Look at your privacy settings",
            (
                "Check on each platform who can see what you write, who can tag you, and who finds you by your telephone "
                "number. Whatever is out can be copied on: nobody can call it back."
            ),
            _ACCOUNT,
        ),
    )
    return tuple(
        Card(key=key, clause=clause, title=title, words=words, places=places, away=key in away)
        for key, clause, title, words, places in told
    )


def cards_for(session: Session, staff_id: int, place: Place | None = None) -> tuple[Card, ...]:
    """The cards for one person, all of them or those of one place. Where no edition counts, only `/policy` shows any."""
    edition = edition_in_force(session)
    if edition is None and place is not None:
        return ()
    away = frozenset(_away(session, staff_id, edition.id)) if edition else frozenset()
    return tuple(card for card in cards_of(edition, away) if place is None or place in card.places)


def put_away(services: Services, key: str, *, by: int) -> None:
    """Show a card to this person no more where it stands, until there is a new edition.

    Raises:
        BadInput: there is no such card, or no edition that it belongs to.
    """
    now = services.clock.now()
    with services.step() as session:
        edition = _edition_with(session, key)
        if session.get(PutAwayCard, (by, edition.id, key)) is None:
            session.add(PutAwayCard(staff_id=by, edition_id=edition.id, card=key, at=now))


def bring_back(services: Services, key: str, *, by: int) -> None:
    """Show a card again.

    Raises:
        BadInput: as `put_away`.
    """
    with services.step() as session:
        row = session.get(PutAwayCard, (by, _edition_with(session, key).id, key))
        if row is not None:
            session.delete(row)


def _edition_with(session: Session, key: str) -> PolicyEdition:
    edition = edition_in_force(session)
    if edition is None or key not in {card.key for card in cards_of(edition)}:
        raise BadInput("There is no such card.")
    return edition


def _away(session: Session, staff_id: int, edition_id: int) -> Sequence[str]:
    wanted = select(PutAwayCard.card).where(PutAwayCard.staff_id == staff_id, PutAwayCard.edition_id == edition_id)
    return session.scalars(wanted).all()


def _about_devices(edition: PolicyEdition | None) -> str:
    place = f": {edition.place}" if edition and edition.place else ""
    return _DEVICES[edition.section_two if edition else ""].format(place=place)
