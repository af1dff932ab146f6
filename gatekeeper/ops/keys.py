"""Makes the keys of a new installation, and gives each process only its own.

The keys stand in the data folder's `keys/`, one file each, readable by their owner alone. Whoever holds the seal key
can post in the school's name, whoever holds the mail password can write as the school: so the supervisor strips its
own environment of every secret before it adds back those of the process it starts.
"""

import secrets
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from gatekeeper.errors import SettingsError
from gatekeeper.ops.key_files import write_key
from gatekeeper.ops.ledger_keys import ensure_ledger_key
from gatekeeper.settings import ALL_SECRETS, SECRETS, Settings, load_settings

#: what only a process with the database needs to know
_OF_THE_DATABASE = ("DATABASE_URL", "GATEKEEPER_DATABASE_URL", "REDIS_URL", "GATEKEEPER_REDIS_URL")


def ensure_keys(settings: Settings, environ: Mapping[str, str]) -> None:
    """Make the keys that are neither in the environment nor in the data folder yet.

    Raises:
        SettingsError: one half of the seal pair is there without the other, or the ledger's key is not what it was.
    """
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _given("WEB_KEY", environ, settings.keys):
        write_key(settings.keys / "web_key", secrets.token_urlsafe(48))
    ensure_ledger_key(settings, environ)
    if not _given("TEMPLATE_KEY", environ, settings.keys):
        from gatekeeper.faces.template_seal import make_key

        write_key(settings.keys / "template_key", make_key())
    private = _given("SEAL_KEY", environ, settings.keys)
    public = bool(environ.get("GATEKEEPER_SEAL_PUBLIC")) or (settings.keys / "seal.pub").is_file()
    if private and public:
        return
    if private or public:
        missing = "GATEKEEPER_SEAL_PUBLIC" if private else "GATEKEEPER_SEAL_KEY"
        raise SettingsError(f"{missing} is missing: the two halves of the seal pair belong together.")
    from gatekeeper.channels.seal import make_keypair

    public_half, secret_half = make_keypair()
    write_key(settings.keys / "seal_key", secret_half)  # the public half last: with it alone nothing could be opened
    write_key(settings.keys / "seal.pub", public_half)


def rotate_templates(settings: Settings) -> None:
    """Put a new key of the face templates in front of those in the data folder; the old ones still open.

    The scanning process seals everything anew with it when it starts next.

    Raises:
        SettingsError: the keys do not stand in the data folder, so they are not ours to replace.
    """
    from gatekeeper.faces.template_seal import TemplateKeys, make_key

    path = settings.keys / "template_key"
    if not path.is_file():
        raise SettingsError(
            f"{path} is not there. Where the key comes from GATEKEEPER_TEMPLATE_KEY, put a new key in front of it there."
        )
    present = path.read_text().split()
    TemplateKeys(" ".join(present))
    write_key(path, " ".join([make_key(), *present]))


def environment_for(process: str, environ: Mapping[str, str], **changes: str) -> dict[str, str]:
    """The environment of one process of ours: everything told to all, and of the secrets only its own.

    Raises:
        SettingsError: one of its secrets is nowhere to be found.
    """
    told = {**environ, **changes}
    settings = load_settings(process, told)
    env = without_secrets(told)
    for name in SECRETS.get(process, ()):
        env[f"GATEKEEPER_{name}"] = settings.secret(name)
    return env


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a helper that needs no secret and no database: the queue server, the demo's mail sink."""
    return {name: value for name, value in without_secrets(environ).items() if name not in _OF_THE_DATABASE}


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What may be told to every process."""
    hidden = {f"GATEKEEPER_{name}{ending}" for name in ALL_SECRETS for ending in ("", "_FILE")}
    return {name: value for name, value in environ.items() if name not in hidden}


def strip_of_others(process: str, environ: MutableMapping[str, str]) -> None:
    """Take every other process's secrets out of an environment, where one file of settings was handed to all of them."""
    own = {f"GATEKEEPER_{name}{ending}" for name in SECRETS.get(process, ()) for ending in ("", "_FILE")}
    for name in set(environ) - set(without_secrets(environ)) - own:
        del environ[name]


def _given(name: str, environ: Mapping[str, str], keys: Path) -> bool:
    told = environ.get(f"GATEKEEPER_{name}") or environ.get(f"GATEKEEPER_{name}_FILE")
    return bool(told) or (keys / name.lower()).is_file()
