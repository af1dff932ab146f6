"""Where this site's passkeys are at home: the address staff use, as the settings tell it."""

import hmac
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from approvals.passkeys import Place
from gatekeeper.people.school import school_settings
from gatekeeper.settings import Settings
from gatekeeper.workflow.services import Services

_DOMAIN: Final = b"gatekeeper/challenge key/1"


def place_of(services: Services, session: Session) -> Place:
    """The place to which a passkey made here is bound."""
    settings = services.settings
    return Place(
        rp_id=_host(settings),
        origin=_origin(settings),
        name=school_settings(session)["name"],
        key=hmac.digest(settings.secret("WEB_KEY").encode(), _DOMAIN, "sha256"),
    )


def why_not_here(settings: Settings, *, host: str) -> str:
    """Why a browser that reached the site as `host` can use no passkey; empty where it can.

    A browser would only say "SecurityError" there.
    """
    if _is_number(_host(settings)):
        return "Passkeys need a site with a name, and this one is reached by a number. Use your PIN."
    if host != _host(settings):
        return f"A passkey works only at {_origin(settings)}, and this page was opened at another address."
    return ""


def _host(settings: Settings) -> str:
    return urlsplit(settings.public_url).hostname or ""


def _origin(settings: Settings) -> str:
    parts = urlsplit(settings.public_url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
