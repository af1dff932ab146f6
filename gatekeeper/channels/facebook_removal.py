"""Says whether Facebook's "there is no such post" may be believed.

Facebook gives one and the same answer for what does not exist and for what these keys may not see. So it counts only
where the keys prove in the same breath that they are the Page's own, that they may read it, and that they do.
"""

from collections.abc import Callable
from typing import Final

from gatekeeper.channels.base import AccountIdentity, Deadline, ReadPage
from gatekeeper.channels.errors import PermissionDenied, PlatformUnavailable, PostNotFound

_NEEDED: Final = frozenset({"pages_manage_posts", "pages_read_engagement"})
_PLATFORM: Final = "Facebook"
_OPERATION: Final = "delete_post"


class Sight:
    """Whether these keys see what stands on the Page. Asked when it first matters, and kept: a channel is short-lived."""

    def __init__(self, verify: Callable[..., AccountIdentity], newest: Callable[..., ReadPage]) -> None:
        self._verify, self._newest = verify, newest
        self._listed: frozenset[str] | None = None

    def check(self, absent: str, *, deadline: Deadline | None) -> None:
        """Return where it may be believed that this is not there.

        Raises:
            AuthenticationFailed: the keys are not, or no longer, those of the Page.
            PermissionDenied: the keys may not read the Page, so they prove nothing.
            PlatformUnavailable: the Page lists it all the same, or cannot be seen itself.
            ChannelError: the Page could not be read.
        """
        if self._listed is None:
            self._listed = self._look(deadline)
        if absent in self._listed:
            raise PlatformUnavailable(platform=_PLATFORM, operation=_OPERATION, detail="it is still listed")

    def _look(self, deadline: Deadline | None) -> frozenset[str]:
        """What the Page lists, read with keys that proved themselves."""
        try:
            lacking = sorted(_NEEDED - self._verify(deadline=deadline).scopes)
            if lacking:
                detail = f"the keys lack {', '.join(lacking)}, so that nothing is seen proves nothing"
                raise PermissionDenied(platform=_PLATFORM, operation=_OPERATION, detail=detail)
            return frozenset(post.id for post in self._newest(deadline=deadline).posts)
        except PostNotFound:  # the very answer in doubt: it must not pass for one about the post
            raise PlatformUnavailable(
                platform=_PLATFORM, operation=_OPERATION, detail="the Page cannot be seen with these keys"
            ) from None
