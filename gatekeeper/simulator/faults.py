"""What can go wrong between a platform and whoever calls it, ordered through the control routes.

A fault waits for matching requests, lets `after` of them pass, and then spoils `times` of them.
"""

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from gatekeeper.errors import BadInput
from gatekeeper.simulator.messages import Reply, Request


class Mode(StrEnum):
    """How a request is spoiled. What begins with ACCEPT does take effect first."""

    STATUS = "status"
    DROP_BEFORE = "drop_before"
    ACCEPT_THEN_DROP = "accept_then_drop"
    DELAY = "delay"
    ACCEPT_THEN_DELAY = "accept_then_delay"
    ACCEPT_THEN_5XX = "accept_then_5xx"
    ACCEPT_THEN_GARBAGE = "accept_then_garbage"
    VISIBILITY_LAG = "visibility_lag"
    NEVER_LISTED = "never_listed"
    REDIRECT = "redirect"
    DRIP = "drip"


class Garbage(StrEnum):
    """The kinds of nonsense a success can come wrapped in."""

    HTML = "html"
    TRUNCATED = "truncated"
    NO_CONTENT_TYPE = "no_content_type"
    NO_ID = "no_id"


@dataclass
class Fault:
    """One order to spoil requests; empty `host`, `method` and `text` mean any, `path` may hold `*`."""

    mode: Mode
    host: str = ""
    method: str = ""
    path: str = "*"
    text: str = ""  # words that the post to be published has in it
    times: int = 1
    after: int = 0
    seconds: float = 30.0
    garbage: Garbage = Garbage.HTML
    canned: str = ""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def meets(self, request: Request) -> bool:
        """Whether this is a request it waits for."""
        return (
            self.host in {"", request.host}
            and self.method in {"", request.method}
            and fnmatchcase(request.path, self.path)
            and (not self.text or self.text in request.words)
        )


class Faults:
    """The faults that are ordered and not yet used up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, order: dict[str, Any]) -> Fault:
        """Take an order from a script.

        Raises:
            BadInput: it cannot be understood.
        """
        try:
            fault = Fault(**{**order, "mode": Mode(order["mode"]), "garbage": Garbage(order.get("garbage", "html"))})
        except (TypeError, ValueError, KeyError) as err:
            raise BadInput(f"This fault is not understood: {err}.") from err
        with self._lock:
            self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Order nothing any more."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """What is still ordered."""
        with self._lock:
            return list(self._waiting)

    def take(self, request: Request) -> Fault | None:
        """The fault that spoils this request, if any; counts it."""
        with self._lock:
            for fault in self._waiting:
                if not fault.meets(request):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


def spoil(reply: Reply, kind: Garbage) -> Reply:
    """A success made unreadable."""
    body = b'{"data": {}}'
    match kind:
        case Garbage.HTML:
            return Reply(reply.status, b"<html><body>OK</body></html>", {"Content-Type": "text/html"})
        case Garbage.TRUNCATED:
            # cut off before the header in which LinkedIn names what was created
            told = {name: value for name, value in reply.headers.items() if name != "x-restli-id"}
            return Reply(reply.status, reply.body[: len(reply.body) // 2], told)
        case Garbage.NO_CONTENT_TYPE:
            return Reply(reply.status, reply.body, {})
        case Garbage.NO_ID:
            return Reply(reply.status, body, {"Content-Type": "application/json"})
