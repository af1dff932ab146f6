"""Which channels there are: one line each. Only the processes that may publish come here, through bootstrap."""

from collections.abc import Mapping
from types import MappingProxyType

from gatekeeper.channels import facebook, linkedin, x
from gatekeeper.channels.base import Channel, ChannelKind, Credentials
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError

KINDS: Mapping[str, ChannelKind] = MappingProxyType(
    {kind.kind: kind for kind in (x.KIND, facebook.KIND, linkedin.KIND)}
)


def build_channel(
    credentials: Credentials, *, clock: Clock, base_url: str | None = None, api_version: str | None = None
) -> Channel:
    """The channel for an account, ready to be asked.

    Raises:
        SettingsError: no such platform, a secret is missing, or `base_url` is not on this computer.
    """
    kind = KINDS.get(credentials.kind)
    if kind is None:
        raise SettingsError(f"There is no channel called {credentials.kind!r}; there are {', '.join(KINDS)}.")
    return kind.build(credentials, clock=clock, base_url=base_url, api_version=api_version)
