"""How Facebook tells the photos and the moments of a post, and how long it asks to wait."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def photos_of(read: dict[str, Any]) -> list[dict[str, Any]]:
    """The photos in a post, alone or in an album; link previews are none."""
    found: list[dict[str, Any]] = []
    for attachment in (read.get("attachments") or {}).get("data") or []:
        album = (attachment.get("subattachments") or {}).get("data") or [attachment]
        found += [each for each in album if "photo" in {each.get("media_type"), each.get("type")}]
    return found


def address_of(photo: dict[str, Any]) -> str:
    """Where Facebook keeps the bytes of a photo; empty where it does not tell."""
    return str(((photo.get("media") or {}).get("image") or {}).get("src") or "")


def moment_of(told: Any) -> datetime:
    """A moment that Facebook tells as seconds here and as words there."""
    return datetime.fromtimestamp(int(told), UTC) if str(told).isdigit() else datetime.fromisoformat(str(told))


def minutes_to_wait(headers: Mapping[str, str], page: str) -> int:
    """How long it is until Facebook takes calls for this Page again; 0 where it does not tell."""
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
        return max([0, *(int(each["estimated_time_to_regain_access"]) for each in usage[page])])
    except (ValueError, TypeError, KeyError):
        return 0  # an unreadable header says nothing
