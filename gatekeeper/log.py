"""Plain one-line logs with no pupil in them.

Log ids, states and counts. Names, faces, consent states, draft text, tokens and secrets are never handed to a logger;
the libraries that would print tokens (tweepy, urllib3 at DEBUG) are held at WARNING whatever the level.
"""

import logging
import sys
from pathlib import Path
from traceback import extract_tb

_TALKATIVE = ("tweepy", "urllib3", "requests_oauthlib", "oauthlib", "PIL", "mail.log", "rq", "werkzeug")


def configure_logging(process: str, *, level: str = "INFO") -> None:
    """Write one line per event to standard error, headed by time and process name."""
    logging.basicConfig(
        level=level, stream=sys.stderr, force=True, format=f"%(asctime)s {process} %(levelname)s %(name)s %(message)s"
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def place_of(err: BaseException) -> str:
    """The kind of an error and where it came up, without its text, which may quote a draft, a name or an address."""
    frames = extract_tb(err.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(err).__name__}{where}"
