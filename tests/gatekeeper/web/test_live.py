"""The check while typing: who may ask, what is answered, and that nothing of the draft stays anywhere."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import ChannelAccount, Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.web.limits import limiter
from gatekeeper.web.views import live
from gatekeeper.workflow import live_check
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock

Browser = Callable[[Role | None], FlaskClient]
NAME = "Wren Applethwaite"


@pytest.fixture(autouse=True)
def fresh_start(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody has asked anything yet."""
    monkeypatch.setattr(live_check.count_question, "__kwdefaults__", {"tally": live_check.Tally()})
    limiter.reset()
    yield
    limiter.reset()


@pytest.fixture
def channels(services: Services, people: dict[Role, int]) -> dict[str, int]:
    """A pupil on the roll, and a channel of each kind; the channels' ids by kind."""
    ids, now = {}, services.clock.now()
    with services.db.begin() as session:
        session.add(
            Pupil(
                first_name="Wren", last_name="Applethwaite", year="4", class_name="Heron", reference="1", created_at=now
            )
        )
        change_setting(session, "phones", ["01632 960000"], by=None, now=now)
        for kind in ("x", "facebook"):
            account = ChannelAccount(
                kind=kind, name=f"Our {kind}", remote_id="1", created_by=people[Role.ADMINISTRATOR], created_at=now
            )
            session.add(account)
            session.flush()
            ids[kind] = account.id
    return ids


@pytest.fixture
def author(browser: Browser, channels: dict[str, int]) -> FlaskClient:
    return browser(Role.AUTHOR)


def photo_of(services: Services, author_id: int, file_name: str) -> int:
    """A photo in somebody's own draft."""
    now = services.clock.now()
    with services.db.begin() as session:
        post = Post(author_id=author_id, state=PostState.DRAFT, channels=[], created_at=now, changed_at=now)
        post.photos = [
            Photo(position=0, file_name=file_name, original_sha256="a" * 64, width=9, height=9, added_at=now)
        ]
        session.add(post)
        session.flush()
        return post.photos[0].id


def ask(client: FlaskClient, text: str = "", **more: Any) -> TestResponse:
    return client.post("/posts/words", json={"text": text, **more}, headers={"Accept": "application/json"})


def found(client: FlaskClient, text: str = "", **more: Any) -> list[dict[str, Any]]:
    answer = ask(client, text, **more)
    assert answer.status_code == 200, answer.json
    return list(answer.json["findings"]) if answer.json else []


def test_a_name_is_told_with_its_clause_its_place_and_other_words(author: FlaskClient) -> None:
    (one,) = found(author, f"Well done, {NAME}!")
    assert (one["rule"], one["clause"], one["severity"]) == ("pupil-name-full", "3.1d", "block")
    assert (one["word"], one["sign"], one["place"]) == ("Must be changed", "✕", "Text")
    assert (one["field"], one["start"], one["end"], one["quote"]) == ("text", 11, 28, NAME)
    assert one["suggestion"] == {"start": 9, "end": 28, "words": " to a pupil in our school"}
    assert NAME in one["sentence"]


def test_the_answer_holds_nothing_about_the_pupil_beyond_the_words_typed(author: FlaskClient) -> None:
    answer = ask(author, "Wren made a cake.")
    assert set(answer.json["findings"][0]) == {
        "rule", "clause", "severity", "word", "sign", "field", "place", "start", "end", "quote", "sentence", "suggestion"
    }  # fmt: skip
    for known_to_the_roll in ("Applethwaite", "Heron"):
        assert known_to_the_roll not in answer.text


@pytest.mark.parametrize("astral", [True, False])
def test_places_count_code_points_whatever_stands_before(author: FlaskClient, *, astral: bool) -> None:
    befores = ("🎂🎂 ", "👩‍🏫 ", "مرحبا 🎉 ", "\ud83d half ") if astral else ("", "שלום ", "e\u0301 ", "\u200b\u202e")
    for before in befores:
        text = f"{before}cake by {NAME}"
        (one,) = [one for one in found(author, text) if one["rule"] == "pupil-name-full"]
        assert text[one["start"] : one["end"]] == NAME


