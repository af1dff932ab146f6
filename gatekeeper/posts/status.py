"""The states of a post and of a publication, and the tables that go with them.

A test proves that every state stands in every table, and that the diagram in the documentation is drawn from here.
"""

from enum import StrEnum


class PostState(StrEnum):
    """Where a post is on its way."""

    DRAFT = "draft"
    SCANNING = "scanning"
    SCAN_FAILED = "scan_failed"
    OPEN = "open"
    REQUESTING = "requesting"
    WAITING = "waiting"
    CHANGES = "changes"
    REFUSED = "refused"
    EXPIRED = "expired"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    PARTLY = "partly"
    NEEDS_PERSON = "needs_person"
    FAILED = "failed"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class Turn(StrEnum):
    """Whose move it is."""

    AUTHOR = "author"
    SYSTEM = "system"
    HEAD = "headteacher"
    OFFICE = "office"
    NOBODY = "nobody"


P = PostState

#: which state may follow which; `posts/repository.move` refuses every other step
MOVES: dict[PostState, frozenset[PostState]] = {
    P.DRAFT: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.SCANNING: frozenset({P.OPEN, P.REQUESTING, P.SCAN_FAILED, P.SCANNING, P.DRAFT, P.WITHDRAWN}),
    P.SCAN_FAILED: frozenset({P.SCANNING, P.DRAFT, P.WITHDRAWN}),
    P.OPEN: frozenset({P.SCANNING, P.REQUESTING, P.DRAFT, P.WITHDRAWN}),
    P.REQUESTING: frozenset({P.WAITING, P.OPEN, P.SCANNING, P.DRAFT, P.EXPIRED, P.WITHDRAWN}),
    # back to requesting: whoever was asked may no longer decide, and somebody else is asked
    P.WAITING: frozenset(
        {P.SCHEDULED, P.REFUSED, P.CHANGES, P.EXPIRED, P.REQUESTING, P.OPEN, P.SCANNING, P.DRAFT, P.WITHDRAWN}
    ),
    P.CHANGES: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.REFUSED: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.EXPIRED: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.SCHEDULED: frozenset(
        {P.PUBLISHED, P.PARTLY, P.NEEDS_PERSON, P.FAILED, P.MISSED, P.OPEN, P.DRAFT, P.SCANNING, P.WITHDRAWN}
    ),
    P.PUBLISHED: frozenset(),
    P.PARTLY: frozenset({P.PUBLISHED, P.NEEDS_PERSON, P.DRAFT, P.SCANNING}),
    P.NEEDS_PERSON: frozenset({P.PUBLISHED, P.PARTLY, P.FAILED, P.MISSED, P.SCHEDULED}),
    P.FAILED: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.MISSED: frozenset({P.DRAFT, P.SCANNING, P.WITHDRAWN}),
    P.WITHDRAWN: frozenset({P.DRAFT}),
}

TURN: dict[PostState, Turn] = {
    P.DRAFT: Turn.AUTHOR,
    P.SCANNING: Turn.SYSTEM,
    P.SCAN_FAILED: Turn.AUTHOR,
    P.OPEN: Turn.AUTHOR,
    P.REQUESTING: Turn.SYSTEM,
    P.WAITING: Turn.HEAD,
    P.CHANGES: Turn.AUTHOR,
    P.REFUSED: Turn.AUTHOR,
    P.EXPIRED: Turn.AUTHOR,
    P.SCHEDULED: Turn.SYSTEM,
    P.PUBLISHED: Turn.NOBODY,
    P.PARTLY: Turn.OFFICE,
    P.NEEDS_PERSON: Turn.OFFICE,
    P.FAILED: Turn.AUTHOR,
    P.MISSED: Turn.AUTHOR,
    P.WITHDRAWN: Turn.NOBODY,
}

