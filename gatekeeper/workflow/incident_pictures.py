"""Copies of the pictures in a post that is reported, so that it can be looked at when it is gone.

They are strangers' pictures: each is opened by the limited child process that opens every picture, and only the clean
rendition is kept, without anything the file said beside its pixels.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from gatekeeper.channels.base import Deadline, RemotePost, Watching
from gatekeeper.channels.errors import ChannelError
from gatekeeper.posts import media
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

IN_ONE_READING: Final = 12
IN_ONE_POST: Final = 4
_LONG_ENOUGH: Final = timedelta(seconds=45)  # pictures that come slowly must not keep a report from being written


class Copies:
    """Gets and keeps pictures during one reading, so many at most that reading does not stand still for them.

    `before_each` is asked before each picture; what it raises ends the reading.
    """

    def __init__(self, services: Services, channel: Watching, *, before_each: Callable[[], None]) -> None:
        self._services, self._channel, self._left = services, channel, IN_ONE_READING
        self._before_each = before_each
        self._until = services.clock.now() + _LONG_ENOUGH

    def of(self, post: RemotePost) -> list[str]:
        """The digests of the copies; what could not be had or opened is left out, and the page says so."""
        return [digest for name in post.pictures[:IN_ONE_POST] if (digest := self._copy(name))]

    def _copy(self, name: str) -> str:
        if self._left <= 0 or self._services.clock.now() > self._until:
            return ""
        self._before_each()
        self._left -= 1
        services = self._services
        try:
            deadline = Deadline.after(services.clock.now(), services.settings.timings.wire)
            _, rendition = media.publishable(self._channel.picture(name, deadline=deadline))
        except (ChannelError, media.PictureRefused) as refused:
            log.info("a picture on the account could not be kept (%s)", type(refused).__name__)
            return ""
        return services.media.put(rendition.data, ".jpg")
