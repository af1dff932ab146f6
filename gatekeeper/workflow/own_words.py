"""What the school itself may be reached by and what its classes are called, for the wording that is suggested."""

from sqlalchemy.orm import Session

from gatekeeper.people.school import school_settings
from gatekeeper.text.suggest import OwnWords


def own_words(session: Session) -> OwnWords:
    """The first of each of the school's own details, as its settings give them."""
    own = school_settings(session)

    def first(name: str) -> str:
        return next((str(one) for one in own[name] if one), "")

    return OwnWords(
        phone=first("phones"),
        email=first("emails"),
        handle=first("handles"),
        rooms=tuple(str(name) for name in own["classes"]),
    )
