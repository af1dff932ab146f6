"""The digest of a reply: over exactly these words to exactly this recipient, of this case."""

import hashlib
import json
from typing import Final

_DOMAIN: Final = b"gatekeeper reply 1\n"


def reply_digest(*, case_id: int, number: int, recipient: str, words: str) -> str:
    """SHA-256 of what would be sent; any change to it gives another one."""
    content = {"case": case_id, "number": number, "recipient": recipient, "words": words}
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_DOMAIN + canonical.encode()).hexdigest()
