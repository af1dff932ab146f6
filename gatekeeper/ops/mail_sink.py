"""A mail server that delivers nothing: every message it is given becomes a file in a folder.

It is for the demo and the tests. It listens on this computer alone and has no password.
"""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

_LARGEST = 5_000_000


class _Keeper:
    """aiosmtpd's handler: takes a message in and has it stored before it says yes."""

    def __init__(self, store: Callable[[bytes], None]) -> None:
        self._store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 Not a message"
        self._store(content)
        return "250 Kept"


class MailSink:
    """An SMTP server in a thread of its own, from `start` to `stop`.

    Args:
        store: what is done with each message; when it raises, the sender is told that the message was not taken.
        port: 0 takes any free one; `port` tells which.
    """

    def __init__(self, store: Callable[[bytes], None], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._store, self.host, self.port = store, host, port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="mail-sink", daemon=True)

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Stop listening and drop who is still connected."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=5)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            server = loop.run_until_complete(loop.create_server(self._protocol, self.host, self.port))
        except OSError as err:
            self._failure = err
            loop.close()
            return
        finally:
            self._ready.set() if self._failure else None
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        loop.run_forever()
        server.close()
        for task in (tasks := asyncio.all_tasks(loop)):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    def _protocol(self) -> SMTP:
        options: dict[str, Any] = {"hostname": "mail.localhost", "data_size_limit": _LARGEST, "enable_SMTPUTF8": True}
        return SMTP(_Keeper(self._store), loop=self._loop, **options)


def file_keeper(folder: Path) -> Callable[[bytes], None]:
    """A `store` that writes each message to a file of its own, named by its time, whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def store(content: bytes) -> None:
        name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.rename(folder / f"{name}.eml")

    return store
