"""What every answer tells the browser: load nothing from elsewhere, run nothing inline, keep nothing."""

from typing import Final

from flask import Flask, g, request
from werkzeug.wrappers import Response

from gatekeeper.web.sessions import ASSETS

POLICY: Final = "; ".join(  # noqa: FLY002 - one directive a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap draws its ticks and arrows as data
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_NOT_USED: Final = ", ".join(f"{name}=()" for name in ("camera", "microphone", "geolocation", "payment", "usb"))


def set_headers(app: Flask, *, secure: bool) -> None:
    """Put the headers on every answer, the errors included."""

    @app.after_request
    def _set(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        # the address behind an e-mailed link must not travel to any other page
        headers["Referrer-Policy"] = "no-referrer" if g.get("link_holder") else "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = _NOT_USED
        headers["X-Robots-Tag"] = "noindex, nofollow"
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if not request.path.startswith(ASSETS):
            headers["Cache-Control"] = "no-store"
            response.vary.add("Cookie")
        return response
