"""The list of logos: who may change it, what is refused, and that what was once on it stays on record."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from gatekeeper.errors import Conflict, NotFound, NotScanned
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Audit, Role
from gatekeeper.posts.model import Mark
from gatekeeper.workflow import marks as steps
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.logos import LOGOS, as_registered


def saved(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def logo(name: str = "crest") -> bytes:
    return saved(Image.fromarray(as_registered(LOGOS[name]())))


@pytest.fixture
def keeper(app: Any, services: Services, people: dict[Role, int], clock: ToldClock) -> FlaskClient:
    client: FlaskClient = app.test_client()
    with services.db.begin() as session:
        client.set_cookie("gatekeeper", begin_session(session, people[Role.ADMINISTRATOR], now=clock.now()))
    return client


def send(client: FlaskClient, data: bytes | None = None, **typed: str) -> Any:
    fields: dict[str, Any] = {"name": "Kestrel crest", "owner": "school", **typed}
    if data is not None:
        fields["picture"] = (io.BytesIO(data), "logo.png")
    return client.post("/school/marks", data=fields, content_type="multipart/form-data")


def rows(services: Services) -> list[Mark]:
    with services.db.read() as session:
        return list(session.scalars(select(Mark).order_by(Mark.id)))


def test_a_logo_is_put_on_the_list_shown_and_known_to_the_check(keeper: FlaskClient, services: Services) -> None:
    assert "No logo is looked for" in keeper.get("/school/marks").text
    assert send(keeper, logo()).headers["Location"] == "/school/marks"
    page = keeper.get("/school/marks").text
    for words in ("Kestrel crest", "The school&#39;s own", "Registered by Administrator Person"):
        assert words in page
    (mark,) = rows(services)
    picture = keeper.get(f"/school/marks/{mark.id}/picture")
    assert picture.mimetype == "image/jpeg"
    (known,) = steps.known_marks(services)
    assert (known.id, known.name, known.owner) == (mark.id, "Kestrel crest", "school")
    assert steps.known_marks(services)[0].learnt is known.learnt  # learnt once for each picture


def test_a_logo_taken_off_the_list_is_looked_for_no_longer_and_stays_on_record(
    keeper: FlaskClient, services: Services
) -> None:
    send(keeper, logo())
    (mark,) = rows(services)
    assert keeper.post(f"/school/marks/{mark.id}/retire").status_code == 303
    assert steps.known_marks(services) == []
    page = keeper.get("/school/marks").text
    assert "1 logo off the list" in page
    assert "taken off by Administrator Person" in page
    assert keeper.get(f"/school/marks/{mark.id}/picture").status_code == 200
    assert send(keeper, logo()).status_code == 303  # it may come back, as a new line
    assert len(rows(services)) == 2
    with services.db.read() as session:
        assert [*session.scalars(select(Audit.action).where(Audit.subject == f"mark:{mark.id}"))] == [
            "mark.registered", "mark.retired",
        ]  # fmt: skip


def test_cannot_take_off_what_is_off_or_never_was(services: Services, people: dict[Role, int]) -> None:
    by = people[Role.HEADTEACHER]
    mark = steps.register_mark(services, name="Kestrel crest", owner="school", data=logo(), by=by)
    steps.retire_mark(services, mark, by=by)
    with pytest.raises(Conflict):
        steps.retire_mark(services, mark, by=by)
    with pytest.raises(NotFound):
        steps.retire_mark(services, 999, by=by)
    with pytest.raises(NotFound):
        steps.picture_of_mark(services, 999)


@pytest.mark.parametrize(
    ("data", "typed", "sentence"),
    [
        pytest.param(None, {}, "Please choose a picture of the logo.", id="no-picture"),
        pytest.param(b"", {}, "Please choose a picture of the logo.", id="empty-file"),
        pytest.param(b"GIF89a" + bytes(99), {}, "GIF", id="moving-picture"),
        pytest.param(saved(Image.new("RGB", (300, 300), "navy")), {}, "one colour", id="plain"),
        pytest.param(saved(Image.new("RGB", (30, 30), "navy")), {}, "too small", id="small"),
        pytest.param(b"-", {"name": " "}, "Please give the logo a name", id="no-name"),
        pytest.param(b"-", {"owner": ""}, "Please say whose it is.", id="nobodys"),
        pytest.param(b"-", {"owner": "mine"}, "Not a valid choice", id="forged-owner"),
    ],
)
def test_cannot_register_what_could_not_be_found(
    keeper: FlaskClient, services: Services, data: bytes | None, typed: dict[str, str], sentence: str
) -> None:
    answer = send(keeper, data, **typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    if "name" not in typed:
        assert 'value="Kestrel crest"' in answer.text  # what was typed stays
    assert rows(services) == []


def test_cannot_register_the_same_picture_twice_or_more_than_can_be_looked_for(
    keeper: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(keeper, logo()).status_code == 303
    again = send(keeper, logo(), name="Crest again")
    assert again.status_code == 422
    assert "on the list already" in again.text
    monkeypatch.setattr(steps, "MOST", 1)
    full = send(keeper, logo("owl"), name="Owl")
    assert full.status_code == 422
    assert "Take one off the list" in full.text
    assert len(rows(services)) == 1


def test_photos_do_not_seem_free_of_a_logo_whose_picture_is_gone(services: Services, people: dict[Role, int]) -> None:
    steps.register_mark(services, name="Owl", owner="other", data=logo("owl"), by=people[Role.HEADTEACHER])
    (mark,) = rows(services)
    services.media.path(mark.sha256).write_bytes(b"changed on the disk")
    steps._learnt.cache_clear()
    with pytest.raises(NotScanned, match="Owl"):
        steps.known_marks(services)
