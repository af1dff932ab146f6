"""Serves the site with waitress, which takes slow uploads in whole before a thread is spent on them."""

import logging
import signal
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from waitress.server import create_server

from gatekeeper.web.app import UPLOAD_LIMIT, create_app

if TYPE_CHECKING:
    from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)


def serve(services: "Services") -> None:
    """Answer requests until told to stop; a request under way is finished first."""
    settings = services.settings
    server = create_server(
        create_app(services),
        host=settings.host,
        port=settings.port,
        threads=8,
        connection_limit=200,
        channel_timeout=60,
        max_request_body_size=UPLOAD_LIMIT,
        ident="",
        clear_untrusted_proxy_headers=True,
    )
    signal.signal(signal.SIGTERM, _stop)
    log.info("listening on %s:%d", settings.host, settings.port)
    server.run()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
