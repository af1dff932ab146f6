"""What a person may paste to name a post: every form that LinkedIn shows, and nothing that only looks like one."""

import pytest

from gatekeeper.errors import BadInput
from gatekeeper.workflow.named_post import permalink_in, remote_id_in

N = "7141138937766391808"
SITE = "https://www.linkedin.com"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/status/190012",
        "https://x.com.evil.example/status/190012",
        "https://x.com@evil.example/190012",
        "https://facebook.com/111/posts/190012",
        "javascript:alert(1)//190012",
        "javascript://x.com/%0aalert(1)//190012",
        "https://[evil/190012",
    ],
)
def test_cannot_have_the_headteacher_mailed_an_address_elsewhere(link: str) -> None:
    with pytest.raises(BadInput, match="no address on X"):
        permalink_in(link, kind="x")


def test_a_bare_number_names_a_post_and_is_no_address() -> None:
    assert permalink_in("190012", kind="x") == ""
    assert permalink_in("x.com/school/status/1", kind="x") == "https://x.com/school/status/1"
    local = "http://127.0.0.1:9/i/web/status/1"
    assert permalink_in(local, kind="x", also=("", "http://127.0.0.1:9")) == local


@pytest.mark.parametrize(
    ("pasted", "names"),
    [
        (f"{SITE}/feed/update/urn:li:share:{N}", f"urn:li:share:{N}"),
        (f"{SITE}/feed/update/urn:li:ugcPost:{N}/", f"urn:li:ugcPost:{N}"),
        (f"{SITE}/feed/update/urn:li:activity:{N}/?utm_source=share", f"urn:li:activity:{N}"),
        (f"{SITE}/feed/update/urn%3Ali%3Ashare%3A{N}/", f"urn:li:share:{N}"),
        (f"{SITE}/embed/feed/update/urn:li:share:{N}", f"urn:li:share:{N}"),
        (f"{SITE}/posts/merrowfold-primary_harvest-activity-{N}-AbC1", f"urn:li:activity:{N}"),
        (f"{SITE}/posts/merrowfold-primary_sports-day-share-{N}-x_Y-/", f"urn:li:share:{N}"),
        (f"{SITE}/posts/merrowfold-primary-ugcPost-{N}", f"urn:li:ugcPost:{N}"),
        (f"{SITE}/posts/our-activity-2026-share-{N}-AbC1?rcm=ACoAAB", f"urn:li:share:{N}"),
        (f"uk.linkedin.com/posts/school_activity-activity-{N}-AbC1", f"urn:li:activity:{N}"),
        (f" urn:li:share:{N} ", f"urn:li:share:{N}"),
    ],
    ids=["share", "ugc", "activity", "escaped", "embed", "copied", "copied share", "copied ugc", "two", "uk", "bare"],
)
def test_every_form_in_which_linkedin_names_a_post_is_understood(pasted: str, names: str) -> None:
    assert remote_id_in(pasted, kind="linkedin") == names
    permalink_in(pasted.strip(), kind="linkedin")


@pytest.mark.parametrize(
    "pasted",
    [
        f"{SITE}/company/2001",
        f"{SITE}/in/somebody/recent-activity/{N}",
        f"{SITE}/posts/our-activity-2026-photos",
        f"{SITE}/posts/school-activity-{N}-AbC1/comments/{N}",
        f"{SITE}/posts/school-comment-{N}-AbC1",
        f"{SITE}/feed/update/urn:li:groupPost:{N}",
        f"{SITE}/feed/update/urn:li:share:{N}/../{N}",
        f"{SITE}/jobs/view/{N}",
        f"{SITE}/feed/?highlightedUpdateUrn=urn:li:share:{N}",
        f"{SITE}/safety/go?url=/feed/update/urn:li:share:{N}",
        f"{SITE}/#/feed/update/urn:li:share:{N}",
        "urn:li:person:AbC",
        "urn:li:share:٧١٤",
        N,
        "",
        "https://[evil/190012",
    ],
)
def test_cannot_name_a_post_with_what_only_looks_like_its_address(pasted: str) -> None:
    with pytest.raises(BadInput, match="Copy link to post"):
        remote_id_in(pasted, kind="linkedin")


def test_who_copied_an_address_is_not_handed_on() -> None:
    copied = f"{SITE}/posts/school-share-{N}-AbC1"
    assert permalink_in(f"{copied}?utm_source=share&rcm=ACoAAB#top", kind="linkedin") == copied
    assert permalink_in(f"urn:li:share:{N}", kind="linkedin") == ""


FB = "https://www.facebook.com"
VEILED = "pfbid02GmLpBXaSDrhgsbJgDGaqyWe9eUhGcxg3Bm1wqRq1tGvBk5cYs3rPBDtE7mDM9iLl"


@pytest.mark.parametrize(
    ("pasted", "kind", "names"),
    [
        ("https://x.com/school/status/190012?s=20", "x", "190012"),
        ("https://x.com/school/status/190012/photo/1", "x", "190012"),
        ("https://x.com/i/web/status/190012", "x", "190012"),
        ("x.com/i/status/190012/", "x", "190012"),
        ("http://127.0.0.1:9/i/web/status/190012", "x", "190012"),
        ("190012", "x", "190012"),
        (f"{FB}/111/posts/111_456/", "facebook", "111_456"),
        (f"{FB}/111_456", "facebook", "111_456"),
        ("111_456", "facebook", "111_456"),
        ("456", "facebook", "111_456"),
        (f"{FB}/111/posts/456", "facebook", "111_456"),
        (f"{FB}/merrowfold.primary/posts/456?ref=share", "facebook", "111_456"),
        (f"{FB}/merrowfold/posts/our-harvest-table-is-full/456/", "facebook", "111_456"),
        (f"{FB}/permalink.php?story_fbid=456&id=61550000000001", "facebook", "111_456"),
        (f"{FB}/merrowfold/posts/{VEILED}", "facebook", VEILED),
        (f"{FB}/permalink.php?story_fbid={VEILED}&id=111", "facebook", VEILED),
    ],
)
def test_the_other_platforms_name_a_post_by_its_number(pasted: str, kind: str, names: str) -> None:
    assert remote_id_in(pasted, kind=kind, account="111") == names


@pytest.mark.parametrize(
    ("pasted", "kind", "says"),
    [
        ("https://x.com/school", "x", "/status/ and a number"),
        ("https://x.com/school/status/190012/likes/3", "x", "/status/ and a number"),
        ("https://x.com/i/190012", "x", "/status/ and a number"),
        ("https://x.com/school/photo/1", "x", "/status/ and a number"),
        ("I saw it, number 12", "x", "/status/ and a number"),
        (FB, "facebook", "story_fbid"),
        (f"{FB}/merrowfold", "facebook", "story_fbid"),
        (f"{FB}/photo/?fbid=122&set=a.345", "facebook", "story_fbid"),
        (f"{FB}/permalink.php?id=111", "facebook", "story_fbid"),
        (f"{FB}/merrowfold/posts/pfbid1", "facebook", "story_fbid"),
        (f"{FB}/share/p/1AbCdEfGh/", "facebook", "story_fbid"),
        (f"{FB}/merrowfold/posts/456/comments/9", "facebook", "story_fbid"),
        ("222_456", "facebook", "another Facebook Page"),
    ],
)
def test_cannot_name_a_post_by_another_things_number(pasted: str, kind: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        remote_id_in(pasted, kind=kind, account="111")
