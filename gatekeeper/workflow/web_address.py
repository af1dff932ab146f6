"""Whether what somebody typed is a web address that a page may link to."""

from urllib.parse import urlsplit


def is_web_address(typed: str) -> bool:
    """A whole address of http or https; nothing else, such as a script, is ever linked."""
    try:
        parts = urlsplit(typed)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
