import subprocess
import sys

import pytest

from gatekeeper.errors import BadInput
from gatekeeper.people.passwords import LONGEST, check_usable, hash_password, is_password


def refused(password: str) -> str:
    with pytest.raises(BadInput) as caught:
        check_usable(password, name="Margaret Okafor", email="m.okafor@hillside.example")
    return caught.value.fields["password"]


@pytest.mark.parametrize("password", ["", "short", "eleven char"])
def test_cannot_choose_a_short_password(password: str) -> None:
    assert "at least 12 characters" in refused(password)


def test_cannot_choose_an_endless_password() -> None:
    assert "at most" in refused("ab cd ef gh " * LONGEST)


@pytest.mark.parametrize(
    "password", ["Password-1234", "qwerty123456!", "aaaaaaaaaaaaaa", "1212 1212 1212", "Head Teacher 123"]
)
def test_cannot_choose_what_everybody_tries_first(password: str) -> None:
    assert "first passwords" in refused(password)


@pytest.mark.parametrize("password", ["MargaretOkafor", "Okafor-Margaret-26", "okafor.hillside!"])
def test_cannot_choose_ones_own_name_or_address(password: str) -> None:
    assert "your own name" in refused(password)


@pytest.mark.parametrize("password", ["three quiet green hills", "margaret likes loud bassoons", "Tr4-la-lä-Ω-okay"])
def test_long_and_unguessed_passwords_are_fine(password: str) -> None:
    check_usable(password, name="Margaret Okafor", email="m.okafor@hillside.example")


def test_the_same_keys_on_another_computer_are_the_same_password() -> None:
    stored = hash_password("caf\u00e9 caf\u00e9 caf\u00e9")
    assert "caf" not in stored
    assert is_password(stored, "cafe\u0301 cafe\u0301 cafe\u0301")
    assert not is_password(stored, "cafe cafe cafe")


def test_nobody_signs_in_where_no_password_is_set() -> None:
    assert not is_password(None, "the password of an account that does not exist")
    assert not is_password("not a hash", "three quiet green hills")
    assert not is_password(hash_password("x" * 12), "x" * (LONGEST + 1))


def test_what_is_kept_is_slow_to_guess() -> None:
    """RFC 9106's second choice at the least. Asked in a process of its own: the tests themselves use a quick one."""
    ask = (
        "from approvals import proofs; from gatekeeper.people import passwords; "
        "print(*(f'{h.memory_cost} {h.time_cost} {h.parallelism} {h.type.name}' for h in (proofs._HASHER, passwords._HASHER)))"
    )
    told = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    for memory, rounds, lanes, kind in (told[:4], told[4:]):
        assert int(memory) >= 64 * 1024
        assert int(rounds) >= 3
        assert int(lanes) >= 1
        assert kind == "ID"
