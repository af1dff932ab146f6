import pytest

from gatekeeper.channels.seal import make_keypair, seal, unseal
from gatekeeper.errors import SettingsError

PUBLIC, PRIVATE = make_keypair()
SEALED = seal(PUBLIC, b"the page token", context="channel_account:7:sealed")


def test_what_is_sealed_opens_with_the_other_half_alone() -> None:
    assert unseal(PRIVATE, SEALED, context="channel_account:7:sealed") == b"the page token"
    with pytest.raises(SettingsError):
        unseal(make_keypair()[1], SEALED, context="channel_account:7:sealed")


def test_it_never_looks_the_same_twice() -> None:
    assert seal(PUBLIC, b"x", context="c") != seal(PUBLIC, b"x", context="c")


def test_keys_moved_to_another_row_do_not_open() -> None:
    with pytest.raises(SettingsError):
        unseal(PRIVATE, SEALED, context="channel_account:8:sealed")


@pytest.mark.parametrize(
    "broken",
    ["", "s1", "s1..", "s2" + SEALED[2:], SEALED[:-6] + "AAAAA=", "s1.AAAA.AAAA", "s1.é.é"],
    ids=["nothing", "kind", "empty", "another-kind", "changed", "made-up", "no-base64"],
)
def test_what_was_changed_does_not_open_and_is_not_repeated(broken: str) -> None:
    with pytest.raises(SettingsError) as caught:
        unseal(PRIVATE, broken, context="channel_account:7:sealed")
    assert not broken or broken not in str(caught.value)


@pytest.mark.parametrize("key", ["", "short", "AAAA", "é" * 43])
def test_what_is_no_key_is_refused_by_the_name_of_the_setting(key: str) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_SEAL_PUBLIC"):
        seal(key, b"x", context="c")
    with pytest.raises(SettingsError, match="GATEKEEPER_SEAL_KEY"):
        unseal(key, SEALED, context="c")
