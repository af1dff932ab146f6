"""The same promises over TLS, as towards the real platforms: a certificate of our own stands for theirs."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatekeeper.channels.base import Deadline
from gatekeeper.channels.errors import NotSent, OutcomeUnknown
from gatekeeper.channels.transport import Wire, make_session
from gatekeeper.clock import SystemClock

ORIGIN = "https://api.platform.example"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"id": "123"}'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "platform.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def listening(certificate: Path, answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with suppress(OSError):
                raw, _ = server.accept()
                with raw:
                    raw.settimeout(5)
                    with context.wrap_socket(raw, server_side=True) as line:
                        heard.append(line.recv(65536))
                        answer(line)

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(10)


def ask(base_url: str, *, verify: Path | bool = True, seconds: float = 5) -> object:
    session, adapter = make_session([ORIGIN], base_url=base_url)
    session.verify = str(verify) if isinstance(verify, Path) else verify
    wire = Wire(platform="Platform", adapter=adapter, secrets=(), clock=SystemClock())
    deadline = Deadline.after(datetime.now(UTC), seconds)
    return wire.call("create_post", lambda: session.post(f"{ORIGIN}/x"), publishes=True, deadline=deadline).data


def test_speaks_tls(certificate: Path) -> None:
    with listening(certificate, lambda line: line.sendall(ANSWER)) as (base_url, heard):
        assert ask(base_url, verify=certificate) == {"id": "123"}
    assert heard[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"\r\nHost: api.platform.example\r\n" in heard[0]


def test_cannot_be_made_to_talk_to_a_platform_that_cannot_prove_its_name(certificate: Path) -> None:
    with listening(certificate, lambda line: line.sendall(ANSWER)) as (base_url, heard), pytest.raises(NotSent):
        ask(base_url)
    assert heard == []


def test_an_answer_that_drips_over_tls_is_cut_off_at_the_deadline(certificate: Path) -> None:
    def drip(line: socket.socket) -> None:
        for byte in ANSWER:
            line.sendall(bytes((byte,)))
            threading.Event().wait(0.1)

    with listening(certificate, drip) as (base_url, _):
        started = datetime.now(UTC)
        with pytest.raises(OutcomeUnknown):
            ask(base_url, verify=certificate, seconds=0.6)
        assert datetime.now(UTC) - started < timedelta(seconds=2)
