"""What comes back later is noted at the right e-mail, once; whatever else is sent in changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, GatekeeperError
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_notice
from gatekeeper.ops.bounced import bounced
from gatekeeper.people.staff import Audit
from gatekeeper.workflow import bounce, mail_view
from tests.conftest import ToldClock
from tests.factories.bounces import exim, outlook, postfix
from tests.factories.school import School, make_services


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(database, tmp_path, clock))


@pytest.fixture
def sent(school: School, clock: ToldClock) -> tuple[int, str]:
    """An e-mail that went out an hour ago: its number, and its Message-ID."""
    with school.services.db.begin() as session:
        notice = order_notice(session, "decided", staff_id=school.author, subject="decision:1", now=clock.now())
        notice.sent_at = clock.now()
        made = notice.id, notice.message_id
    clock.advance(hours=1)
    return made


def stored(school: School, notice_id: int) -> Notice:
    with school.services.db.read() as session:
        return session.get_one(Notice, notice_id)


@pytest.mark.parametrize("made", [postfix, exim, outlook], ids=lambda made: made.__name__)
def test_what_came_back_is_noted_with_the_reason_in_our_words(
    school: School, sent: tuple[int, str], clock: ToldClock, made: Callable[[str], bytes]
) -> None:
    assert bounce.take_in(school.services, made(sent[1])) == f"E-mail {sent[0]} is noted as undelivered."
    row = stored(school, sent[0])
    assert row.failed_at == clock.now()
    assert row.problem.startswith("The e-mail came back.")
    assert "RESOLVER" not in row.problem


def test_the_same_report_twice_changes_nothing_not_even_after_it_was_tried_again(
    school: School, sent: tuple[int, str], clock: ToldClock
) -> None:
    bounce.take_in(school.services, postfix(sent[1]))
    first = stored(school, sent[0]).failed_at
    clock.advance(hours=1)
    assert "before" in bounce.take_in(school.services, postfix(sent[1]))
    assert stored(school, sent[0]).failed_at == first
    mail_view.try_again(school.services, sent[0], by=school.head)
    assert "before" in bounce.take_in(school.services, postfix(sent[1]))
    assert stored(school, sent[0]).failed_at is None
    with school.services.db.read() as session:
        assert len(session.scalars(select(Audit).where(Audit.action == "mail.reported")).all()) == 1


def test_one_that_is_late_is_only_noted(school: School, sent: tuple[int, str]) -> None:
    assert "late" in bounce.take_in(school.services, postfix(sent[1], action="delayed", status="4.4.1"))
    assert (stored(school, sent[0]).failed_at, stored(school, sent[0]).problem) == (None, bounce.DELAYED)
    bounce.take_in(school.services, postfix(sent[1]))
    assert stored(school, sent[0]).failed_at is not None


def test_a_report_that_it_was_delivered_changes_nothing(school: School, sent: tuple[int, str]) -> None:
    bounce.take_in(school.services, postfix(sent[1], action="delivered", status="2.0.0"))
    assert (stored(school, sent[0]).failed_at, stored(school, sent[0]).problem) == (None, "")


@pytest.mark.parametrize(
    "made_up",
    ["<approval-1@school.example>", "<%@gatekeeper>", "<' OR 1=1 --@gatekeeper>"],
    ids=["other", "like", "sql"],
)
def test_an_id_that_is_none_of_ours_is_refused_and_nothing_is_written(
    school: School, sent: tuple[int, str], made_up: str
) -> None:
    with pytest.raises(BadInput):
        bounce.take_in(school.services, postfix(made_up))
    assert stored(school, sent[0]).failed_at is None
    with school.services.db.read() as session:
        assert session.scalars(select(Audit).where(Audit.action == "mail.reported")).all() == []


def test_the_command_answers_with_one_line(
    school: School, sent: tuple[int, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    monkeypatch.setenv("GATEKEEPER_DATA", str(tmp_path))
    monkeypatch.setenv("GATEKEEPER_DATABASE_URL", school.services.db.url)
    assert bounced(BytesIO(postfix(sent[1]))) == 0
    assert capsys.readouterr().out == f"E-mail {sent[0]} is noted as undelivered.\n"
    with pytest.raises(GatekeeperError, match="no delivery report") as refused:
        bounced(BytesIO(b"Subject: hello\n\nhello\n"))
    assert not isinstance(refused.value, BadInput)  # which would end the command with 2
    assert stored(school, sent[0]).failed_at is not None


def test_the_command_makes_no_database_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEKEEPER_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(GatekeeperError, match="no database"):
        bounced(BytesIO(postfix("<a@b>")))
    assert not (tmp_path / "elsewhere").exists()


def test_an_old_failure_keeps_its_beginning(school: School, sent: tuple[int, str], clock: ToldClock) -> None:
    bounce.take_in(school.services, postfix(sent[1]))
    clock.advance(hours=5)
    bounce.take_in(school.services, exim(sent[1]))
    failed_at = stored(school, sent[0]).failed_at
    assert failed_at is not None
    assert clock.now() - failed_at == timedelta(hours=5)