#: (word, Bootstrap colour, sign): states are told by word and sign as well as by colour
BADGE: dict[PostState, tuple[str, str, str]] = {
    P.DRAFT: ("Draft", "secondary", "✎"),
    P.SCANNING: ("Being checked", "info", "⟳"),
    P.SCAN_FAILED: ("Could not be checked", "danger", "⚠"),
    P.OPEN: ("Needs your answers", "warning", "?"),
    P.REQUESTING: ("On its way to the headteacher", "info", "⟳"),
    P.WAITING: ("Waiting for the headteacher", "primary", "⏳"),
    P.CHANGES: ("Changes asked for", "warning", "✎"),
    P.REFUSED: ("Refused", "danger", "✕"),
    P.EXPIRED: ("Not decided in time", "warning", "⌛"),
    P.SCHEDULED: ("Approved, waiting for its time", "success", "✓"),
    P.PUBLISHED: ("Published", "success", "✓"),
    P.PARTLY: ("Published in part", "warning", "◐"),
    P.NEEDS_PERSON: ("A person must look", "danger", "⚠"),
    P.FAILED: ("Not published", "danger", "✕"),
    P.MISSED: ("Missed its time", "warning", "⌛"),
    P.WITHDRAWN: ("Withdrawn", "secondary", "–"),
}

#: states in which the author may still change the words, the photos or the time
EDITABLE = frozenset(P) - {P.PUBLISHED, P.NEEDS_PERSON, P.PARTLY}
#: states in which an edit voids something the headteacher was asked or has said
VOIDED_BY_EDIT = frozenset({P.REQUESTING, P.WAITING, P.SCHEDULED})


class PublicationState(StrEnum):
    """Where one version's publication on one channel is."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PUBLISHED = "published"
    NEEDS_PERSON = "needs_person"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"


S = PublicationState

PUBLICATION_MOVES: dict[PublicationState, frozenset[PublicationState]] = {
    S.SCHEDULED: frozenset({S.CLAIMED, S.MISSED, S.CANCELLED, S.FAILED}),
    S.CLAIMED: frozenset({S.SENDING, S.SCHEDULED, S.FAILED, S.MISSED, S.CANCELLED}),
    S.SENDING: frozenset({S.PUBLISHED, S.UNKNOWN, S.SCHEDULED, S.FAILED}),
    S.UNKNOWN: frozenset({S.PUBLISHED, S.NEEDS_PERSON, S.SCHEDULED}),
    S.PUBLISHED: frozenset(),
    S.NEEDS_PERSON: frozenset({S.PUBLISHED, S.FAILED, S.SCHEDULED}),
    S.FAILED: frozenset(),
    S.MISSED: frozenset(),
    # the same version, approved anew after its first approval was taken back: its fence goes on, never back to nought
    S.CANCELLED: frozenset({S.SCHEDULED}),
}

PUBLICATION_WORDS: dict[PublicationState, str] = {
    S.SCHEDULED: "Waiting for its time",
    S.CLAIMED: "About to be sent",
    S.SENDING: "Being sent",
    S.UNKNOWN: "Sent, and no clear answer yet: being looked up",
    S.PUBLISHED: "Published",
    S.NEEDS_PERSON: "Nobody knows whether it went out: a person must look",
    S.FAILED: "Not published",
    S.MISSED: "Its time passed before it could be sent",
    S.CANCELLED: "Cancelled before it was sent",
}

#: publications that have ended, for good or ill
ENDED = frozenset({S.PUBLISHED, S.FAILED, S.MISSED, S.CANCELLED})


class FaceState(StrEnum):
    """What is known of one face. Only the first blocks by itself; a pupil also needs the register's yes."""

    UNKNOWN = "unknown"
    PUPIL = "pupil"
    STAFF = "staff"
    ADULT = "adult"
    COVERED = "covered"
    NOT_A_FACE = "not_a_face"


class FindingState(StrEnum):
    """What became of a finding about the words."""

    OPEN = "open"
    ANSWERED = "answered"  # the author gave a written reason
    OVERRIDE = "override"  # the author asks the headteacher to allow it, with a reason
