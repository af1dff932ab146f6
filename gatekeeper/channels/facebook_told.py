"""How Facebook tells the photos and the moments of a post."""

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
