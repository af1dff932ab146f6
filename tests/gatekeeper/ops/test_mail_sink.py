import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from gatekeeper.ops.mail_sink import MailSink, file_keeper


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "office@school.example", "head@school.example", "A post waits"
    message.set_content("Please have a look.\n.a line that begins with a dot\nDzień dobry")
    return message


def test_every_message_becomes_a_file_before_the_sender_hears_yes(tmp_path: Path) -> None:
    sink = MailSink(file_keeper(tmp_path / "mail"))
    sink.start()
    try:
        for _ in range(3):
            with smtplib.SMTP(sink.host, sink.port, timeout=5) as client:
                client.send_message(_message())
            newest = max((tmp_path / "mail").glob("*.eml"))
            assert b"a line that begins with a dot" in newest.read_bytes()
    finally:
        sink.stop()
    assert len(list((tmp_path / "mail").iterdir())) == 3


def test_the_sender_is_told_when_the_message_could_not_be_kept() -> None:
    def full(_content: bytes) -> None:
        raise OSError("disk full")

    sink = MailSink(full)
    sink.start()
    try:
        with smtplib.SMTP(sink.host, sink.port, timeout=5) as client, pytest.raises(smtplib.SMTPException):
            client.send_message(_message())
    finally:
        sink.stop()


def test_a_taken_port_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sink = MailSink(lambda _content: None, port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            sink.start()


def test_stops_although_somebody_is_still_connected() -> None:
    sink = MailSink(lambda _content: None)
    sink.start()
    with socket.create_connection((sink.host, sink.port), timeout=5) as held:
        held.recv(100)
        sink.stop()
        assert not sink._thread.is_alive()
