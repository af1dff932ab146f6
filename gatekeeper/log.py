"""Plain one-line logs with no pupil in them.

Log ids, states and counts. Names, faces, consent states, draft text, tokens and secrets are never handed to a logger;
the libraries that would print tokens (tweepy, urllib3 at DEBUG) are held at WARNING whatever the level.
"""

import logging
import sys

_TALKATIVE = ("tweepy", "urllib3", "requests_oauthlib", "oauthlib", "PIL", "mail.log", "rq", "werkzeug")


def configure_logging(process: str, *, level: str = "INFO") -> None:
    """Write one line per event to standard error, headed by time and process name."""
    logging.basicConfig(
        level=level, stream=sys.stderr, force=True, format=f"%(asctime)s {process} %(levelname)s %(name)s %(message)s"
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