def test_descriptions_and_the_names_of_own_files_are_read_too(
    author: FlaskClient, services: Services, people: dict[Role, int]
) -> None:
    photo = photo_of(services, people[Role.AUTHOR], "Wren-Applethwaite.jpg")
    told = found(author, "Our table", photos=[{"id": photo, "alt": f"{NAME} at a table"}])
    assert {(one["field"], one["place"]) for one in told} == {
        ("images[0].alt", "Description of photo 1"),
        ("images[0].file", "File name of photo 1"),
    }
    assert {one["field"]: bool(one["suggestion"]) for one in told} == {"images[0].alt": True, "images[0].file": False}


def test_cannot_learn_the_name_of_somebody_elses_file(
    author: FlaskClient, services: Services, people: dict[Role, int]
) -> None:
    photo = photo_of(services, people[Role.HEADTEACHER], "Wren-Applethwaite.jpg")
    assert found(author, "Our table", photos=[{"id": photo, "alt": "A table full of pies"}]) == []


def test_each_chosen_channel_says_its_limits(author: FlaskClient, channels: dict[str, int]) -> None:
    text = "é" * 290
    assert [one["sentence"] for one in found(author, text, channels=list(channels.values()))] == [
        "The text is 10 characters too long for X, which takes 280."
    ]
    assert found(author, text, channels=[channels["facebook"]]) == []
    (price,) = found(author, "See https://hill.example today", channels=[channels["x"]])
    assert (price["severity"], price["clause"], price["start"]) == ("advice", "", None)
    assert "$0.20 on X" in price["sentence"]


def test_words_that_were_published_before_are_told(
    author: FlaskClient, services: Services, people: dict[Role, int], channels: dict[str, int]
) -> None:
    now, x = services.clock.now(), [channels["x"]]
    with services.db.begin() as session:
        for text, state in (("Our table is full.", PostState.PUBLISHED), ("Not out yet.", PostState.WAITING)):
            session.add(
                Post(author_id=people[Role.HEADTEACHER], text=text, state=state, created_at=now, changed_at=now)
            )
    (one,) = found(author, "Our table is full.\n", channels=x)
    assert (one["rule"], one["severity"]) == ("limit-repeated", "advice")
    for text in ("Our table is full!", "Not out yet.", "Our\0 table"):
        assert "limit-repeated" not in [one["rule"] for one in found(author, text, channels=x)]


def test_what_is_not_written_yet_is_still_to_do_and_no_fault(author: FlaskClient, channels: dict[str, int]) -> None:
    assert found(author) == []  # the empty form asks for nothing
    assert [(one["word"], one["sentence"]) for one in found(author, channels=[channels["x"]])] == [
        ("Still to do", "A post on X needs words or a photo.")
    ]
    (alt,) = found(author, "Our table", photos=[{"id": 1, "alt": " "}])
    assert (alt["severity"], alt["field"]) == ("todo", "images[0].alt")


def test_without_a_script_the_form_tells_the_limits_of_what_was_saved(
    author: FlaskClient, channels: dict[str, int]
) -> None:
    typed = {"title": "Fair", "text": "See hill.example and come.", "channels": str(channels["x"]), "do": "save"}
    page = author.post("/posts/new", data=typed, follow_redirects=True).text
    assert "Advice: With a link this costs about $0.20 on X; without, $0.015." in page
    assert "costs about" not in author.get("/posts/new").text


def test_what_must_be_changed_comes_first(author: FlaskClient, channels: dict[str, int]) -> None:
    text = f"See hill.example: Wren's cake, and {NAME}."
    severities = [one["severity"] for one in found(author, text, channels=[channels["x"]])]
    assert severities == ["block", "justify", "advice"]


@pytest.mark.parametrize("role", [None, Role.AUDITOR])
def test_cannot_ask_without_being_somebody_who_writes(browser: Browser, role: Role | None) -> None:
    answer = ask(browser(role), NAME)
    assert answer.status_code == (401 if role is None else 403)
    assert "Applethwaite" not in answer.text


def test_cannot_ask_without_the_forms_secret(app: Flask, author: FlaskClient) -> None:
    app.config.update(WTF_CSRF_ENABLED=True, WTF_CSRF_CHECK_DEFAULT=True)
    assert ask(author, NAME).status_code == 400


