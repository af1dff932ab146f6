"""Hands e-mails to the school's mail server.

`smtps://` is encrypted from the first byte, `smtp+starttls://` before anything is said, `smtp://` not at all: that one
is for a server on this machine or the school's own relay, and a password is never sent over it to another machine.
The server's certificate is always checked.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from gatekeeper.errors import GatekeeperError, SettingsError

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
SECONDS = 20.0


class MailNotSent(GatekeeperError):
    """The mail server did not take the message. The sentence may be shown to its author and the administrator."""


class MailRefused(MailNotSent):
    """The mail server refuses this message or this recipient for good; to try again would change nothing."""


class SmtpMailer:
    """Sends through one mail server, a connection for each message. Printing it shows no password.

    `bounce_to` is the envelope's sender: where mail servers report what they could not deliver. Without it that is the
    address the message itself names as its sender.
    """

    def __init__(
        self, smtp_url: str, *, bounce_to: str = "", context: ssl.SSLContext | None = None, timeout: float = SECONDS
    ) -> None:
        parts = urlsplit(smtp_url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in PORTS or not parts.hostname or port == -1:
            raise SettingsError(
                "GATEKEEPER_SMTP_URL must look like smtps://name:password@mail.school.example:465 "
                "(or smtp+starttls://...:587, or smtp://localhost:25)."
            )
        self.host, self.port, self.scheme = parts.hostname, port or PORTS[parts.scheme], parts.scheme
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        if self._user and self.scheme == "smtp" and not _is_this_machine(self.host):
            raise SettingsError(
                "GATEKEEPER_SMTP_URL would send the mail password unencrypted. Use smtps:// or smtp+starttls://."
            )
        self._bounce_to = bounce_to
        self._context, self._timeout = context or ssl.create_default_context(), timeout

    def __repr__(self) -> str:
        return f"SmtpMailer({self.scheme}://{self.host}:{self.port})"

    def send(self, message: EmailMessage) -> None:
        """Hand the message over; when this returns, the server has taken it for every recipient.

        Raises:
            MailRefused: it never will be.
            MailNotSent: it did not, or may not have. Sent again, the message has the same Message-ID.
        """
        with self._signed_in() as server:
            _hand_over(server, message, sender=self._bounce_to or None)

    def check(self) -> None:
        """Reach the server, encrypted and signed in as for a message, and send none.

        Raises:
            MailNotSent: a message could not be sent now; the sentence says why.
        """
        with self._signed_in() as server:
            server.noop()

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        try:
            with self._connect() as server:
                if self.scheme == "smtp+starttls":
                    server.starttls(context=self._context)
                if self._user:
                    server.login(self._user, self._password)
                yield server
        except smtplib.SMTPAuthenticationError as err:
            raise MailNotSent("The mail server did not accept our name and password.") from err
        except smtplib.SMTPSenderRefused as err:
            raise MailNotSent("The mail server does not let us send from the school's address.") from err
        except (smtplib.SMTPNotSupportedError, ssl.SSLError) as err:
            raise MailNotSent("The mail server offers no encryption that can be trusted.") from err
        except smtplib.SMTPException as err:
            raise MailNotSent("The mail server did not take the message.") from err
        except OSError as err:
            raise MailNotSent("The mail server could not be reached.") from err

    def _connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self._timeout, context=self._context)
        return smtplib.SMTP(self.host, self.port, timeout=self._timeout)


def _hand_over(server: smtplib.SMTP, message: EmailMessage, *, sender: str | None) -> None:
    try:
        server.send_message(message, from_addr=sender)
    except smtplib.SMTPRecipientsRefused as err:
        kind = MailRefused if all(_is_final(code) for code, _ in err.recipients.values()) else MailNotSent
        raise kind("The mail server refused the recipient's address. Is it spelt right?") from err
    except smtplib.SMTPDataError as err:
        if _is_final(err.smtp_code):
            raise MailRefused("The mail server refused the message itself.") from err
        raise MailNotSent("The mail server did not take the message.") from err
    except smtplib.SMTPNotSupportedError as err:
        raise MailRefused("The mail server cannot write to an address with letters such as é or ü.") from err


def _is_final(code: int) -> bool:
    return code // 100 == 5  # noqa: PLR2004 - SMTP: 4xx may pass, 5xx will not


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
