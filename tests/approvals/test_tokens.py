import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from approvals.errors import AuthorCannotDecide, LinkExpired, LinkSpent, LinkUnknown, RequestClosed
from approvals.requests import expire_due, void_requests
from approvals.tables import ApprovalToken
from approvals.tokens import DECIDE, drop_old_views, mint, open_link, view
from tests.approvals.room import AUTHOR, HEAD, Room


def test_a_link_opens_its_request(room: Room) -> None:
    request = room.ask()
    token = room.link(request)
    with room.db.read() as session:
        opened = open_link(session, token, purpose=DECIDE, now=room.clock.now())
        seen = view(session, opened.view_secret, now=room.clock.now())
    assert (opened.request_id, opened.expires_at) == (request.id, request.expires_at)
    assert (seen.request.id, seen.person_id, seen.proved, seen.proof_method) == (request.id, HEAD, False, None)


def test_opening_a_link_a_thousand_times_writes_nothing(room: Room) -> None:
    """Mail scanners open every link, many times. The database is even told to refuse every write meanwhile."""
    token = room.link(room.ask())
    before = room.everything()
    with room.db.engine.connect() as watcher:
        version = "PRAGMA data_version" if room.db.is_sqlite else "SELECT pg_current_xact_id_if_assigned()"
        seen_version = watcher.execute(text(version)).scalar()
        watcher.rollback()
        with room.db.read() as session:
            session.execute(text("PRAGMA query_only = ON" if room.db.is_sqlite else "SET TRANSACTION READ ONLY"))
            secrets = {open_link(session, token, purpose=DECIDE, now=room.clock.now()).view_secret for _ in range(1000)}
            for secret in secrets:
                assert not view(session, secret, now=room.clock.now()).proved
            if room.db.is_sqlite:
                session.execute(text("PRAGMA query_only = OFF"))
        assert watcher.execute(text(version)).scalar() == seen_version
    assert room.everything() == before
    assert len(secrets) == 1


def test_no_secret_is_kept_and_the_cookie_is_not_the_token(room: Room) -> None:
    request = room.ask()
    token = room.link(request)
    proved = room.proved(request)
    stored = str(room.everything())
    secret = room.opened(token)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert len({token, secret, proved}) == 3
    assert not any(hidden in stored for hidden in (token, secret, proved))
    with pytest.raises(LinkUnknown):
        room.opened(secret)  # the cookie is no link


def test_a_request_may_have_several_links_and_each_works(room: Room) -> None:
    request = room.ask()
    first, second = room.link(request), room.link(request)
    assert first != second
    assert room.opened(first) != room.opened(second)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: t[1:], lambda t: t + "A", lambda t: "", lambda t: t * 99]
)
def test_a_truncated_or_lengthened_link_is_unknown(room: Room, spoil) -> None:  # noqa: ANN001 - a lambda above
    token = room.link(room.ask())
    with pytest.raises(LinkUnknown, match="open it from the e-mail again"):
        room.opened(spoil(token))


@pytest.mark.parametrize("forged", ["A" * 43, "\ud800" * 43, "é" * 43, "' OR 1=1 --", "\x00" * 43])
def test_a_forged_link_is_unknown(room: Room, forged: str) -> None:
    room.link(room.ask())
    with room.db.read() as session:
        with pytest.raises(LinkUnknown):
            open_link(session, forged, purpose=DECIDE, now=room.clock.now())
        with pytest.raises(LinkUnknown):
            view(session, forged, now=room.clock.now())


def test_a_link_serves_one_purpose(room: Room) -> None:
    token = room.link(room.ask())
    with room.db.read() as session, pytest.raises(LinkUnknown):
        open_link(session, token, purpose="read", now=room.clock.now())


def test_a_link_for_deciding_is_never_made_for_the_author(room: Room) -> None:
    request = room.ask()
    with room.db.begin() as session, pytest.raises(AuthorCannotDecide):
        mint(session, request=request, person_id=AUTHOR, purpose=DECIDE, now=room.clock.now())


def test_a_link_ends_with_the_time_to_decide(room: Room) -> None:
    token = room.link(room.ask())
    secret = room.opened(token)
    room.clock.advance(hours=5)
    with pytest.raises(LinkExpired, match=r"ended on Monday 23 November 2026 at 14:00\."):
        room.opened(token)
    with room.db.read() as session, pytest.raises(LinkExpired):
        view(session, secret, now=room.clock.now())
    with room.db.begin() as session:
        expire_due(session, room.clock.now())
    with pytest.raises(LinkExpired):
        room.opened(token)


def test_a_decision_spends_every_link_and_tells_the_outcome(room: Room) -> None:
    request = room.ask()
    other = room.link(request)
    proved = room.proved(request)
    unproved = room.opened(other)
    room.decide(proved)
    for call in (lambda: room.opened(other), lambda: _view(room, unproved), lambda: _view(room, proved)):
        with pytest.raises(LinkSpent) as refused:
            call()
        assert refused.value.outcome == "This post was approved on Monday 23 November 2026 at 09:00."
        assert refused.value.request_id == request.id


def test_a_newer_version_spends_the_link(room: Room) -> None:
    token = room.link(room.ask())
    room.ask(version_ref="version:35", digest="cd" * 32)
    with pytest.raises(LinkSpent, match="A newer version took its place"):
        room.opened(token)


def test_a_voided_request_spends_the_link(room: Room) -> None:
    token = room.link(room.ask())
    with room.db.begin() as session:
        void_requests(session, "post:12", reason="The author took the post back.", now=room.clock.now())
    with pytest.raises(LinkSpent, match=r"closed on Monday 23 November 2026 at 09:00\. The author took the post back"):
        room.opened(token)


def test_a_link_closed_by_hand_is_unknown(room: Room) -> None:
    token = room.link(room.ask())
    room.run("UPDATE approval_token SET closed_at = created_at")
    with pytest.raises(LinkUnknown):
        room.opened(token)


def test_cannot_mint_a_link_for_a_settled_or_overdue_request(room: Room) -> None:
    request = room.ask()
    with room.db.begin() as session:
        void_requests(session, "post:12", reason="Taken back.", now=room.clock.now())
    with room.db.begin() as session:
        settled = session.get_one(type(request), request.id)
        with pytest.raises(RequestClosed):
            mint(session, request=settled, person_id=HEAD, purpose=DECIDE, now=room.clock.now())
    late = room.ask()
    room.clock.advance(hours=5)
    with room.db.begin() as session, pytest.raises(RequestClosed, match="Nobody decided by"):
        mint(session, request=late, person_id=HEAD, purpose=DECIDE, now=room.clock.now())


def test_old_views_are_forgotten_and_live_ones_kept(room: Room) -> None:
    now = room.clock.now()
    room.proved(room.ask(subject="post:1", expires_at=now + timedelta(hours=1)))
    room.enter(room.opened(room.link(room.ask(subject="post:2", expires_at=now + timedelta(hours=9)))))
    room.clock.advance(hours=1)
    with room.db.begin() as session:
        assert drop_old_views(session, room.clock.now()) == 1
        assert drop_old_views(session, room.clock.now()) == 0
    assert room.rows()["approval_view"] == 1


def test_only_hashes_of_links_are_in_the_table(room: Room) -> None:
    token = room.link(room.ask())
    with room.db.read() as session:
        row = session.query(ApprovalToken).one()
        assert row.token_hash != token
        assert len(row.token_hash) == len(row.view_hash) == 64


def _view(room: Room, secret: str) -> object:
    with room.db.read() as session:
        return view(session, secret, now=room.clock.now())
