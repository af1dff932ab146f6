"""One post as a person reads it: where it is, whose turn it is, and what is still open.

Everything is read at once, so that the page shows one moment. Who may not see pupils' data gets none of it here, not
only in the template.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import Decision
from gatekeeper.clock import london
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy import limits, verdict
from gatekeeper.policy.verdict import OpenItem
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.repository import accounts_of, current_version, findings_of, publications_of
from gatekeeper.posts.status import BADGE, EDITABLE, PUBLICATION_WORDS, PostState, PublicationState
from gatekeeper.posts.wordings import wordings_of
from gatekeeper.settings import Timings
from gatekeeper.workflow.answer import is_asked
from gatekeeper.workflow.answerable import RESOLVABLE
from gatekeeper.workflow.ask_register import classes_on_roll, staff_names
from gatekeeper.workflow.asked_changes import Exchange, exchanges_of
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.consent_hold import HELD_NOTE
from gatekeeper.workflow.facts import facts_of
from gatekeeper.workflow.found_later import FoundLater, found_later
from gatekeeper.workflow.gone import GONE_BADGE, GONE_WORDS, gone, gone_at
from gatekeeper.workflow.own_post import may_see_pictures, readable_post
from gatekeeper.workflow.photo_view import PhotoView, photo_views
from gatekeeper.workflow.post_history import HistoryLine, history_of
from gatekeeper.workflow.recognition import is_on
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.stop import may_stop
from gatekeeper.workflow.stopped import WAITS, sending_stopped
from gatekeeper.workflow.submit import HELD, SUBMITTABLE
from gatekeeper.workflow.words_view import FindingView, Passage, finding_views, passages_of

P = PostState
#: states that change by themselves, so that the page looks again on its own
MOVING: Final = frozenset({P.SCANNING, P.REQUESTING, P.WAITING, P.SCHEDULED})
_MAY_ANSWER: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR})

#: what happens now, to the author; {due} is the time of publishing, {who} the one who decided
TURN_WORDS: Final[dict[PostState, str]] = {
    P.DRAFT: "With you. Finish it and send it to be checked.",
    P.SCANNING: "The photos and the words are being checked. This takes a few seconds for each photo.",
    P.SCAN_FAILED: "With you. The check did not come to an end, so nothing was passed.",
    P.OPEN: "With you. Answer what the check found, then send it to the headteacher.",
    P.REQUESTING: "The headteacher is being written to.",
    P.WAITING: "With the headteacher, who decides by the link in the e-mail, before {due}.",
    P.CHANGES: "With you. {who} asks for changes.",
    P.REFUSED: "{who} refused this post. Nothing was published.",
    P.EXPIRED: "With you. Nobody decided in time, so nothing was published. Choose a new time and send it again.",
    P.SCHEDULED: "Approved. It goes out by itself at {due}.",
    P.PUBLISHED: "Published. There is nothing left to do.",
    P.PARTLY: "Published on some channels only. See below.",
    P.NEEDS_PERSON: "Nobody knows whether it went out. A person has to look at the page and say so below.",
    P.FAILED: "With you. It was not published; below it says why.",
    P.MISSED: "With you. Its time passed before it could be sent. Choose a new time and send it again.",
    P.WITHDRAWN: "Withdrawn. Nothing of it will be published.",
}


#: an open post of which nothing is open any more
READY: Final = "With you. Nothing is open: send it to the headteacher."
#: an approved post while nothing goes out for the whole school
STOPPED: Final = (
    "Approved, and held: sending is stopped for the whole school. Below it says until when it can still go out."
)
STOPPED_BADGE: Final = ("Approved, and held", "warning", "!")
READY_BADGE: Final = ("Ready for the headteacher", "success", "✓")


_DECIDED_SO: Final = frozenset({P.CHANGES, P.REFUSED})
#: a post that came so far passed every question, the one about its children too
_PASSED: Final = frozenset({P.REQUESTING, P.WAITING, P.SCHEDULED, P.PUBLISHED})

#: instead of the reason, which may say what a family answered, to those who see neither photos nor faces
_HELD_BACK: Final = "Something stood against publishing it. Its author and the headteacher see what it was."


@dataclass(frozen=True, kw_only=True)
class PublicationView:
    """One channel's outcome."""

    id: int
    channel: str
    state: PublicationState
    words: str
    permalink: str
    published_at: datetime | None
    gone_at: datetime | None  # it was taken down since, and the platform showed it
    problem: str
    can_answer: bool


