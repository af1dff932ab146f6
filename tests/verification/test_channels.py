"""One suite for every channel, over HTTP against the simulated platforms: what base.Channel promises."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels.base import (
    Ambiguous,
    Channel,
    Credentials,
    Deadline,
    Found,
    MediaHandle,
    MediaItem,
    NotFound,
    RenderedPost,
    TimeWindow,
)
from gatekeeper.channels.errors import (
    Applied,
    AuthenticationFailed,
    ChannelBusy,
    ChannelRefused,
    ChannelUnclear,
    DuplicateContent,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    PlatformUnavailable,
    PostNotFound,
)
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.faults import Garbage
from gatekeeper.simulator.server import Simulator

Draw = Callable[..., MediaItem]
CREATE = {"x": "/2/tweets", "facebook": "/v26.0/111/feed", "linkedin": "/rest/posts"}
UPLOAD = {"x": "/2/media/upload", "facebook": "/v26.0/111/photos", "linkedin": "/rest/images"}
LISTING = {"x": "/2/users/*/tweets", "facebook": "*/published_posts", "linkedin": "/rest/posts"}


def window() -> TimeWindow:
    now = datetime.now(UTC)
    return TimeWindow(now - timedelta(seconds=60), now + timedelta(seconds=60))


def creating(simulator: Simulator, kind: str) -> list[dict[str, object]]:
    return [entry for entry in simulator.requests("POST") if entry["path"] == CREATE[kind]]


def test_says_whom_the_keys_belong_to(channel: Channel, kind: str) -> None:
    identity = channel.verify_credentials()
    assert identity.id == channel.account_id == {"x": "42", "facebook": "111", "linkedin": "2001"}[kind]
    assert identity.name
    assert identity.scopes


def test_refuses_keys_of_another_account(kind: str) -> None:
    """The X token here does not tell its owner, so only asking the platform shows the mistake."""
    with Simulator(config=SimulatorConfig(x_access_token="a-token-without-an-owner")) as simulator:
        right = simulator.credentials(kind)
        wrong = Credentials(kind, "43", right.secrets)
        channel = build_channel(wrong, clock=SystemClock(), base_url=simulator.base_url)
        with pytest.raises(AuthenticationFailed):
            channel.verify_credentials()


def test_publishes_once_and_reads_back_the_same(channel: Channel, simulator: Simulator, kind: str, draw: Draw) -> None:
    text = "Sports day – 14 June ☀️\nTimes & places <here>: https://school.example/day?a=1&b=2"
    photos = [draw("seagreen", alt="Children planting a tree"), draw("navy", alt="The “long” jump & <more>")]
    handles = [channel.upload_media(photo) for photo in photos]
    assert simulator.posts(kind) == []  # uploading alone shows nothing to anybody
    published = channel.create_post(RenderedPost(text), handles)

    [post] = simulator.posts(kind)
    assert post.id == published.id
    assert post.text == text
    assert len(creating(simulator, kind)) == 1
    pictures = list(simulator.state.pictures_of(post))
    assert [picture.sha256 for picture in pictures] == [hashlib.sha256(photo.data).hexdigest() for photo in photos]
    assert [picture.alt for picture in pictures] == [photo.alt for photo in photos]

    read = channel.get_post(published.id)
    assert (read.id, read.media_count) == (published.id, 2)
    assert read.alts == tuple(photo.alt for photo in photos)
    assert channel.canonical_text(read.text) == channel.canonical_text(text)
    assert read.permalink == published.permalink
    assert abs(read.created_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_publishes_words_alone_and_a_photo_alone(channel: Channel, simulator: Simulator, kind: str, draw: Draw) -> None:
    channel.create_post(RenderedPost("Snow: the school is closed today."), [])
    channel.create_post(RenderedPost(""), [channel.upload_media(draw())])
    assert [(post.text, len(post.picture_ids)) for post in simulator.posts(kind)] == [
        ("Snow: the school is closed today.", 0),
        ("", 1),
    ]


def test_a_photo_without_description_is_uploaded_without_one(
    channel: Channel, simulator: Simulator, draw: Draw
) -> None:
    handle = channel.upload_media(draw(alt=""))
    assert simulator.state.pictures[handle.id].alt == ""


@pytest.mark.parametrize(
    "text",
    [
        "Plain words",
        "Fish & chips <today> &amp; tomorrow",
        "See https://school.example/ and http://other.example/a?b=1&c=2.",
        "Two lines\n\nand a third  \n",
        "Caf\u0065\u0301 in the hall",
    ],
)
def test_finds_its_own_post_however_the_platform_rewrote_it(channel: Channel, draw: Draw, text: str) -> None:
    post = RenderedPost(text)
    published = channel.create_post(post, [channel.upload_media(draw())])
    found = channel.find_post(post, media_count=1, window=window())
    assert isinstance(found, Found)
    assert found.post.id == published.id


def test_does_not_take_another_post_for_its_own(channel: Channel, draw: Draw) -> None:
    post = RenderedPost("Sports day is on Friday")
    published = channel.create_post(post, [channel.upload_media(draw())])
    now = datetime.now(UTC)
    earlier = TimeWindow(now - timedelta(hours=2), now - timedelta(hours=1))
    for answer in (
        channel.find_post(RenderedPost("Sports day is on Monday"), media_count=1, window=window()),
        channel.find_post(post, media_count=2, window=window()),
        channel.find_post(post, media_count=1, window=earlier),
        channel.find_post(post, media_count=1, window=window(), claimed={published.id}),
    ):
        assert answer == NotFound(complete=False)


def test_cannot_decide_between_two_posts_that_could_be_its_own(
    channel: Channel, simulator: Simulator, kind: str
) -> None:
    for _ in range(2):
        with simulator.state.changing():
            simulator.control.external_post({"kind": kind, "text": "Sports day is on Friday"})
    answer = channel.find_post(RenderedPost("Sports day is on Friday"), media_count=0, window=window())
    assert isinstance(answer, Ambiguous)
    assert len(answer.posts) == 2


def test_lists_newest_first_over_several_pages(channel: Channel, simulator: Simulator, kind: str) -> None:
    with simulator.state.changing():
        for number in range(130):
            simulator.control.external_post({"kind": kind, "text": f"Post {number}"})
    page = channel.list_posts(since=datetime.now(UTC) - timedelta(minutes=5))
    assert [post.text for post in page.posts] == [f"Post {number}" for number in reversed(range(130))]
    assert not page.complete
    assert channel.list_posts(since=datetime.now(UTC) + timedelta(minutes=5)).posts == ()


def test_removes_a_post_and_may_be_asked_again(channel: Channel, simulator: Simulator, kind: str) -> None:
    published = channel.create_post(RenderedPost("Published by mistake"), [])
    assert channel.delete_post(published.id) == "deleted"
    assert simulator.posts(kind) == []
    with pytest.raises(PostNotFound):
        channel.get_post(published.id)
    assert channel.delete_post(published.id) == "already_absent"


def test_names_what_would_outlive_a_post_and_removes_it_too(
    channel: Channel, simulator: Simulator, kind: str, draw: Callable[..., MediaItem]
) -> None:
    """On Facebook the photos would live on, each under its own address."""
    published = channel.create_post(RenderedPost("Two photos"), [channel.upload_media(draw()) for _ in range(2)])
    pictures = [each.id for each in simulator.state.pictures.values() if each.kind == kind]
    parts = channel.parts_of(published.id)
    assert sorted(parts) == (sorted(pictures) if kind == "facebook" else [])
    for part in (published.id, *parts):
        assert channel.delete_post(part) == "deleted"
        assert channel.delete_post(part) == "already_absent"
    if kind == "facebook":
        assert not set(pictures) & set(simulator.state.pictures)


def test_a_post_without_photos_has_nothing_that_outlives_it(channel: Channel) -> None:
    published = channel.create_post(RenderedPost("Words alone"), [])
    assert channel.parts_of(published.id) == ()


def test_what_belongs_to_a_post_that_is_not_there_cannot_be_read(simulator: Simulator) -> None:
    facebook = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    for post_id in ("111_1", "../me"):
        with pytest.raises(PostNotFound):
            facebook.parts_of(post_id)


@pytest.mark.parametrize(
    ("path", "canned", "error"),
    [
        ("me", "graph.100_33", PlatformUnavailable),
        ("debug_token", "graph.190", AuthenticationFailed),
        ("111/published_posts", "graph.100_33", PlatformUnavailable),
        ("111/published_posts", "graph.10", PermissionDenied),
        ("111/published_posts", "graph.2", PlatformUnavailable),
    ],
    ids=["page unseen", "keys refused", "posts unseen", "posts forbidden", "posts unavailable"],
)
@pytest.mark.parametrize("ask", ["parts_of", "delete_post"])
def test_facebook_is_not_believed_that_something_is_gone_by_keys_that_prove_nothing(
    simulator: Simulator, ask: str, path: str, canned: str, error: type[Exception]
) -> None:
    """It gives the same answer for what these keys may not see."""
    facebook = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    simulator.fault("status", path=f"/v26.0/{path}", times=1, canned=canned)
    with pytest.raises(error):
        getattr(facebook, ask)("111_1")
    with pytest.raises(PostNotFound):  # the next time they do prove themselves
        facebook.parts_of("111_1")


def test_facebook_is_not_believed_that_a_post_is_gone_while_the_page_lists_it(simulator: Simulator) -> None:
    facebook = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    published = facebook.create_post(RenderedPost("Still there"), [])
    simulator.fault("status", path=f"/v26.0/{published.id}", times=2, canned="graph.100_33")
    with pytest.raises(PlatformUnavailable):
        facebook.delete_post(published.id)
    assert [post.id for post in simulator.posts("facebook")] == [published.id]


def test_facebook_has_a_post_of_which_one_photo_cannot_be_read(simulator: Simulator, draw: Draw) -> None:
    """A post that is said to be gone is reported as vanished: one photo of it proves nothing."""
    facebook = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    handles = [facebook.upload_media(draw(colour, alt=colour)) for colour in ("navy", "seagreen")]
    published = facebook.create_post(RenderedPost("Two photos"), handles)
    first, _ = facebook.parts_of(published.id)
    simulator.fault("status", method="GET", path=f"/v26.0/{first}", times=1, canned="graph.100_33")
    assert facebook.get_post(published.id).alts == ("", "seagreen")


def test_a_removal_whose_answer_was_lost_may_be_repeated(channel: Channel, simulator: Simulator, kind: str) -> None:
    published = channel.create_post(RenderedPost("Published by mistake"), [])
    simulator.fault("accept_then_drop", method="DELETE")
    with pytest.raises(PlatformUnavailable):
        channel.delete_post(published.id)
    assert channel.delete_post(published.id) == "already_absent"
    assert simulator.posts(kind) == []


TOOK_EFFECT = ["accept_then_drop", "accept_then_5xx", "accept_then_delay", *Garbage]
NO_EFFECT = ["drop_before", "redirect", "html", "delay"]


@pytest.mark.parametrize("fault", [*TOOK_EFFECT, *NO_EFFECT])
def test_an_unclear_answer_to_publishing_is_never_called_a_failure(
    channel: Channel, simulator: Simulator, kind: str, draw: Draw, fault: str
) -> None:
    """Whether it took effect or not cannot be told from the answer, so the class is the same, and nothing is resent."""
    handle = channel.upload_media(draw())
    order: dict[str, object] = {"path": CREATE[kind], "seconds": 5}
    if fault in list(Garbage):
        simulator.fault("accept_then_garbage", garbage=fault, **order)
    elif fault == "html":
        simulator.fault("status", canned="html", **order)
    else:
        simulator.fault(fault, **order)
    deadline = Deadline.after(datetime.now(UTC), 1.0)
    with pytest.raises(OutcomeUnknown) as raised:
        channel.create_post(RenderedPost("Sports day"), [handle], deadline=deadline)
    assert raised.value.applied is Applied.UNKNOWN
    assert isinstance(raised.value, ChannelUnclear)
    if fault not in {"delay", "accept_then_delay"}:  # those are written down when their sleep is over
        assert len(creating(simulator, kind)) == 1
    if fault in TOOK_EFFECT:
        answer = channel.find_post(RenderedPost("Sports day"), media_count=1, window=window())
        assert isinstance(answer, Found)
    elif fault != "delay":
        assert simulator.posts(kind) == []


def test_an_answer_that_drips_is_cut_off_at_the_deadline(channel: Channel, simulator: Simulator, kind: str) -> None:
    simulator.fault("drip", path=CREATE[kind])
    started = datetime.now(UTC)
    with pytest.raises(OutcomeUnknown):
        channel.create_post(RenderedPost("Sports day"), [], deadline=Deadline.after(started, 2.2))
    assert datetime.now(UTC) - started < timedelta(seconds=6)
    assert len(creating(simulator, kind)) == 1


CERTAINLY_NOT = {
    "x": ["x.400", "x.401", "x.402", "x.403", "x.too_long", "x.suspended"],
    "facebook": ["graph.190", "graph.200", "graph.10", "graph.100", "graph.368"],
    "linkedin": ["linkedin.401", "linkedin.403", "linkedin.422", "linkedin.426"],
}


def test_a_refusal_of_the_platform_is_final_and_nothing_was_posted(
    channel: Channel, simulator: Simulator, kind: str
) -> None:
    for name in CERTAINLY_NOT[kind]:
        simulator.fault("status", canned=name, path=CREATE[kind])
        with pytest.raises(ChannelRefused) as raised:
            channel.create_post(RenderedPost("Sports day"), [])
        assert raised.value.applied is Applied.NOT_APPLIED, name
        assert raised.value.detail
    assert simulator.posts(kind) == []
    assert len(creating(simulator, kind)) == len(CERTAINLY_NOT[kind])


def test_a_busy_platform_says_when_to_come_back(channel: Channel, simulator: Simulator, kind: str) -> None:
    simulator.fault(
        "status", canned={"x": "x.429", "facebook": "graph.32", "linkedin": "linkedin.429"}[kind], path=CREATE[kind]
    )
    with pytest.raises(ChannelBusy) as raised:
        channel.create_post(RenderedPost("Sports day"), [])
    assert raised.value.retry_at is not None
    minutes = (raised.value.retry_at - datetime.now(UTC)) / timedelta(minutes=1)
    now = datetime.now(UTC)
    midnight = 24 * 60 - now.hour * 60 - now.minute - now.second / 60  # LinkedIn's limits are those of a day
    assert minutes == pytest.approx({"x": 10, "facebook": 12, "linkedin": midnight}[kind], abs=0.5)


def test_a_duplicate_is_a_reason_to_look_not_a_failure(channel: Channel, simulator: Simulator, kind: str) -> None:
    channel.create_post(RenderedPost("The same words"), [])
    with pytest.raises(DuplicateContent) as raised:
        channel.create_post(RenderedPost("The same words"), [])
    assert raised.value.applied is Applied.UNKNOWN
    assert len(simulator.posts(kind)) == 1


@pytest.mark.parametrize(
    "fault", ["drop_before", "accept_then_drop", "accept_then_5xx", "accept_then_garbage", "redirect"]
)
def test_an_upload_without_proper_answer_may_simply_be_repeated(
    channel: Channel, simulator: Simulator, kind: str, draw: Draw, fault: str
) -> None:
    simulator.fault(fault, path=UPLOAD[kind])
    with pytest.raises(PlatformUnavailable):
        channel.upload_media(draw())
    assert simulator.posts(kind) == []
    channel.create_post(RenderedPost("Sports day"), [channel.upload_media(draw())])
    assert len(simulator.posts(kind)) == 1


@pytest.mark.parametrize("fault", ["drop_before", "accept_then_5xx", "accept_then_garbage", "redirect"])
def test_a_timeline_that_cannot_be_read_is_not_an_empty_timeline(
    channel: Channel, simulator: Simulator, kind: str, fault: str
) -> None:
    simulator.fault(fault, path=LISTING[kind])
    with pytest.raises(PlatformUnavailable):
        channel.list_posts(since=datetime.now(UTC) - timedelta(hours=1))


@pytest.mark.parametrize("fault", ["never_listed", "visibility_lag"])
def test_a_post_that_is_not_listed_is_still_there(
    channel: Channel, simulator: Simulator, kind: str, fault: str
) -> None:
    """Why absence from a timeline never allows sending again."""
    simulator.fault(fault, path=CREATE[kind], seconds=60)
    published = channel.create_post(RenderedPost("Sports day"), [])
    answer = channel.find_post(RenderedPost("Sports day"), media_count=0, window=window())
    assert answer == NotFound(complete=False)
    assert channel.get_post(published.id).text == "Sports day"


def test_a_platform_that_cannot_be_reached_got_nothing(kind: str, draw: Draw) -> None:
    with Simulator() as gone:
        credentials = gone.credentials(kind)
        channel = build_channel(credentials, clock=SystemClock(), base_url=gone.base_url)
    for attempt in (
        lambda: channel.create_post(RenderedPost("Sports day"), []),
        lambda: channel.upload_media(draw()),
        channel.verify_credentials,
    ):
        with pytest.raises(NotSent) as raised:
            attempt()
        assert raised.value.applied is Applied.NOT_APPLIED


def test_a_deadline_that_has_passed_sends_nothing(channel: Channel, simulator: Simulator) -> None:
    late = Deadline.after(datetime.now(UTC), -1)
    with pytest.raises(NotSent):
        channel.create_post(RenderedPost("Sports day"), [], deadline=late)
    assert simulator.requests() == []


def test_a_picture_of_nobody_we_know_cannot_be_posted(channel: Channel, simulator: Simulator, kind: str) -> None:
    with pytest.raises(ChannelRefused):
        channel.create_post(RenderedPost("Sports day"), [MediaHandle("12345")])
    assert simulator.posts(kind) == []


@pytest.mark.parametrize("state", ["expired", "revoked", "suspended"])
def test_dead_keys_stop_everything(channel: Channel, simulator: Simulator, kind: str, state: str) -> None:
    simulator.control.set_token({"kind": kind, "state": state})
    for attempt in (
        lambda: channel.create_post(RenderedPost("Sports day"), []),
        channel.verify_credentials,
        lambda: channel.list_posts(since=datetime.now(UTC)),
        lambda: channel.delete_post("1"),
    ):
        with pytest.raises(ChannelRefused):
            attempt()


SECRETS = [("x", "consumer_secret"), ("x", "access_token_secret"), ("x", "access_token"), ("x", "consumer_key")]
SECRETS += [("facebook", "access_token"), ("facebook", "app_secret"), ("linkedin", "access_token")]


@pytest.mark.parametrize(("platform", "secret"), SECRETS)
def test_a_wrong_secret_is_refused_by_the_platform(simulator: Simulator, platform: str, secret: str) -> None:
    right = simulator.credentials(platform)
    wrong = type(right)(platform, right.account_id, {**right.secrets, secret: right.secrets[secret] + "x"})
    channel = build_channel(wrong, clock=SystemClock(), base_url=simulator.base_url)
    with pytest.raises(AuthenticationFailed):
        channel.create_post(RenderedPost("Sports day"), [])
    assert simulator.posts(platform) == []
