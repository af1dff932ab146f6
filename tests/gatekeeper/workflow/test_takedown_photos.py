"""A removal on Facebook has an end only when the photos are gone, too, however often and wherever it breaks off."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.channels.facebook import Facebook
from gatekeeper.channels.transport import Answer, Wire
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import takedown_act, takedown_removal, takedown_sweep
from gatekeeper.workflow.takedown_removal import NotGoneYet
from gatekeeper.workflow.takedown_reopen import reopen_where_seen
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import run

GRAPH = "graph.facebook.com"
FOUR = 4


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))


def ordered(school: School, clock: ToldClock, *, photos: int) -> int:
    """A post that stood on the Page for a month, ordered to be taken down."""
    (publication,) = school.approve(school.post(kinds=("facebook",), photos=photos))
    clock.advance(hours=1)
    run(school)
    clock.advance(days=30)
    return takedown_act.order(school.services, publication, why="consent", words="The family asked", by=school.head)


def removal(school: School, takedown_id: int) -> Takedown:
    with school.services.db.read() as session:
        return session.get_one(Takedown, takedown_id)


def state(school: School, takedown_id: int) -> str:
    return removal(school, takedown_id).state


def photos(simulator: Simulator) -> list[str]:
    return sorted(each.id for each in simulator.state.pictures.values() if each.kind == "facebook")


def is_clean(simulator: Simulator) -> bool:
    return simulator.posts("facebook") == [] and photos(simulator) == []


def next_try(school: School, clock: ToldClock, takedown_id: int) -> None:
    clock.advance(hours=1)
    takedown_sweep.run(school.services)
    takedown_removal.carry_out(school.services, takedown_id)


def refuse_photo(simulator: Simulator, photo: str, canned: str, *, times: int = 1) -> None:
    simulator.fault("status", host=GRAPH, method="DELETE", path=f"/v26.0/{photo}", times=times, canned=canned)


def hide(simulator: Simulator, path: str, *, times: int = 99, method: str | None = None) -> None:
    """Facebook's one answer for what is not there and for what these keys may not see."""
    more = {"method": method} if method else {}
    simulator.fault("status", host=GRAPH, path=f"/v26.0/{path}", times=times, canned="graph.100_33", **more)


def answer_with(simulator: Simulator, path: str, body: dict[str, object]) -> None:
    simulator.fault("status", host=GRAPH, path=f"/v26.0/{path}", times=1, status=200, body=json.dumps(body))


def mails(school: School) -> list[Notice]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == "takedown_by_hand")))


def test_a_post_with_four_photos_goes_with_all_of_them(school: School, simulator: Simulator, clock: ToldClock) -> None:
    number = ordered(school, clock, photos=FOUR)
    takedown_removal.carry_out(school.services, number)
    assert (state(school, number), removal(school, number).remaining) == (TakedownState.GONE, None)
    assert is_clean(simulator)


