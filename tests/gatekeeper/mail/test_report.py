"""Reports about undelivered mail: real shapes are understood, hostile ones are refused calmly and quickly."""

from collections.abc import Callable

import pytest

from gatekeeper.mail.report import LARGEST, Fate, NotAReport, read_report
from tests.factories.bounces import exim, outlook, postfix
from tests.fixtures.effort import effort

OURS = "<approval-0123456789abcdef@school.example>"


@pytest.mark.parametrize(
    ("made", "status"),
    [(postfix, "5.1.1"), (exim, "5.0.0"), (outlook, "5.1.10")],
    ids=["whole-message", "headers-alone", "encoded"],
)
def test_reports_of_mail_servers_name_our_e_mail_first(made: Callable[[str], bytes], status: str) -> None:
    report = read_report(made(OURS))
    assert (report.fate, report.status, report.message_ids[0]) == (Fate.FAILED, status, OURS)


@pytest.mark.parametrize(
    ("action", "fate"),
    [
        ("failed", Fate.FAILED),
        ("Failed", Fate.FAILED),
        ("delayed", Fate.DELAYED),
        ("delivered", Fate.DELIVERED),
        ("relayed", Fate.DELIVERED),
        ("expanded", Fate.DELIVERED),
        ("nonsense", Fate.DELIVERED),  # only a plain word is a failure
    ],
)
def test_the_fate_is_what_the_report_says(action: str, fate: Fate) -> None:
    assert read_report(postfix(OURS, action=action)).fate is fate


def test_nothing_that_a_stranger_wrote_comes_out() -> None:
    report = read_report(postfix(OURS, status="5.1.1 <script>Wren Applethwaite</script>"))
    assert report.status == "5.1.1"
    assert all(one.startswith("<") and one.endswith(">") and " " not in one for one in report.message_ids)


def nested(depth: int) -> bytes:
    """Messages in messages in messages."""
    return postfix(OURS).replace(
        b"A post is waiting.",
        b"Content-Type: message/rfc822\r\n\r\n" * depth + b'Content-Type: multipart/mixed; boundary="x"',
    )


HEAD = b'Content-Type: multipart/report; boundary="b"\n\n'
STATUS = b"--b\nContent-Type: message/delivery-status\n\nX: y\n\nAction: failed\nStatus: 5.0.0\n"

REFUSED = {
    "empty": b"",
    "no-e-mail": b"\x00\xff" * 1000,
    "plain-letter": b"From: a@b.example\nSubject: Re: your mail\n\nI am on holiday until Monday.\n",
    "other-multipart": b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nhi\n--b--\n',
    "no-boundary": b"Content-Type: multipart/report\n\n--b\n\nhi\n",
    "no-status": HEAD + b"--b\nContent-Type: text/plain\n\nfailed\n--b--\n",
    "no-id": HEAD + STATUS + b"--b--\n",
    "id-that-is-none": HEAD + STATUS + b"--b\nContent-Type: message/rfc822\n\nMessage-ID: <a b@c>\n\n--b--\n",
    "broken-base64": HEAD + b"--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nA\n--b--\n",
    "too-large": b"A: b\n" * (LARGEST // 5) + postfix(OURS),
    "long-line": b"Content-Type: multipart/report; " + b";" * 9000 + b"\n\n",
    "folded-for-ever": b"Content-Type: multipart/report;\n" + b' x="a;\n' * 2000 + b"\n\n",
    "many-headers": b"A: b\n" * 100_000 + b"\n",
    "many-parts": HEAD + b"--b\nContent-Type: text/plain\n\n" * 20_000,
    "nested-only": HEAD + b"--b\nContent-Type: message/rfc822\n\n" + b"Content-Type: message/rfc822\n\n" * 30_000 + b"--b--\n",
    "empty-lines": HEAD + STATUS + b"\n" * 900_000,
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_cannot_be_led_astray_by_what_is_no_report(name: str) -> None:
    def read() -> None:
        with pytest.raises(NotAReport) as refused:
            read_report(REFUSED[name])
        assert str(refused.value).endswith(".")

    assert effort(read) < 100


@pytest.mark.parametrize("depth", [1, 5_000])
def test_what_is_nested_in_the_original_is_not_looked_into(depth: int) -> None:
    assert read_report(nested(depth)).message_ids[0] == OURS


def test_a_report_cut_short_anywhere_is_refused_or_understood_and_never_a_fault() -> None:
    whole = postfix(OURS)
    for end in range(0, len(whole), 7):
        try:
            report = read_report(whole[:end])
        except NotAReport:
            continue
        assert report.fate is Fate.FAILED


def test_bytes_of_any_kind_are_refused_or_understood_and_never_a_fault() -> None:
    whole = bytearray(postfix(OURS))
    for place in range(0, len(whole), 5):
        changed = whole.copy()
        changed[place] = (changed[place] * 7 + place) % 256
        try:
            read_report(bytes(changed))
        except NotAReport:
            continue
