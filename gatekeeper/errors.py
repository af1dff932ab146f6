"""The errors of the gatekeeper room. Callers catch these, never a library's.

GatekeeperError
├── SettingsError            the process cannot start as it is configured
├── NotFound                 there is no such thing, or not for this person
├── NotAllowed               this person may not do this
├── BadInput                 what was given cannot be used; carries a sentence per field
├── Conflict                 somebody or something was quicker; look again
└── NotScanned               a photo could not be looked at in full, so nobody may call it clean
"""

from collections.abc import Mapping


class GatekeeperError(Exception):
    """Something was refused. The text is a sentence that may be shown to the person who asked."""


class SettingsError(GatekeeperError):
    """The process cannot start as it is configured; the text names the setting."""


class NotFound(GatekeeperError):
    """There is no such thing, or none that this person may see."""


class NotAllowed(GatekeeperError):
    """This person may not do this."""


class BadInput(GatekeeperError):
    """What was given cannot be used. `fields` ties each sentence to the field it is about."""

    def __init__(self, sentence: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.fields = dict(fields or {})


class Conflict(GatekeeperError):
    """Somebody or something was quicker: the thing is no longer as it was shown."""


class NotScanned(GatekeeperError):
    """A photo could not be looked at in full. It blocks; it never counts as a photo without faces."""