@pytest.mark.parametrize("calls", range(1, 8))
def test_a_process_that_dies_after_any_call_forgets_no_photo(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """One call reads the post; one removes it and one reads that it is gone; the same for each of two photos."""
    number, real, made = ordered(school, clock, photos=2), Wire.call, 0

    def dies(wire: Wire, *args: object, **more: object) -> Answer:
        nonlocal made
        answer = real(wire, *args, **more)  # type: ignore[arg-type]
        made += 1
        if made == calls:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "call", dies)
        with pytest.raises(Killed):
            takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.ORDERED
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_a_process_that_dies_before_the_record_finds_nothing_left(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> bool:
        raise Killed

    number = ordered(school, clock, photos=1)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(takedown_removal, "_confirm", dies)
        takedown_removal.carry_out(school.services, number)
    assert (state(school, number), removal(school, number).remaining) == (TakedownState.ORDERED, [])
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE


def test_a_wait_between_the_post_and_its_photo_ends_nothing(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    number = ordered(school, clock, photos=1)
    refuse_photo(simulator, photos(simulator)[0], "graph.32")
    takedown_removal.carry_out(school.services, number)
    assert simulator.posts("facebook") == []
    assert state(school, number) == TakedownState.ORDERED
    assert "asks to wait" in removal(school, number).problem
    assert removal(school, number).remaining == photos(simulator)
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_one_photo_in_trouble_keeps_no_other_public(school: School, simulator: Simulator, clock: ToldClock) -> None:
    number = ordered(school, clock, photos=FOUR)
    first = photos(simulator)[0]
    refuse_photo(simulator, first, "graph.2", times=2)
    for _ in range(2):
        with pytest.raises(NotGoneYet):
            takedown_removal.carry_out(school.services, number)
        assert photos(simulator) == [first]
        assert state(school, number) == TakedownState.ORDERED
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_a_photo_that_facebook_holds_on_to_for_a_moment_needs_no_person(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    number = ordered(school, clock, photos=1)
    (photo,) = photos(simulator)
    refuse_photo(simulator, photo, "graph.200")
    with pytest.raises(NotGoneYet):
        takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.ORDERED
    assert f"The post itself is gone, but its photo with the number {photo} may" in removal(school, number).problem
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_photos_that_facebook_refuses_go_to_a_person_and_trying_again_goes_on_with_them(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    number = ordered(school, clock, photos=3)
    _, *rest = photos(simulator)
    for photo in rest:
        refuse_photo(simulator, photo, "graph.200", times=takedown_removal._LETS_GO + 2)
    for _ in range(takedown_removal._LETS_GO):
        with pytest.raises(NotGoneYet):
            takedown_removal.carry_out(school.services, number)
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.BY_HAND
    assert f"its photos with the numbers {' and '.join(rest)} may still be seen" in removal(school, number).problem
    assert photos(simulator) == rest
    takedown_act.again(school.services, number, by=school.head)
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.BY_HAND, "they are still there"
    takedown_act.again(school.services, number, by=school.head)
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


@pytest.mark.parametrize("who", ["the platform", "a person"])
def test_what_is_read_again_after_its_end_goes_with_its_photos(
    school: School, simulator: Simulator, clock: ToldClock, who: str
) -> None:
    """The end was believed too early. Nothing of it may count as done before it is looked at anew."""
    number = ordered(school, clock, photos=2)
    post, first = simulator.posts("facebook")[0].id, photos(simulator)[0]
    if who == "a person":
        refuse_photo(simulator, first, "graph.32")
    takedown_removal.carry_out(school.services, number)
    if who == "a person":
        takedown_removal.confirm_by_hand(school.services, number, words="All of it is gone", by=school.head)
    assert state(school, number) == TakedownState.GONE
    with simulator.state.changing():
        simulator.state.find_post(post).deleted_at = None  # type: ignore[union-attr]
    clock.advance(hours=1)
    with school.services.step() as session:
        ledger.hold(session)
        assert reopen_where_seen(session, school.accounts["facebook"], [post], now=clock.now()) == [number]
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_photos_go_where_only_the_post_is_refused(school: School, simulator: Simulator, clock: ToldClock) -> None:
    number = ordered(school, clock, photos=1)
    post = simulator.posts("facebook")[0].id
    simulator.fault("status", host=GRAPH, method="DELETE", path=f"/v26.0/{post}", times=1, canned="graph.200")
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.BY_HAND
    assert simulator.requests("DELETE")[-1]["path"] == f"/v26.0/{photos(simulator)[0]}"


@pytest.mark.parametrize("seconds", [20 / 3, 11.0, 19.0])
def test_a_slow_facebook_takes_more_tries_and_each_ends_before_its_job(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    number, real = ordered(school, clock, photos=FOUR), Wire.call

    def slow(wire: Wire, *args: object, **more: object) -> Answer:
        answer = real(wire, *args, **more)  # type: ignore[arg-type]
        clock.advance(seconds=seconds)
        return answer

    monkeypatch.setattr(Wire, "call", slow)
    for _ in range(12):
        began = clock.now()
        try:
            takedown_removal.carry_out(school.services, number)
        except NotGoneYet:
            assert state(school, number) == TakedownState.ORDERED
        assert clock.now() - began < timedelta(seconds=jobs.TAKEDOWN.timeout) + timedelta(seconds=seconds)
        if state(school, number) != TakedownState.ORDERED:
            break
        clock.advance(seconds=30)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_a_photo_that_joins_a_post_between_two_tries_goes_with_it(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ordered(school, clock, photos=2)
    post = simulator.posts("facebook")[0].id
    all_of_them, real = photos(simulator), Facebook.parts_of
    simulator.fault("status", host=GRAPH, method="DELETE", path=f"/v26.0/{post}", times=1, canned="graph.2")
    with monkeypatch.context() as patch, pytest.raises(NotGoneYet):
        patch.setattr(Facebook, "parts_of", lambda *args, **more: real(*args, **more)[:1])
        takedown_removal.carry_out(school.services, number)
    assert removal(school, number).remaining == [post, all_of_them[0]]
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def test_a_post_that_these_keys_cannot_see_is_not_gone_while_the_page_lists_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    number = ordered(school, clock, photos=1)
    hide(simulator, simulator.posts("facebook")[0].id, times=1)
    with pytest.raises(NotGoneYet):
        takedown_removal.carry_out(school.services, number)
    assert "did not confirm" in removal(school, number).problem
    assert simulator.requests("DELETE") == [], "its photos could never be found again"
    next_try(school, clock, number)
    assert state(school, number) == TakedownState.GONE
    assert is_clean(simulator)


def is_valid(scopes: list[str]) -> dict[str, object]:
    return {"data": {"app_id": "900100", "type": "PAGE", "is_valid": True, "scopes": scopes}}


PROVES_NOTHING: dict[str, tuple[Callable[[Simulator], None], TakedownState, str]] = {
    "the Page cannot be read": (
        lambda simulator: hide(simulator, "111/published_posts", times=1), TakedownState.ORDERED, "did not confirm",
    ),
    "the listing fails": (
        lambda simulator: simulator.fault("status", host=GRAPH, path="*/published_posts", times=1, canned="graph.2"),
        TakedownState.ORDERED, "did not confirm",
    ),
    "the keys may not read": (
        lambda simulator: answer_with(simulator, "debug_token", is_valid(["pages_manage_posts"])),
        TakedownState.BY_HAND, "does not let a program",
    ),
    "no word of what the keys may": (
        lambda simulator: answer_with(simulator, "debug_token", is_valid([])),
        TakedownState.BY_HAND, "does not let a program",
    ),
    "the keys of another Page": (
        lambda simulator: answer_with(simulator, "me", {"id": "112", "name": "Another school"}),
        TakedownState.ORDERED, "connect the channel again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", list(PROVES_NOTHING))
def test_that_a_post_is_not_seen_proves_nothing_where_the_keys_cannot_prove_themselves(
    school: School, simulator: Simulator, clock: ToldClock, what: str
) -> None:
    spoil, expected, words = PROVES_NOTHING[what]
    number = ordered(school, clock, photos=1)
    post = simulator.posts("facebook")[0].id
    with simulator.state.changing():  # not listed, so that the listing alone would not tell
        simulator.state.find_post(post).never_listed = True  # type: ignore[union-attr]
    hide(simulator, post, times=1)
    spoil(simulator)
    try:
        takedown_removal.carry_out(school.services, number)
    except NotGoneYet:
        assert expected == TakedownState.ORDERED
    assert state(school, number) == expected
    assert words in removal(school, number).problem
    assert simulator.requests("DELETE") == []


def test_that_a_photo_is_not_seen_proves_nothing_either(school: School, simulator: Simulator, clock: ToldClock) -> None:
    number = ordered(school, clock, photos=1)
    (photo,) = photos(simulator)
    hide(simulator, photo, times=2)
    simulator.fault("status", host=GRAPH, path="*/published_posts", times=1, canned="graph.10")
    with pytest.raises(NotGoneYet):
        takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.ORDERED
    assert removal(school, number).remaining == [photo]


def test_what_somebody_else_removed_is_believed_to_be_gone_from_keys_that_prove_themselves(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    number = ordered(school, clock, photos=0)
    with simulator.state.changing():
        simulator.control.delete_post({"id": simulator.posts("facebook")[0].id})
    takedown_removal.carry_out(school.services, number)
    assert state(school, number) == TakedownState.GONE
    asked = [entry["path"].rsplit("/", 1)[-1] for entry in simulator.requests("GET", host=GRAPH)][-3:]
    assert asked == ["me", "debug_token", "published_posts"]


@pytest.mark.parametrize("canned", ["graph.190", "graph.32", "graph.2"])
def test_trouble_that_comes_after_a_person_was_quicker_is_written_nowhere(
    school: School, simulator: Simulator, clock: ToldClock, monkeypatch: pytest.MonkeyPatch, canned: str
) -> None:
    number, real = ordered(school, clock, photos=0), Facebook.delete_post

    def meanwhile(channel: Facebook, *args: object, **more: object) -> str:
        takedown_removal.confirm_by_hand(school.services, number, words="Removed it myself", by=school.head)
        return real(channel, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Facebook, "delete_post", meanwhile)
    simulator.fault("status", host=GRAPH, method="DELETE", times=1, canned=canned)
    takedown_removal.carry_out(school.services, number)
    one = removal(school, number)
    assert (one.state, one.problem, one.tries) == (TakedownState.GONE, "", 0)
    assert mails(school) == []


def test_a_day_old_wire_setting_never_outlasts_the_job(school: School, clock: ToldClock) -> None:
    """However long one call may take, a try ends before its job is ended."""
    timings = replace(school.services.settings.timings, wire=600.0)
    services = replace(school.services, settings=replace(school.services.settings, timings=timings))
    number, seen = ordered(school, clock, photos=0), []
    assert services.channel_for is not None
    channel = services.channel_for

    def watched(account: object) -> object:
        built = channel(account)  # type: ignore[arg-type]
        real = built.delete_post

        def delete_post(post_id: str, *, deadline: object = None) -> object:
            seen.append(deadline.seconds_left(clock.now()))  # type: ignore[attr-defined]
            return real(post_id, deadline=deadline)  # type: ignore[arg-type]

        built.delete_post = delete_post  # type: ignore[method-assign, assignment]
        return built

    takedown_removal.carry_out(replace(services, channel_for=watched), number)  # type: ignore[arg-type]
    assert state(school, number) == TakedownState.GONE
    assert seen == [pytest.approx(jobs.TAKEDOWN.timeout - 15)]
