"""A template opens in its own place, with its own key, as it was sealed, and nowhere else."""

import base64

import numpy as np
import pytest

from gatekeeper.errors import SettingsError
from gatekeeper.faces.template_seal import CannotBeOpened, Place, TemplateKeys, make_key
from tests.factories.enrolled import numbers

HERE = Place(row=7, pupil=3)


@pytest.fixture
def keys() -> TemplateKeys:
    return TemplateKeys(make_key())


def test_what_was_sealed_opens_in_its_place(keys: TemplateKeys) -> None:
    encoding = np.random.default_rng(5).normal(0, 0.1, 128)
    opened = keys.open(keys.seal(encoding, HERE), HERE, key_id=keys.current)
    assert np.abs(opened - encoding).max() < 1e-6


@pytest.mark.parametrize(
    "elsewhere",
    [Place(row=8, pupil=3), Place(row=7, pupil=4), Place(row=7, pupil=3, engine="another")],
    ids=["another-row", "another-pupil", "another-engine"],
)
def test_cannot_be_opened_in_another_place(keys: TemplateKeys, elsewhere: Place) -> None:
    with pytest.raises(CannotBeOpened):
        keys.open(keys.seal(numbers(0.1), HERE), elsewhere, key_id=keys.current)


def test_cannot_be_opened_with_another_key(keys: TemplateKeys) -> None:
    other = TemplateKeys(make_key())
    sealed = keys.seal(numbers(0.1), HERE)
    for key_id in (keys.current, other.current, ""):
        with pytest.raises(CannotBeOpened):
            other.open(sealed, HERE, key_id=key_id)


@pytest.mark.parametrize("sealed", ["", "t1.", "t0.AAAA", "t1.not base64!", "t1.AAAA"])
def test_cannot_open_what_is_no_seal(keys: TemplateKeys, sealed: str) -> None:
    with pytest.raises(CannotBeOpened):
        keys.open(sealed, HERE, key_id=keys.current)


def test_one_changed_byte_shuts_it(keys: TemplateKeys) -> None:
    version, _, text = keys.seal(numbers(0.1), HERE).partition(".")
    raw = bytearray(base64.urlsafe_b64decode(text))
    raw[40] ^= 1
    with pytest.raises(CannotBeOpened):
        keys.open(f"{version}.{base64.urlsafe_b64encode(raw).decode()}", HERE, key_id=keys.current)


def test_the_same_numbers_never_look_the_same_and_hold_nothing_readable(keys: TemplateKeys) -> None:
    first, second = (keys.seal(numbers(0.1), HERE) for _ in range(2))
    assert first != second
    assert numbers(0.1).astype("<f4").tobytes() not in base64.urlsafe_b64decode(first.partition(".")[2])


def test_the_first_key_seals_and_the_others_still_open() -> None:
    old, new = make_key(), make_key()
    before = TemplateKeys(old)
    sealed = before.seal(numbers(0.1), HERE)
    both = TemplateKeys(f"{new}\n{old}")
    assert both.current == TemplateKeys(new).current
    assert both.open(sealed, HERE, key_id=before.current)[0] == pytest.approx(0.1)
    with pytest.raises(CannotBeOpened):
        TemplateKeys(new).open(sealed, HERE, key_id=before.current)


@pytest.mark.parametrize("text", ["", "  ", "short", make_key()[:-8]], ids=["none", "blank", "word", "cut"])
def test_cannot_start_with_what_is_no_key_and_it_is_not_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_TEMPLATE_KEY") as caught:
        TemplateKeys(text)
    assert not text.strip() or text not in str(caught.value)


def test_only_128_numbers_are_a_template(keys: TemplateKeys) -> None:
    with pytest.raises(ValueError, match="128"):
        keys.seal(np.zeros(64), HERE)