@dataclass(frozen=True, kw_only=True)
class PostView:
    """Everything one page shows of a post."""

    id: int
    title: str
    author: str
    mine: bool
    pictures: bool  # whether this person may see photos, faces and words
    can_stop: bool  # whether this person may stop it before its time
    state: PostState
    badge: tuple[str, str, str]
    turn: str
    progress: str
    note: str
    revision: int
    version: int | None
    due_at: datetime | None
    window: str
    channels: tuple[str, ...]
    channel_sketches: tuple[tuple[str, str, str], ...]  # (kind, the account's name, the words it gets)
    text: str = ""
    photos: tuple[PhotoView, ...] = ()
    classes: tuple[str, ...] = ()  # of the school, for its author to choose one
    colleagues: tuple[str, ...] = ()  # everybody who works here now, likewise
    recognition: bool = False  # whether faces are compared with enrolled pupils
    findings: tuple[FindingView, ...] = ()
    passages: tuple[Passage, ...] = ()
    open_items: tuple[OpenItem, ...] = ()
    publications: tuple[PublicationView, ...] = ()
    found_later: tuple[FoundLater, ...] = ()  # what was found about it where it stands, and is not settled
    history: tuple[HistoryLine, ...] = ()
    exchanges: tuple[Exchange, ...] = ()  # what was asked of its author and answered, the last first

    @property
    def asked_now(self) -> Exchange | None:
        """What is asked of its author at this moment."""
        return next((one for one in self.exchanges if one.newest), None)

    @property
    def moving(self) -> bool:
        """Whether it may change without anybody touching this page."""
        return self.state in MOVING

    @property
    def resolving(self) -> bool:
        """Whether the reader may answer boxes and findings now."""
        return self.mine and self.state in RESOLVABLE

    @property
    def can_edit(self) -> bool:
        """Whether its author may edit it straight away."""
        return self.mine and self.state in EDITABLE - HELD and self.state is not P.WITHDRAWN

    @property
    def can_take_back(self) -> bool:
        """Whether its author may make it a draft again, giving up what was asked or approved."""
        return self.mine and (self.state in HELD or self.state is P.WITHDRAWN)

    @property
    def can_withdraw(self) -> bool:
        """Whether its author may take it out of the way."""
        return self.mine and self.state in EDITABLE and self.state is not P.WITHDRAWN

    @property
    def can_submit(self) -> bool:
        """Whether it can be sent for checking from this page, as it stands."""
        return self.mine and self.state in SUBMITTABLE - {P.OPEN, P.REFUSED, P.WITHDRAWN}

    @property
    def ready_photos(self) -> tuple[PhotoView, ...]:
        """The photos whose published form has been made."""
        return tuple(photo for photo in self.photos if photo.ready)

    @property
    def faces_left(self) -> int:
        """How many faces still block."""
        return sum(face.against is not None for photo in self.photos for face in photo.faces)

    @property
    def next_face(self) -> int | None:
        """The first face that still blocks."""
        return next((face.id for photo in self.photos for face in photo.faces if face.against), None)


@dataclass(frozen=True)
class Progress:
    """The little that the page asks again and again while something is going on."""

    state: PostState
    word: str
    sign: str
    words: str
    moving: bool


def progress_of(services: Services, post_id: int, by: Staff) -> Progress:
    """Where a post is at this moment."""
    with services.db.read() as session:
        post = readable_post(session, post_id, by)
        state = PostState(post.state)
        held = _is_held(session, state)
        away = gone(session, (post.id,)).get(post.id)
        (word, _, sign), words = _told(session, post, held=held, ready=False, away=away)
        return Progress(state, word, sign, post.progress or words, state in MOVING)


def post_view(services: Services, post_id: int, by: Staff) -> PostView:
    """The whole post for this reader.

    Raises:
        NotFound: there is none, or none for this person.
    """
    now = services.clock.now()
    today = london(now).date()
    with services.db.read() as session:
        post = readable_post(session, post_id, by)
        author = session.get_one(Staff, post.author_id)
        version = current_version(session, post)
        accounts = accounts_of(session, post)
        mine, pictures = post.author_id == by.id, may_see_pictures(session, post, by, now=now)
        state = PostState(post.state)
        content = _content(session, post, today=today) if pictures else _Content()
        own = wordings_of(post) if pictures else {}
        ready = state is P.OPEN and pictures and not content.open_items
        held = _is_held(session, state)
        badge, turn = _told(session, post, held=held, ready=ready, away=gone(session, (post.id,)).get(post.id))
        resolves = mine and state in RESOLVABLE and bool(content.photos)
        return PostView(
            id=post.id,
            title=post.title or f"Post {post.id}",
            author=author.name,
            mine=mine,
            can_stop=post.state == P.SCHEDULED and may_stop(by, post.author_id),
            pictures=pictures,
            state=state,
            badge=badge,
            turn=turn,
            progress=post.progress,
            note=_note(post, ready=ready)
            if pictures
            else "",  # the headteacher's words, or why a face may not be shown
            revision=post.revision,
            version=version.number if version else None,
            due_at=post.due_at,
            window=limits.WINDOWS.get(post.window_minutes, f"{post.window_minutes} minutes"),
            channels=tuple(_channel_words(account) for account in accounts),
            channel_sketches=tuple(
                (account.kind, account.name, own.get(account.id, content.text)) for account in accounts
            ),
            publications=_publications(session, post, by, mine=mine, pictures=pictures),
            found_later=found_later(session, post, by),
            history=history_of(session, post, words=pictures),
            exchanges=exchanges_of(session, post, by=by.id) if pictures else (),
            text=content.text,
            photos=content.photos,
            classes=classes_on_roll(session) if resolves else (),
            colleagues=staff_names(session, today=today) if resolves else (),
            recognition=resolves and is_on(session),
            findings=content.findings,
            passages=content.passages,
            open_items=content.open_items,
        )


