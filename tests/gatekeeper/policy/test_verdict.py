"""The verdict: only what is positively cleared goes on."""

from dataclasses import replace

import pytest

from gatekeeper.channels.facebook import LIMITS as FACEBOOK
from gatekeeper.channels.x import LIMITS as X
from gatekeeper.policy import limits
from gatekeeper.policy.verdict import (
    ChannelFacts,
    FaceFacts,
    FindingFacts,
    NotClear,
    PhotoFacts,
    PostFacts,
    can_ask_override,
    can_send,
    check_can_send,
    face_against,
    open_items,
)
from gatekeeper.posts.status import FaceState

UNKNOWN = FaceFacts(id=1, photo=1, number=1, state="unknown", score=0.9)
YES = (True, "May be shown on X.")
NO = (False, "May not be shown on X.")
OPEN_CHANNEL = ChannelFacts(id=1, kind="x", name="@school", open=True, declared_own=True)


def post(*faces: FaceFacts, **photo: object) -> PostFacts:
    facts = PhotoFacts(id=1, number=1, scanned=True, rendered=True, faces=faces)
    return PostFacts(photos=(replace(facts, **photo),), channels=(OPEN_CHANNEL,))  # type: ignore[arg-type]


def finding(severity: str, state: str = "open", rule: str = "pupil-name") -> FindingFacts:
    return FindingFacts(id=1, severity=severity, state=state, rule=rule, message="This names a pupil.")


def test_cannot_send_with_an_unknown_face() -> None:
    items = open_items(post(UNKNOWN))
    assert [(item.kind, item.can_override) for item in items] == [("face", False)]
    assert items[0].sentence == "Face 1 in photo 1: say who this is, or cover it."


@pytest.mark.parametrize("state", ["", "known", "PUPIL", "cleared"])
def test_cannot_send_with_a_face_in_a_state_nobody_knows(state: str) -> None:
    assert not can_send(post(replace(UNKNOWN, state=state)))


def test_every_state_of_a_face_is_judged() -> None:
    cleared = {
        FaceState.UNKNOWN: False,
        FaceState.PUPIL: False,  # without the register's answer
        FaceState.STAFF: True,
        FaceState.ADULT: True,
        FaceState.COVERED: True,
        FaceState.NOT_A_FACE: True,
    }
    assert set(cleared) == set(FaceState)
    for state, clear in cleared.items():
        face = replace(UNKNOWN, state=state, words="Mr Reid", score=0.5)
        assert (face_against(face) is None) is clear, state


def test_cannot_send_a_pupil_without_a_yes_for_every_channel() -> None:
    pupil = replace(UNKNOWN, state="pupil")
    assert can_send(post(replace(pupil, answers=(YES, YES))))
    assert not can_send(post(replace(pupil, answers=(YES, NO))))
    assert not can_send(post(replace(pupil, answers=())))


def test_cannot_ask_the_headteacher_to_allow_a_pupil_who_must_never_be_shown() -> None:
    items = open_items(post(replace(UNKNOWN, state="pupil", answers=((False, "Must never be shown."),))))
    assert "Must never be shown." in items[0].sentence
    assert not items[0].can_override
    assert not can_ask_override(finding("block", rule="never-publish"))


@pytest.mark.parametrize("state", ["staff", "adult"])
def test_cannot_send_an_adult_without_words(state: str) -> None:
    assert not can_send(post(replace(UNKNOWN, state=state, words="  ")))


def test_cannot_call_a_sure_or_drawn_box_no_face() -> None:
    no_face = replace(UNKNOWN, state="not_a_face")
    assert can_send(post(replace(no_face, score=0.79)))
    assert not can_send(post(replace(no_face, score=0.8)))
    assert not can_send(post(replace(no_face, score=0.5, by_hand=True)))


def test_a_face_that_is_cropped_away_does_not_block() -> None:
    assert can_send(post(replace(UNKNOWN, inside=False)))


def test_cannot_send_a_photo_that_was_not_looked_at() -> None:
    assert not can_send(post(scanned=False))
    assert not can_send(post(problem="The photo is damaged."))
    assert not can_send(post(rendered=False))


@pytest.mark.parametrize("channel", [replace(OPEN_CHANNEL, open=False), replace(OPEN_CHANNEL, declared_own=False)])
def test_cannot_send_pupils_to_a_channel_that_is_not_the_schools_own(channel: ChannelFacts) -> None:
    pupil = replace(UNKNOWN, state="pupil", answers=(YES,))
    assert [item.kind for item in open_items(replace(post(pupil), channels=(channel,)))] == ["channel"]
    assert not can_send(replace(post(declared_pupils=True), channels=(channel,)))
    assert can_send(replace(post(), channels=(channel,)))


def test_cannot_send_with_words_that_block_or_ask_for_a_reason() -> None:
    assert not can_send(PostFacts(findings=(finding("block"),)))
    assert not can_send(PostFacts(findings=(finding("block", "answered"),)))
    assert not can_send(PostFacts(findings=(finding("justify"),)))
    assert can_send(PostFacts(findings=(finding("advice"), finding("justify", "answered"))))
    assert can_send(PostFacts(findings=(finding("block", "override"),)))


def test_a_severity_nobody_knows_blocks_and_cannot_be_overridden() -> None:
    strange = finding("unheard-of", "override")
    assert not can_send(PostFacts(findings=(strange,)))
    assert not can_ask_override(strange)


def test_the_refusal_holds_every_reason() -> None:
    check_can_send(post())
    with pytest.raises(NotClear) as refused:
        check_can_send(replace(post(UNKNOWN, replace(UNKNOWN, id=2, number=2)), findings=(finding("block"),)))
    assert len(refused.value.reasons) == 3


def test_the_limits_are_those_of_the_channels() -> None:
    for kind, channel in (("x", X), ("facebook", FACEBOOK)):
        mine = limits.LIMITS[kind]
        assert (mine.text, mine.weighted) == (channel.text, channel.weighted)
        assert channel.images == limits.MAX_PHOTOS
        assert channel.alt == limits.MAX_ALT


def test_a_post_that_is_held_for_consent_cannot_go_on() -> None:
    facts = PostFacts(held="Change the words.")
    assert [(item.kind, item.sentence, item.can_override) for item in open_items(facts)] == [
        ("held", "Change the words.", False)
    ]
    assert not can_send(facts)
