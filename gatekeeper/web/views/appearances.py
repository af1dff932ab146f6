"""Where is this child? Every post that shows or names one, for a few minutes after somebody said why they look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.accounts import names_of_staff
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Role
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Post
from gatekeeper.posts.status import PUBLICATION_WORDS, PostState, PublicationState
from gatekeeper.web.access import can_open, person, roles, services
from gatekeeper.workflow import subject_access
from gatekeeper.workflow.appearances import CLEARED, NAMED, TAGGED, Appearance, appearances
from gatekeeper.workflow.gone import GONE_BADGE, gone
from gatekeeper.workflow.own_post import may_see_pictures

bp = Blueprint("appearances", __name__, url_prefix="/pupils")
finders = roles(*sorted(subject_access.MAY_FIND))

LASTS: Final = timedelta(minutes=10)
HOW: Final = {
    CLEARED: "shown",
    TAGGED: "tagged once, and no longer shown",
    NAMED: "named in the words",
}
_KEY: Final = "found_pupil"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One post of the list. `title` is empty where this person may not read the post."""

    post_id: int
    title: str
    author: str
    state: str
    badge: tuple[str, str, str] | None  # where its state alone would say too much
    how: str
    opens: bool
    photo_ids: tuple[int, ...]
    standing: tuple[tuple[str, str, str], ...]  # (channel, words, link)
    found: Appearance


@bp.get("/<int:pupil_id>/posts")
@finders
def show(pupil_id: int) -> str | tuple[str, int]:
    """The list, or the question why somebody wants to see it."""
    return _page(pupil_id)


@bp.post("/<int:pupil_id>/posts")
@finders
def find(pupil_id: int) -> Response | tuple[str, int]:
    """Keep the reason in the audit, and show the list for a few minutes."""
    reason = request.form.get("reason", "")[:1000]
    try:
        subject_access.find(services(), pupil_id, reason=reason, by=person())
    except BadInput as refused:
        return _page(pupil_id, reason=reason, refused=str(refused), locked=True), 422
    until = services().clock.now() + LASTS
    session[_KEY] = {"pupil": pupil_id, "until": until.isoformat()}
    return redirect(url_for("appearances.show", pupil_id=pupil_id), code=303)


def _page(pupil_id: int, *, reason: str = "", refused: str = "", locked: bool = False) -> str:
    with services().db.read() as db:
        pupil = db.get(Pupil, pupil_id)
        if pupil is None:
            raise NotFound("There is no such pupil on the roll.")
        found = None if locked or not _is_open(pupil_id) else appearances(db, pupil_id)
        lines = [_line(db, one) for one in found] if found is not None else None
    home = can_open("pupils.show")
    return render_template(
        "web/pupils/posts.html",
        pupil=pupil,
        lines=lines,
        minutes=int(LASTS.total_seconds() // 60),
        reason=reason,
        refused=refused,
        back=url_for("pupils.show", pupil_id=pupil_id) if home else url_for("audit.index"),
        back_word="This pupil" if home else "Audit",
        may_export=Role(person().role) in subject_access.MAY_EXPORT,
    )


def _is_open(pupil_id: int) -> bool:
    kept: Any = session.get(_KEY)
    if not isinstance(kept, dict) or kept.get("pupil") != pupil_id:
        return False
    return services().clock.now() < datetime.fromisoformat(str(kept["until"]))


def _line(db: Any, found: Appearance) -> Line:
    post = db.get_one(Post, found.post_id)
    sees = may_see_pictures(db, post, person(), now=services().clock.now())
    opens = sees and can_open("posts.show")
    accounts = {one: db.get_one(ChannelAccount, one) for one in {p.account_id for p in found.publications}}
    away = gone(db, (post.id,)).get(post.id)
    standing = tuple(
        (
            f"{label_of(accounts[one.account_id].kind)} ({accounts[one.account_id].name})",
            "Taken down" if one.id in found.gone else PUBLICATION_WORDS[PublicationState(one.state)],
            one.permalink if one.id not in found.gone and one.permalink.startswith("https://") else "",
        )
        for one in found.publications
    )
    return Line(
        post_id=post.id,
        title=post.title if sees else "",
        author=names_of_staff(db).get(post.author_id, ""),
        state=PostState(post.state),
        badge=GONE_BADGE[away] if away is not None else None,
        how=", ".join(HOW[one] for one in (CLEARED, TAGGED, NAMED) if one in found.how),
        opens=opens,
        photo_ids=found.photo_ids if opens else (),
        standing=standing,
        found=found,
    )
