"""What a post still needs is asked before anybody approves it: nothing a channel can know is first said after."""

from datetime import timedelta

import pytest

from gatekeeper.channels import facebook, x
from gatekeeper.channels.acceptance import violations
from gatekeeper.channels.base import MediaItem, RenderedPost
from gatekeeper.policy import limits
from gatekeeper.posts.model import Photo, Post
from gatekeeper.text.weight import x_weight
from gatekeeper.workflow.readiness import measure_of, problems_with
from tests.factories.school import School

CHANNELS = {"x": x.LIMITS, "facebook": facebook.LIMITS}
JPEG = b"\xff\xd8\xff a picture"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://a.example and b.example/page.", {"links": 2}),
        ("Write to office@hill.example", {"mentions": (), "links": 0}),
        ("Thanks @zoo and @zoo, and (@museum)!", {"mentions": ("@zoo", "@museum")}),
        ("It cost $5, £3 and US$4: no $ABCDEFGH tag", {"cashtags": ()}),
        ("$AB and $CD.E rose", {"cashtags": ("$AB", "$CD.E")}),
        ("\ufeffHello", {"unprintable": True}),
        (" \n ", {"empty": True}),
        ("Plain words 🎃", {"links": 0, "mentions": (), "cashtags": (), "unprintable": False, "empty": False}),
    ],
)
def test_a_text_is_measured_as_channels_do(text: str, found: dict[str, object]) -> None:
    measure = measure_of(text, ["x", "facebook"])
    assert {name: getattr(measure, name) for name in found} == found
    assert measure.counts == {"x": x_weight(text), "facebook": len(text)}


CASES = {
    "no words": ("", None),
    "281": ("é" * 281, None),
    "emoji": ("🎃" * 200, "A table"),
    "5001": ("w" * 5_001, "A table"),
    "invisible": ("Our\ufeff table", "A table"),
    "half a sign": ("Our\ud83d table", None),
    "a description of emoji": ("Our table", "🎃" * 501),
    "a long description": ("Our table", "w" * 1_001),
    "nothing wrong": ("Our table", "A table"),
}


def test_cannot_be_ready_where_the_channel_itself_would_refuse(school: School) -> None:
    """The channel's own refusals come after the approval, so every one of them has to be known before."""
    now, wrong = school.services.clock.now(), []
    for name, (text, alt) in CASES.items():
        for kind, limit in CHANNELS.items():
            media = () if alt is None else (MediaItem(data=JPEG, mime="image/jpeg", alt=alt),)
            length = x_weight(text) if limit.weighted else len(text)
            refused = violations(limits.label_of(kind), length, limit, RenderedPost(text=text), media)
            photos = [] if alt is None else [Photo(alt=alt, people="none", basis="")]
            channels = [school.accounts[kind]]
            post = Post(title=name, text=text, channels=channels, window_minutes=120, due_wall="", photos=photos)
            post.due_at = now + timedelta(hours=1)
            with school.services.db.read() as session:
                problems = problems_with(session, post, now=now)
            if bool(problems) != bool(refused):
                wrong.append((name, kind, problems, refused))
    assert wrong == []
