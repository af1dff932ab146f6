"""What can be said about a channel without asking its platform: its keys, its limits, its place in the registry."""

import pytest

from gatekeeper.channels.base import Channel, Credentials, MediaItem, RenderedPost
from gatekeeper.channels.registry import KINDS, build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.errors import SettingsError

JPEG = b"\xff\xd8\xff\xe0"
SECRETS = {
    "x": {"consumer_key": "ck", "consumer_secret": "cs", "access_token": "42-at", "access_token_secret": "ats"},
    "facebook": {"access_token": "token", "app_id": "900", "app_secret": "secret"},
    "linkedin": {"access_token": "token", "client_id": "client", "client_secret": "secret"},
}
ACCOUNTS = {"x": "42", "facebook": "111", "linkedin": "2001"}


def build(kind: str, **more: str) -> Channel:
    credentials = Credentials(kind, ACCOUNTS[kind], SECRETS[kind])
    return build_channel(credentials, clock=SystemClock(), base_url="http://127.0.0.1:9", **more)


def photo(*, data: bytes = JPEG, mime: str = "image/jpeg", alt: str = "A field") -> MediaItem:
    return MediaItem(data=data, mime=mime, alt=alt)


def fields(kind: str, text: str, *media: MediaItem) -> list[str]:
    return [violation.field for violation in build(kind).validate(RenderedPost(text), media)]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_channel_is_built_from_exactly_the_secrets_it_asks_for(kind: str) -> None:
    assert {secret.name for secret in KINDS[kind].secrets} == set(SECRETS[kind])
    channel = build(kind)
    assert (channel.kind, channel.account_id) == (kind, ACCOUNTS[kind])
    assert KINDS[kind].limits.images == 4


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in SECRETS for name in SECRETS[kind]])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_cannot_be_built_without_one_of_its_secrets(kind: str, name: str, value: str | None) -> None:
    secrets = {key: kept for key, kept in SECRETS[kind].items() if key != name}
    if value is not None:
        secrets[name] = value
    with pytest.raises(SettingsError, match=name):
        build_channel(Credentials(kind, ACCOUNTS[kind], secrets), clock=SystemClock())


def test_cannot_be_built_for_an_unknown_platform() -> None:
    with pytest.raises(SettingsError, match="myspace"):
        build_channel(Credentials("myspace", "1", {}), clock=SystemClock())


def test_cannot_be_built_with_a_token_of_another_x_account() -> None:
    with pytest.raises(SettingsError, match="42"):
        build_channel(Credentials("x", "43", SECRETS["x"]), clock=SystemClock())


@pytest.mark.parametrize("account", ["", "springfield-school", "111/feed", "../111"])
def test_cannot_be_built_for_a_page_that_is_not_a_number(account: str) -> None:
    with pytest.raises(SettingsError):
        build_channel(Credentials("facebook", account, SECRETS["facebook"]), clock=SystemClock())


@pytest.mark.parametrize("version", ["26.0", "v26", "v2.8", "v26.0/111", "latest"])
def test_cannot_be_built_for_a_version_that_is_none(version: str) -> None:
    with pytest.raises(SettingsError):
        build("facebook", api_version=version)


def test_a_built_channel_speaks_the_version_it_is_told() -> None:
    build("facebook", api_version="v25.0")
    build("x", api_version="2")
    with pytest.raises(SettingsError):
        build("x", api_version="1.1")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_credentials_survive_sealing_and_never_show(kind: str) -> None:
    credentials = Credentials(kind, ACCOUNTS[kind], SECRETS[kind])
    assert Credentials.from_json(credentials.to_json()) == credentials
    for secret in ("ats", "token", "secret'"):
        assert secret not in repr(credentials)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "x"}', '{"kind": "x", "account_id": "1", "secrets": 5}'])
def test_cannot_read_credentials_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Credentials.from_json(text)
    assert text == "" or text not in str(raised.value)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_accepts_an_ordinary_post(kind: str) -> None:
    assert fields(kind, "Sports day is on Friday.\nBring water! ☀️", photo(), photo(alt="")) == []
    assert fields(kind, "", photo()) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_refuses_what_the_platform_would_refuse_or_silently_change(kind: str) -> None:
    assert fields(kind, " \n ") == ["text"]
    assert fields(kind, "a\ufeffb") == fields(kind, "a\x00b") == fields(kind, "a\ud800b") == ["text"]
    assert fields(kind, "a", *[photo()] * 5) == ["images"]
    assert fields(kind, "a", photo(), photo(mime="image/png")) == ["images[1]"]
    assert fields(kind, "a", photo(data=b"\x89PNG")) == ["images[0]"]
    assert fields(kind, "a", photo(data=JPEG + bytes(2_000_000))) == ["images[0]"]
    assert fields(kind, "a", photo(alt="a" * 1000)) == []
    assert fields(kind, "a", photo(alt="a" * 1001)) == ["images[0].alt"]
    assert fields(kind, "a", photo(alt="😀" * 501)) == ["images[0].alt"]


def test_counts_words_as_x_does() -> None:
    assert fields("x", "a" * 280) == []
    assert fields("x", "a" * 281) == ["text"]
    assert fields("x", "字" * 140) == []
    assert fields("x", "字" * 141) == ["text"]
    assert fields("x", "a" * 256 + " https://school.org.uk/" + "long/" * 50) == []


def test_counts_words_for_facebook_by_our_own_cap() -> None:
    assert fields("facebook", "a" * 5000) == []
    assert fields("facebook", "a" * 5001) == ["text"]
