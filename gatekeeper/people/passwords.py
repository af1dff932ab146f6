"""Passwords: long rather than odd, kept as argon2id, and never more than two computed at once.

One computation takes 64 MiB and a good part of a second of a processor; without the limit a handful of sign-ins at
once would be a way to stop the site.
"""

import threading
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatekeeper.errors import BadInput

SHORTEST: Final = 12
LONGEST: Final = 200
_HASHER: Final = PasswordHasher()
_AT_ONCE: Final = threading.BoundedSemaphore(2)

#: what people type first when asked for twelve characters; compared without spaces, signs and case
_COMMON: Final = frozenset(
    """password1234 passwordpassword password12345 password123456 passw0rd1234 123456789012 1234567890123
    12345678901234 123456789123 1234567891011 123123123123 111111111111 000000000000 121212121212 qwertyuiop12
    qwertyuiop123 qwertyuiopas qwertyuiopasdf qwertyqwerty qwerty123456 qwerty1234567 asdfghjkl123 asdfghjklzxc
    1q2w3e4r5t6y 1q2w3e4r5t6y7u qazwsxedcrfv letmeinletmein letmein12345 letmeinplease welcome12345 welcomewelcome
    welcome123456 iloveyou1234 iloveyouiloveyou administrator administrator1 adminadminadmin admin1234567 changeme1234
    changemechangeme football1234 liverpool1234 sunshine1234 princess1234 charlie12345 schoolschool school123456
    school1234567 primaryschool headteacher1 headteacher12 headteacher123 teacherteacher teacher12345 gatekeeper12
    gatekeeper123 gatekeeper1234 gatekeepergatekeeper correcthorsebatterystaple abcdefghijkl abcdefghijklm abc123abc123
    monkeymonkey dragondragon trustno1trustno1 summer202526 winter202526 september2026 november2026""".split()  # noqa: SIM905 - a list of words reads best as words
)


def check_usable(password: str, *, name: str, email: str, field: str = "password") -> None:
    """Refuse a password that would be guessed.

    Raises:
        BadInput: with the reason, tied to `field`.
    """
    plain = "".join(c for c in _normal(password).casefold() if c.isalnum())
    sentence = ""
    if len(password) < SHORTEST:
        sentence = f"Please use at least {SHORTEST} characters; three or four words in a row are good."
    elif len(password) > LONGEST:
        sentence = f"Please use at most {LONGEST} characters."
    elif plain in _COMMON or len(set(plain)) < 5:  # noqa: PLR2004 - fewer different letters are a pattern
        sentence = "This is one of the first passwords that anybody would try. Please choose another."
    elif plain and _without_own_words(plain, name=name, email=email):
        sentence = "This is mostly your own name or address. Please choose something nobody connects with you."
    if sentence:
        raise BadInput(sentence, fields={field: sentence})


def _without_own_words(plain: str, *, name: str, email: str) -> bool:
    rest = plain
    words = [*name.casefold().split(), *email.casefold().replace("@", ".").split(".")]
    for word in sorted(("".join(c for c in w if c.isalnum()) for w in words), key=len, reverse=True):
        if len(word) > 2:  # noqa: PLR2004 - initials say nothing
            rest = rest.replace(word, "")
    return rest != plain and len(rest) < 6  # noqa: PLR2004 - a year or "123" is no addition


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)  # one key press is one password on every computer


def hash_password(password: str) -> str:
    """What is stored instead of the password."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of an account that does not exist")


def is_password(stored: str | None, password: str) -> bool:
    """Whether this is the password. Where there is none to compare with, it takes as long to say no."""
    if len(password) > LONGEST:
        return False
    with _AT_ONCE:
        try:
            matched = _HASHER.verify(stored or _nobodys_hash(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return matched and stored is not None