@dataclass(frozen=True, kw_only=True)
class _Content:
    text: str = ""
    photos: tuple[PhotoView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    passages: tuple[Passage, ...] = ()
    open_items: tuple[OpenItem, ...] = ()


def _content(session: Session, post: Post, *, today: date) -> _Content:
    facts = facts_of(session, post, today=today)
    # findings speak of the sealed version: once the text was edited they are about words that are gone
    version = current_version(session, post)
    stale = version is None or version.revision != post.revision
    rows = [] if stale or version is None else findings_of(session, version.id)
    findings = finding_views(session, rows)
    return _Content(
        text=post.text,
        photos=photo_views(session, post, facts, findings=findings, rows=rows),
        findings=findings,
        passages=passages_of(post, findings, accounts_of(session, post)),
        open_items=() if stale else tuple(verdict.open_items(facts)),
    )


def _publications(
    session: Session, post: Post, by: Staff, *, mine: bool, pictures: bool
) -> tuple[PublicationView, ...]:
    if post.version_id is None:
        return ()
    return tuple(
        _publication(session, one, by, mine=mine, pictures=pictures)
        for one in publications_of(session, post.version_id)
    )


def _publication(session: Session, one: Publication, by: Staff, *, mine: bool, pictures: bool) -> PublicationView:
    account = session.get_one(ChannelAccount, one.account_id)
    state = PublicationState(one.state)
    away = gone_at(session, one.id)
    return PublicationView(
        id=one.id,
        channel=_channel_words(account),
        state=state,
        words=PUBLICATION_WORDS[state],
        permalink=one.permalink if one.permalink.startswith(("https://", "http://")) and not away else "",
        published_at=one.published_at,
        gone_at=away,
        problem=_waits_for(session, one, account)
        or (one.problem if pictures or state is not PublicationState.FAILED else _HELD_BACK),
        can_answer=is_asked(one, Timings()) and (mine or Role(by.role) in _MAY_ANSWER),
    )


def _waits_for(session: Session, one: Publication, account: ChannelAccount) -> str:
    """Why a post that has its approval waits although nothing is wrong with it; empty where nothing keeps it."""
    if PublicationState(one.state) is not PublicationState.SCHEDULED:
        return ""
    until = london(one.closes_at)
    if sending_stopped(session):
        return WAITS.format(until=f"{until:%H:%M} on {until.day} {until:%B}")
    if account.status == "open":
        return ""
    why = account.held_reason or {"closed": "The channel is closed.", "new": "Its keys are being checked."}.get(
        account.status, "The headteacher has not opened it again."
    )
    return (
        f"This channel is held. {why} The post waits, and goes out by itself if the channel is open again by "
        f"{until:%H:%M} on {until.day} {until:%B}."
    )


def _is_held(session: Session, state: PostState) -> bool:
    return state is PostState.SCHEDULED and bool(sending_stopped(session))


def _channel_words(account: ChannelAccount) -> str:
    return f"{limits.label_of(account.kind)} ({account.name})"


def _note(post: Post, *, ready: bool) -> str:
    """The last sentence to the author, without the one about a child once nothing speaks against the post any more."""
    return "" if post.note == HELD_NOTE and (ready or post.state in _PASSED) else post.note


def _told(
    session: Session, post: Post, *, held: bool, ready: bool, away: bool | None
) -> tuple[tuple[str, str, str], str]:
    """The badge, and the sentence that says whose turn it is."""
    if away is not None:
        return GONE_BADGE[away], GONE_WORDS[away]
    if held:
        return STOPPED_BADGE, STOPPED
    return (READY_BADGE, READY) if ready else (BADGE[PostState(post.state)], _turn(session, post))


def _turn(session: Session, post: Post) -> str:
    due = london(post.due_at) if post.due_at else None
    state = PostState(post.state)
    return TURN_WORDS[state].format(
        due=f"{due:%H:%M} on {due.day} {due:%B}" if due else "its time",
        who=_decider(session, post) if state in _DECIDED_SO else "",
    )


def _decider(session: Session, post: Post) -> str:
    """Who decided last: a deputy decides too, and is not the headteacher."""
    newest = (
        select(Staff.name)
        .join(Decision, Decision.approver_id == Staff.id)
        .where(Decision.subject == subject_of(post.id))
        .order_by(Decision.ledger_seq.desc())
    )
    return session.scalar(newest.limit(1)) or "The headteacher"
