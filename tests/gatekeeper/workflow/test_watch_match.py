"""What one post on the account is, as a table: plain values, no platform."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels.base import RemotePost
from gatekeeper.channels.comparison import comparable
from gatekeeper.workflow.watch_match import NEAR, Known, Ours, Verdict, judge

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
SENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
POST = RemotePost(id="7", text="Harvest 🎃", media_count=1, created_at=SENT, permalink="", history=("7",), author="42")
OURS = Ours(publication_id=1, remote_id="7", words="Harvest 🎃", media_count=1, since=SENT, settled=True)
ON_ITS_WAY = replace(OURS, remote_id="", settled=False)
KNOWN = Known(key="7", publication_id=None, words="Harvest 🎃", media_count=1, posted_at=SENT, reported=True)
OLDER = replace(KNOWN, posted_at=BEGAN - timedelta(days=1), reported=False)
EDIT = replace(POST, id="9", history=("7", "9"), text="Halloween", created_at=SENT + timedelta(minutes=9))


def verdict(post: RemotePost, *ours: Ours, known: Known | None = None) -> Verdict:
    return judge(post, account="42", began_at=BEGAN, known=known, ours=ours, canonical=comparable).verdict


@pytest.mark.parametrize(
    ("post", "ours", "known", "wanted"),
    [
        pytest.param(POST, [OURS], None, Verdict.OURS, id="as-approved"),
        pytest.param(replace(POST, text="Harvest 🎃 \r\n"), [OURS], None, Verdict.OURS, id="spaces-at-the-end"),
        pytest.param(replace(POST, text="Harvest"), [OURS], None, Verdict.EDITED, id="an-emoji-less"),
        pytest.param(replace(POST, media_count=2), [OURS], None, Verdict.EDITED, id="a-picture-more"),
        pytest.param(EDIT, [OURS], None, Verdict.EDITED, id="another-number-after-an-edit"),
        pytest.param(replace(EDIT, text="Harvest 🎃"), [OURS], None, Verdict.OURS, id="edited-back"),
        pytest.param(POST, [replace(OURS, words=None, media_count=0)], None, Verdict.OURS, id="words-erased-in-their-time"),
        pytest.param(replace(POST, id="42_7", history=()), [OURS], None, Verdict.OURS, id="number-typed-without-its-page"),
        pytest.param(POST, [replace(OURS, remote_id="")], None, Verdict.OURS, id="named-otherwise-and-known-by-its-words"),
        pytest.param(
            replace(POST, created_at=SENT - timedelta(hours=1)), [replace(OURS, remote_id="")], None, Verdict.UNGATED,
            id="same-words-before-ours-was-sent",
        ),
        pytest.param(replace(POST, text="x"), [replace(OURS, remote_id="70")], replace(KNOWN, publication_id=1), Verdict.EDITED, id="found-before-and-edited"),
        pytest.param(POST, [ON_ITS_WAY], None, Verdict.IN_FLIGHT, id="our-words-while-a-send-is-unclear"),
        pytest.param(replace(POST, text="Cut off"), [ON_ITS_WAY], None, Verdict.IN_FLIGHT, id="other-words-at-that-very-moment"),
        pytest.param(
            replace(POST, text="Cake", created_at=SENT + NEAR + timedelta(seconds=1)), [ON_ITS_WAY], None, Verdict.UNGATED,
            id="other-words-later",
        ),
        pytest.param(
            replace(POST, created_at=SENT - timedelta(seconds=1)), [ON_ITS_WAY], None, Verdict.UNGATED, id="before-the-send"
        ),
        pytest.param(
            replace(POST, created_at=SENT + timedelta(days=9)), [ON_ITS_WAY], None, Verdict.IN_FLIGHT, id="our-words-much-later"
        ),
        pytest.param(POST, [ON_ITS_WAY], KNOWN, Verdict.KNOWN, id="reported-before-the-send"),
        pytest.param(POST, [], None, Verdict.UNGATED, id="nobody-knows-it"),
        pytest.param(replace(POST, text="🎂🎂🎂", media_count=0), [OURS], None, Verdict.EDITED, id="nothing-but-emoji-left"),
        pytest.param(replace(POST, id="8", history=(), text=""), [OURS], None, Verdict.UNGATED, id="a-picture-without-words"),
        pytest.param(replace(POST, author=""), [], None, Verdict.UNGATED, id="author-not-told-or-deleted"),
        pytest.param(replace(POST, author="777"), [], None, Verdict.VISITOR, id="a-visitor"),
        pytest.param(replace(POST, created_at=BEGAN - timedelta(seconds=1)), [], None, Verdict.BEFORE, id="there-before"),
        pytest.param(replace(POST, created_at=OLDER.posted_at), [], OLDER, Verdict.BEFORE, id="there-before-and-known"),
        pytest.param(replace(POST, text="Now this"), [], OLDER, Verdict.CHANGED, id="there-before-and-changed"),
        pytest.param(POST, [], KNOWN, Verdict.KNOWN, id="reported-and-unchanged"),
        pytest.param(EDIT, [], KNOWN, Verdict.CHANGED, id="reported-and-changed-again"),
        pytest.param(POST, [], replace(KNOWN, reported=False), Verdict.UNGATED, id="held-back-until-the-send-was-settled"),
    ],
)  # fmt: skip
def test_each_post_is_what_the_table_says(
    post: RemotePost, ours: list[Ours], known: Known | None, wanted: Verdict
) -> None:
    assert verdict(post, *ours, known=known) is wanted


def test_an_edit_keeps_the_number_under_which_the_post_is_known() -> None:
    def key(post: RemotePost, *ours: Ours, known: Known | None = None) -> str:
        return judge(post, account="42", began_at=BEGAN, known=known, ours=ours, canonical=comparable).key

    assert key(EDIT, OURS) == "7"
    assert key(EDIT, known=KNOWN) == "7"
    assert key(EDIT) == "7"
    assert key(replace(POST, id="42_7", history=()), OURS) == "42_7"


def test_each_wording_has_a_digest_of_its_own() -> None:
    def about(post: RemotePost) -> str:
        return judge(post, account="42", began_at=BEGAN, known=None, ours=[], canonical=comparable).about

    assert about(POST) == about(replace(POST, id="8", text="Harvest 🎃\n"))
    assert (
        len({about(POST), about(EDIT), about(replace(POST, media_count=0)), about(replace(POST, text="\ud83d"))}) == 4
    )
