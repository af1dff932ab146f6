"""What the room needs from outside: the time, a way to send an e-mail, and a way to fill a template."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any, Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class Mailer(Protocol):
    """Hands an e-mail to the post."""

    def send(self, message: EmailMessage) -> None:
        """Send it, or raise. It may be sent again after a crash; the Message-ID stays the same."""


class Renderer(Protocol):
    """Fills a template by name, escaping every value where the template is HTML."""

    def render(self, template: str, **context: Any) -> str:
        """The filled text."""
