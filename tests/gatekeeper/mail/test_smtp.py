"""Sending e-mail: what arrives, what is never said in the open, and the sentence for each failure."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatekeeper.errors import SettingsError
from gatekeeper.mail.smtp import MailNotSent, MailRefused, SmtpMailer

Serve = Callable[..., Controller]


class Kept:
    """Takes every message, or answers as told."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.messages: list[bytes] = []
        self.recipients: list[str] = []
        self.senders: list[str] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        self.senders.append(address)
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if "rcpt" in self.answers:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if "data" in self.answers:
            return self.answers["data"]
        self.messages.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[Controller] = []

    def start(handler: Kept, **options: Any) -> Controller:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return controller

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only those trust who are told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Gatekeeper <gatekeeper@school.example>"
    message["To"] = "head@school.example"
    message["Subject"] = "A post is waiting – please look"
    message["Message-ID"] = "<one@school.example>"
    message.set_content("Grüße and £5")
    return message


def test_a_message_arrives_as_it_was_written(serve: Serve) -> None:
    kept = Kept()
    SmtpMailer(f"smtp://127.0.0.1:{serve(kept).port}").send(letter())
    assert kept.recipients == ["head@school.example"]
    assert b"Message-ID: <one@school.example>" in kept.messages[0]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"rcpt": "550 no such user"}, "recipient's address"),
        ({"mail": "553 not yours"}, "does not let us send"),
        ({"data": "451 later"}, "did not take the message"),
    ],
)
def test_a_refusal_is_a_sentence_and_not_the_servers_own_words(
    serve: Serve, answers: dict[str, str], sentence: str
) -> None:
    with pytest.raises(MailNotSent, match=sentence) as refused:
        SmtpMailer(f"smtp://127.0.0.1:{serve(Kept(**answers)).port}").send(letter())
    assert "550" not in str(refused.value)
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize(
    ("answers", "final"),
    [
        ({"rcpt": "550 5.1.1 no such user"}, True),
        ({"rcpt": "450 4.2.0 greylisted, come back"}, False),
        ({"data": "554 5.7.1 looks like spam"}, True),
        ({"data": "452 4.3.1 disk full"}, False),
        ({"mail": "553 5.7.1 not yours"}, False),  # the settings are wrong, not this message: they will be put right
    ],
    ids=["no-such-user", "greylisted", "refused", "full", "sender"],
)
def test_only_a_refusal_of_this_recipient_or_this_message_is_final(
    serve: Serve, answers: dict[str, str], final: bool
) -> None:
    with pytest.raises(MailNotSent) as refused:
        SmtpMailer(f"smtp://127.0.0.1:{serve(Kept(**answers)).port}").send(letter())
    assert isinstance(refused.value, MailRefused) is final


def test_an_address_that_the_server_cannot_write_to_is_final_and_no_matter_of_encryption(serve: Serve) -> None:
    message = letter()
    del message["To"]
    message["To"] = "zoë@school.example"
    with pytest.raises(MailRefused, match="letters"):
        SmtpMailer(f"smtp://127.0.0.1:{serve(Kept(), enable_SMTPUTF8=False).port}").send(message)


def test_reports_of_undelivered_mail_go_where_the_settings_say(serve: Serve) -> None:
    kept = Kept()
    url = f"smtp://127.0.0.1:{serve(kept).port}"
    SmtpMailer(url).send(letter())
    SmtpMailer(url, bounce_to="bounces@school.example").send(letter())
    assert kept.senders == ["gatekeeper@school.example", "bounces@school.example"]
    assert b"From: Gatekeeper <gatekeeper@school.example>" in kept.messages[1]


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(MailNotSent, match="could not be reached"):
        SmtpMailer(f"smtp://127.0.0.1:{port}").send(letter())


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MailNotSent):
            SmtpMailer(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2).send(letter())


def test_starttls_is_used_before_anything_is_said(
    serve: Serve, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    kept = Kept()
    port = serve(kept, tls_context=server_tls, require_starttls=True).port
    SmtpMailer(f"smtp+starttls://127.0.0.1:{port}", context=client_tls).send(letter())
    assert len(kept.messages) == 1


def test_cannot_be_talked_out_of_starttls(serve: Serve) -> None:
    kept = Kept()
    with pytest.raises(MailNotSent, match="no encryption"):
        SmtpMailer(f"smtp+starttls://127.0.0.1:{serve(kept).port}").send(letter())
    assert kept.messages == []


def test_cannot_be_sent_to_a_server_whose_certificate_nobody_vouches_for(
    serve: Serve, server_tls: ssl.SSLContext
) -> None:
    kept = Kept()
    port = serve(kept, tls_context=server_tls).port
    with pytest.raises(MailNotSent, match="no encryption that can be trusted"):
        SmtpMailer(f"smtp+starttls://127.0.0.1:{port}").send(letter())
    assert kept.messages == []


def test_name_and_password_are_decoded_from_the_address(
    serve: Serve, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    given: list[tuple[bytes, bytes]] = []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        given.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss/word", handled=False)

    port = serve(Kept(), tls_context=server_tls, require_starttls=True, authenticator=check).port
    SmtpMailer(f"smtp+starttls://post%40school:p%40ss%2Fword@127.0.0.1:{port}", context=client_tls).send(letter())
    assert given[-1] == (b"post@school", b"p@ss/word")
    with pytest.raises(MailNotSent, match="name and password"):
        SmtpMailer(f"smtp+starttls://post:wrong@127.0.0.1:{port}", context=client_tls).send(letter())


def test_cannot_send_a_password_in_the_open_to_another_machine() -> None:
    with pytest.raises(SettingsError, match="unencrypted"):
        SmtpMailer("smtp://me:secret@mail.school.example")
    SmtpMailer("smtp://me:secret@localhost:2525")


@pytest.mark.parametrize("url", ["", "mail.school.example", "http://mail.school.example", "smtp://", "smtps://h:port"])
def test_an_address_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_SMTP_URL"):
        SmtpMailer(url)


def test_printing_it_shows_no_password() -> None:
    assert "secret" not in repr(SmtpMailer("smtps://me:secret@mail.school.example")) + str(
        SmtpMailer("smtps://me:secret@mail.school.example")
    )
    assert repr(SmtpMailer("smtps://me:secret@mail.school.example")) == "SmtpMailer(smtps://mail.school.example:465)"