NONSENSE: tuple[object, ...] = (
    [],
    {},
    "text",
    {"text": 3},
    {"text": "a", "photos": 3},
    {"text": "a", "photos": [3]},
    {"text": "a", "photos": [{"id": "x", "alt": "a"}]},
    {"text": "a", "photos": [{"id": 1, "alt": None}]},
    {"text": "a", "photos": [{"id": 1, "alt": "a"}] * 21},
    {"text": "a", "channels": {"x": 1}},
    {"text": "a", "channels": [True]},
    {"text": "a", "channels": [2**70]},
    {"text": "a", "wordings": {"1": "a"}},
    {"text": "a", "wordings": ["a"]},
    {"text": "a", "wordings": [{"channel": "x", "text": "a"}]},
    {"text": "a", "wordings": [{"channel": 1, "text": None}]},
    {"text": "a", "wordings": [{"channel": 1, "text": "a" * 20_001}]},
    {"text": "a" * 20_001},
    {"text": "a", "photos": [{"id": 1, "alt": "a" * 20_001}]},
)


def test_nonsense_is_refused_in_a_sentence(author: FlaskClient) -> None:
    for told in NONSENSE:
        answer = author.post("/posts/words", json=told, headers={"Accept": "application/json"})
        assert answer.status_code == 422, told
        assert answer.json
        assert answer.json["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff\xfe", 400), (b"[" * 200_000, 400), (b'{"text": "' + b"a" * 300_000, 413)],
    ids=["half", "no text", "brackets", "large"],
)
def test_cannot_send_what_is_no_json_or_far_too_large(author: FlaskClient, body: bytes, status: int) -> None:
    answer = author.post(
        "/posts/words", data=body, content_type="application/json", headers={"Accept": "application/json"}
    )
    assert answer.status_code == status


def test_cannot_keep_a_thread_busy_with_many_long_descriptions(author: FlaskClient) -> None:
    photos = [{"id": number, "alt": "the a and " * 1_500} for number in range(1, 5)]
    told = {"text": "Hello.", "photos": photos, "channels": []}
    answer = author.post("/posts/words", json=told, headers={"Accept": "application/json"})
    assert answer.status_code == 422


def test_cannot_try_names_faster_than_anybody_types(
    browser: Browser, author: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [ask(author, "Wren").status_code for _ in range(61)]
    assert answers == [200] * 60 + [429]
    assert ask(browser(Role.HEADTEACHER), "Wren").status_code == 200  # each person has a pace of their own


def test_the_questions_are_counted_and_no_word_is_written_down(
    author: FlaskClient, services: Services, clock: ToldClock, people: dict[Role, int]
) -> None:
    for _ in range(60):
        ask(author, NAME)
    with services.db.read() as session:
        lines = [line for line in session.scalars(select(Audit)) if line.action == "words.asked"]
    assert [line.detail for line in lines] == [{"questions": 1}, {"questions": 50}]
    assert {(line.staff_id, line.subject) for line in lines} == {(people[Role.AUTHOR], f"staff:{people[Role.AUTHOR]}")}


def test_the_rest_is_written_down_when_an_hour_is_over(clock: ToldClock) -> None:
    tally = live_check.Tally()
    assert [tally.add("db", 1, now=clock.now()) for _ in range(3)] == [1, 0, 0]
    assert tally.add("db", 2, now=clock.now()) == 1
    clock.advance(hours=1)
    assert tally.add("db", 1, now=clock.now()) == 3


def test_no_word_of_the_draft_reaches_a_log_or_a_table(
    author: FlaskClient, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert found(author, f"zebrafish {NAME}", photos=[{"id": 1, "alt": "quokka table"}])
        ask(author, "zebrafish " * 3_000)
    said = caplog.text + "".join(str(vars(line)) for line in caplog.records)
    with services.db.read() as session:
        written = json.dumps([[line.action, line.subject, line.detail] for line in session.scalars(select(Audit))])
        assert session.scalar(select(Post)) is None
    for word in ("zebrafish", "quokka", "Applethwaite"):
        assert word not in said
        assert word not in written


def test_a_crash_tells_nothing_of_the_words(
    author: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(NAME)

    monkeypatch.setattr(live, "live_check", fail)
    with caplog.at_level(logging.DEBUG):
        answer = ask(author, NAME)
    assert answer.status_code == 500
    assert "Applethwaite" not in answer.text + caplog.text


def test_the_answer_is_kept_nowhere(author: FlaskClient) -> None:
    assert ask(author, NAME).headers["Cache-Control"] == "no-store"
