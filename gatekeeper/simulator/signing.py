"""Checks OAuth 1.0a signatures as X does: the right keys, the right URL, in time, and never twice.

The URL that counts is `https://{Host}{path}`: the adapter signs before the request is readdressed to this computer,
so a signature that only fits the loopback URL is a wrong one.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature

from gatekeeper.simulator.messages import Request


@dataclass
class SignatureCheck:
    """Knows the keys, and remembers the nonces it has seen."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str
    window_s: int
    _seen: dict[str, float] = field(default_factory=dict)

    def accepts(self, request: Request, now: datetime) -> bool:
        """Whether this request was signed with the keys, for this URL, just now, for the first time."""
        header = {"Authorization": request.headers.get("authorization", "")}
        try:
            told = dict(signature.collect_parameters(headers=header, exclude_oauth_signature=False))
            params = [
                *signature.collect_parameters(uri_query=request.query_string),
                *signature.collect_parameters(body=request.signed_body or []),
                *signature.collect_parameters(headers=header),
            ]
        except ValueError:  # a header, query or form that is not even in the shape of one
            return False
        base = signature.signature_base_string(
            request.method,  # type: ignore[arg-type]  # any method a client can send
            signature.base_string_uri(f"https://{request.host}{request.path}"),
            signature.normalize_parameters(params),  # type: ignore[arg-type]  # the stubs say dict, the library wants pairs
        )
        keys = Client(self.consumer_key, client_secret=self.consumer_secret, resource_owner_secret=self.token_secret)
        wanted = signature.sign_hmac_sha1_with_client(base, keys)
        return (
            told.get("oauth_consumer_key") == self.consumer_key
            and told.get("oauth_token") == self.token
            and told.get("oauth_signature_method") == "HMAC-SHA1"
            and told.get("oauth_version", "1.0") == "1.0"
            and hmac.compare_digest(wanted.encode(), told.get("oauth_signature", "").encode())
            and self._in_time(told.get("oauth_timestamp", ""), now)
            and self._first_time(told.get("oauth_nonce", ""), now)
        )

    def _in_time(self, timestamp: str, now: datetime) -> bool:
        return timestamp.isdigit() and abs(int(timestamp) - now.timestamp()) <= self.window_s

    def _first_time(self, nonce: str, now: datetime) -> bool:
        self._seen = {old: at for old, at in self._seen.items() if now.timestamp() - at <= 2 * self.window_s}
        if not nonce or nonce in self._seen:
            return False
        self._seen[nonce] = now.timestamp()
        return True
