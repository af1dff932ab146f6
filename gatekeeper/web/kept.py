"""What was typed into a form whose session had ended. The browser alone carries it through signing in.

It is signed, bound to the address it was meant for, and good for an hour. It is never stored here and never stands in
an address. Nothing secret is carried, and nothing that decides: there only what happened is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import HTTPException

from gatekeeper.clock import Clock

LASTS: Final = timedelta(hours=1)
MOST: Final = 200_000  # bytes of all names and values together
#: a form with one of these proves who somebody is; nothing of it is carried
SECRET_FIELDS: Final = frozenset(
    {"password", "again", "current", "pin", "new_pin", "locked_pin", "assertion", "credential"}
)
#: whose forms take passwords, keys or proofs, or decide something
NEVER: Final = frozenset(
    {"signin", "account", "proofs", "decide", "decide_proof", "channels", "sending", "deputies", "second_looks"}
)
#: what pages and buttons put into a form; nobody typed it
_MADE: Final = frozenset(
    {"about", "as", "asked", "based_on", "begun", "digest", "do", "edition", "item", "mark", "place", "post", "pupil"}
    | {"revision", "saw", "seen", "session", "show", "shown", "size", "take_back", "version", "waiting"}
)
_OUR_OWN: Final = frozenset({"csrf_token", "kept"})


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A form that did not arrive in a session, as it was typed.

    Attributes:
        path: where it was sent.
        fields: names and values, in the form's order.
        files: whether a file was chosen, which has to be chosen once more.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    files: bool

    @property
    def typed(self) -> tuple[tuple[str, str], ...]:
        """What a person put in, without what the page added."""
        return tuple((name, value) for name, value in self.fields if value.strip() and not _is_made(name))

    @property
    def endpoint(self) -> str:
        """The route that takes it."""
        return endpoint_of(self.path, "POST") or ""


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """What the sign-in page says of a form that arrived without a session.

    Attributes:
        sealed: the signed words; empty where nothing is carried.
        back: the page to return to by opening it.
        files: whether a file has to be chosen once more.
        too_long: whether it was more than can be carried.
    """

    sealed: str = ""
    back: str = "/"
    files: bool = False
    too_long: bool = False


def taken() -> Kept | None:
    """What this request's form holds, if it may be carried and somebody typed something."""
    secret = not SECRET_FIELDS.isdisjoint(request.form)
    if request.method != "POST" or request.blueprint in NEVER or secret or not _is_from_this_site():
        return None
    fields = tuple((name, value) for name, value in request.form.items(multi=True) if name not in _OUR_OWN)
    files = any(file.filename for file in request.files.values())
    found = Kept(path=request.full_path.rstrip("?"), fields=fields, files=files)
    return found if found.typed else None


def interrupted() -> Interrupted:
    """This request as the sign-in page tells of it."""
    found = taken()
    if found is None:
        return Interrupted(back=_page_of_form(), files=any(file.filename for file in request.files.values()))
    if is_too_long(found):
        return Interrupted(back=_page_of_form(), files=found.files, too_long=True)
    return Interrupted(sealed=_sealed(found), back=_page_of_form(), files=found.files)


def is_too_long(found: Kept) -> bool:
    """Whether it is more than a page can carry."""
    return sum(len((name + value).encode("utf-8", "replace")) for name, value in found.fields) > MOST


def opened(sealed: str) -> Kept | None:
    """What was sealed here within the last hour; None for anything else."""
    try:
        told: dict[str, Any] = _signer().loads(sealed)
        age = _clock().now().timestamp() - told["at"]
        fields = tuple((str(name), str(value)) for name, value in told["fields"])
        found = Kept(path=str(told["path"]), fields=fields, files=bool(told["files"]))
    except (BadSignature, KeyError, TypeError, ValueError):
        return None
    if not 0 <= age <= LASTS.total_seconds() or not is_local(found.path):
        return None
    return found if found.endpoint and found.endpoint.partition(".")[0] not in NEVER else None


def is_local(wanted: str) -> bool:
    """Whether this is an address of this site and of no other."""
    parts = urlsplit(wanted)
    here = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return here and "\\" not in wanted and "\n" not in wanted


def endpoint_of(path: str, method: str) -> str | None:
    """The route that answers this address, if one does."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path.partition("?")[0], method)
    except HTTPException:  # no such page, or not in this way
        return None
    return str(endpoint)


def _is_made(name: str) -> bool:
    return name in _MADE or name.startswith(("was-", "mark-where-"))


def _sealed(found: Kept) -> str:
    fields = [[name, value.encode("utf-8", "replace").decode()] for name, value in found.fields]
    told = {"path": found.path, "fields": fields, "files": found.files, "at": _clock().now().timestamp()}
    return str(_signer().dumps(told))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="gatekeeper-kept-words")


def _clock() -> Clock:
    clock: Clock = current_app.extensions["gatekeeper"].clock
    return clock


def _is_from_this_site() -> bool:
    """Whether the browser says that one of our own pages sent this.

    Its form secret went with its session. Without this, another site's words could be carried up to the button.
    """
    if "Sec-Fetch-Site" in request.headers:
        return request.headers["Sec-Fetch-Site"] == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def _page_of_form() -> str:
    """The page on which the form stands: the one that sent it, else the nearest above its address that can be opened."""
    return next((path for path in _candidates() if is_local(path) and endpoint_of(path, "GET")), "/")


def _candidates() -> Iterator[str]:
    came = urlsplit(request.referrer or "")
    if came.netloc == request.host and not came.path.startswith("/signin"):
        yield f"{came.path}?{came.query}" if came.query else came.path
    parts = request.path.split("/")
    for length in range(len(parts), 1, -1):
        yield "/".join(parts[:length])
