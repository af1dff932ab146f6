"""The accounts, keys and limits the simulated platforms start with. The keys open nothing but this simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    """One X account, one Facebook Page and one LinkedIn page of an invented school, and how strict the platforms are."""

    clock: Clock = field(default_factory=SystemClock)
    # dated apart from `clock`, because the libraries sign with the computer's time whatever a test tells us
    signing_clock: Clock = field(default_factory=SystemClock)
    signing_window_s: int = 300
    refuse_duplicates: bool = True  # False: the same words twice are two posts, as on a platform that does not look

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
    linkedin_page_id: str = "2001"
    linkedin_name: str = "Simulated School"
    linkedin_client_id: str = "simulated-client-id"
    linkedin_client_secret: str = "simulated-client-secret"  # noqa: S105
    linkedin_token: str = "simulated-linkedin-token"  # noqa: S105
    linkedin_role: str = "ADMINISTRATOR"
    linkedin_scopes: tuple[str, ...] = ("w_organization_social", "r_organization_social", "rw_organization_admin")
    linkedin_days: int = 60  # until the token ends
    linkedin_oldest: str = "202512"
    linkedin_newest: str = "202611"

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

    def for_a_drill(self) -> "SimulatorConfig":
        """Platforms that prevent nothing: the same words twice are two posts, and no call is one too many."""
        many = 1_000_000
        return replace(self, refuse_duplicates=False, x_limits=dict.fromkeys(X_LIMITS, many), graph_calls_per_hour=many)

    def linkedin_credentials(self) -> Credentials:
        """What an administrator would enter for the LinkedIn page."""
        secrets = {
            "access_token": self.linkedin_token,
            "client_id": self.linkedin_client_id,
            "client_secret": self.linkedin_client_secret,
        }
        return Credentials("linkedin", self.linkedin_page_id, secrets)

    def credentials(self, kind: str) -> Credentials:
        """What an administrator would enter for the account of this kind."""
        made = (self.x_credentials(), self.facebook_credentials(), self.linkedin_credentials())
        return next(each for each in made if each.kind == kind)
