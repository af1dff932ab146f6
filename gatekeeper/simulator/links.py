"""How X rewrites a text that it stores: links become t.co, `&<>` are escaped, pictures add one more link."""

import hashlib
import re
from dataclasses import dataclass

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]", re.IGNORECASE)


@dataclass(frozen=True)
class Stored:
    """The text as X gives it back, and what its short links stand for."""

    text: str
    urls: list[dict[str, str]]


def store(text: str, *, post_id: str, media_keys: list[str]) -> Stored:
    """Rewrite a text as X does."""
    urls: list[dict[str, str]] = []

    def shorten(found: re.Match[str]) -> str:
        short = _short(f"{post_id} {len(urls)}")
        urls.append({"url": short, "expanded_url": found.group(), "display_url": found.group().split("://", 1)[1]})
        return short

    rewritten = _LINK.sub(shorten, text.strip())
    rewritten = rewritten.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if media_keys:
        short = _short(f"{post_id} media")
        rewritten = f"{rewritten} {short}".strip()
        shown = f"https://twitter.com/i/status/{post_id}/photo/1"
        urls += [{"url": short, "expanded_url": shown, "media_key": key} for key in media_keys]
    return Stored(rewritten, urls)


def _short(seed: str) -> str:
    return f"https://t.co/{hashlib.sha256(seed.encode()).hexdigest()[:10]}"
