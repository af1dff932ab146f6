"""The accounts, keys and limits the simulated platforms start with. The keys open nothing but this simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatekeeper.channels.base import Credentials
from gatekeeper.clock import Clock, SystemClock

# Calls per user and 15 minutes, as X documents them.
X_LIMITS: Mapping[str, int] = {
    "create": 100,
    "delete": 50,
    "timeline": 900,
    "lookup": 900,
    "me": 75,
    "upload": 500,
    "metadata": 500,
}


@dataclass(frozen=True)
class SimulatorConfig:
    """One X account and one Facebook Page of an invented school, and how strict the platforms are."""

    clock: Clock = field(default_factory=SystemClock)
    # dated apart from `clock`, because the libraries sign with the computer's time whatever a test tells us
    signing_clock: Clock = field(default_factory=SystemClock)
    signing_window_s: int = 300

    x_account_id: str = "42"
    x_name: str = "Simulated School"
    x_handle: str = "SimulatedSchool"
    x_consumer_key: str = "simulated-consumer-key"
    x_consumer_secret: str = "simulated-consumer-secret"  # noqa: S105 - opens the simulator only
    x_access_token: str = "42-simulated-access-token"  # noqa: S105
    x_access_token_secret: str = "simulated-access-token-secret"  # noqa: S105
    x_access_level: str = "read-write"
    x_refresh_token: str = "simulated-refresh-token"  # noqa: S105
    x_credit: bool = True
    x_limits: Mapping[str, int] = field(default_factory=lambda: dict(X_LIMITS))

    facebook_page_id: str = "111"
    facebook_name: str = "Simulated School"
    facebook_app_id: str = "900100"
    facebook_app_name: str = "Gatekeeper"
    facebook_app_secret: str = "simulated-app-secret"  # noqa: S105
    facebook_token: str = "simulated-page-token"  # noqa: S105
    facebook_scopes: tuple[str, ...] = (
        "pages_manage_posts",
        "pages_read_engagement",
        "pages_show_list",
        "pages_read_user_content",
    )
    graph_oldest: int = 21
    graph_newest: int = 26
    graph_calls_per_hour: int = 4_800

    def x_credentials(self) -> Credentials:
        """What an administrator would enter for the X account."""
        secrets = {
            "consumer_key": self.x_consumer_key,
            "consumer_secret": self.x_consumer_secret,
            "access_token": self.x_access_token,
            "access_token_secret": self.x_access_token_secret,
        }
        return Credentials("x", self.x_account_id, secrets)

    def facebook_credentials(self) -> Credentials:
        """What an administrator would enter for the Facebook Page."""
        secrets = {
            "access_token": self.facebook_token,
            "app_id": self.facebook_app_id,
            "app_secret": self.facebook_app_secret,
        }
        return Credentials("facebook", self.facebook_page_id, secrets)
