"""The check while typing, for the form's script. What arrives here is looked at and forgotten."""

from typing import Any, Final

from flask import Blueprint, jsonify, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput
from gatekeeper.web.access import person, person_or_none, roles, services
from gatekeeper.web.limits import limiter
from gatekeeper.web.views.posts import AUTHORS
from gatekeeper.workflow.live_check import LiveFinding, Typed, TypedPhoto, TypedWording, count_question, live_check

bp = Blueprint("live", __name__)

MOST_BYTES: Final = 256 * 1024
#: more than anybody types; somebody who tries out names is slowed down
PACE: Final = "60 per minute; 1200 per hour"
_LARGEST_ID: Final = 2**31


def _asker() -> str:
    member = person_or_none()
    return f"staff:{member.id}" if member else "nobody"


@bp.post("/posts/words")
@roles(*AUTHORS)
@limiter.limit(PACE, key_func=_asker)
def check() -> Response | tuple[Response, int]:
    """Every finding about the words as they are typed."""
    request.max_content_length = MOST_BYTES
    member = person()
    count_question(services(), member.id)
    try:
        found = live_check(services(), member.id, _read(_json()))
    except BadInput as refused:
        return jsonify(error=str(refused)), 422
    return jsonify(findings=[_spelt(one) for one in found])


def _json() -> object:
    try:
        return request.get_json()
    except RecursionError as err:  # brackets within brackets
        raise BadRequest from err


def _read(told: object) -> Typed:
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise BadInput("These are no words of a post.")
    photos, channels, wordings = told.get("photos", []), told.get("channels", []), told.get("wordings", [])
    if not isinstance(photos, list) or not isinstance(channels, list) or not isinstance(wordings, list):
        raise BadInput("These are no words of a post.")
    return Typed(
        text=told["text"],
        photos=tuple(_photo(one) for one in photos),
        channels=tuple(map(_id, channels)),
        wordings=tuple(_wording(one) for one in wordings),
    )


def _photo(one: object) -> TypedPhoto:
    if not isinstance(one, dict) or not isinstance(one.get("alt"), str):
        raise BadInput("These are no words of a photo.")
    return TypedPhoto(_id(one.get("id")), one["alt"])


def _wording(one: object) -> TypedWording:
    if not isinstance(one, dict) or not isinstance(one.get("text"), str):
        raise BadInput("These are no words for a channel.")
    return TypedWording(_id(one.get("channel")), one["text"])


def _id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LARGEST_ID:
        raise BadInput("This is no number of a photo or a channel.")
    return value


def _spelt(one: LiveFinding) -> dict[str, Any]:
    instead = one.suggestion
    return {
        "rule": one.rule,
        "clause": one.clause,
        "severity": one.severity,
        "word": one.word,
        "sign": one.sign,
        "field": one.field,
        "place": one.place,
        "start": one.start,  # in code points; the script turns them into the browser's own units
        "end": one.end,
        "quote": one.quote,
        "sentence": one.sentence,
        "suggestion": {"start": instead.start, "end": instead.end, "words": instead.words} if instead else None,
    }
