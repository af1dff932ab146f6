"""What a process is told by its environment, read once. Nothing else reads the environment.

Each process gets only the secrets it needs: the key that opens platform tokens reaches `platform` and `publisher`
alone, the mail server's password `mail` alone, the key of the face templates `scan` alone; the key that signs the ledger
reaches whoever writes into it, and never the process that opens strangers' pictures. A secret comes from its variable, from
a file named by the same variable with `_FILE`, or from the data folder's `keys/`, where `gatekeeper run` and the demo
keep what they made.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from gatekeeper.errors import SettingsError

#: the secrets each process holds; a process not named here holds none
SECRETS: dict[str, tuple[str, ...]] = {
    "web": ("WEB_KEY", "LEDGER_KEY"),
    "scan": ("TEMPLATE_KEY",),  # opens children's face templates: nobody else ever can
    "mail": ("WEB_KEY", "SMTP_URL", "LEDGER_KEY"),  # the link in the e-mail is bound to the web's key
    "platform": ("SEAL_KEY", "LEDGER_KEY"),
    "publisher": ("SEAL_KEY", "LEDGER_KEY"),
    "users": ("LEDGER_KEY",),  # `gatekeeper users add`: who may decide stands in the ledger
    "evidence": ("LEDGER_KEY",),  # `gatekeeper evidence export`: seals the bundle, writes no entry
}
ALL_SECRETS = ("WEB_KEY", "SMTP_URL", "SEAL_KEY", "TEMPLATE_KEY", "LEDGER_KEY")


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How long the publish machine waits; a drill shrinks all of them by one factor."""

    lease: timedelta = timedelta(seconds=60)
    settle: timedelta = timedelta(seconds=120)
    reads: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
    )
    wire: float = 20.0  # seconds one platform call may take
    poll: float = 0.5  # seconds between two looks at what is due
    again: timedelta = timedelta(seconds=10)  # the first pause after a try that certainly sent nothing; it doubles

    def shrunk(self, factor: float) -> "Timings":
        """The same machine, `factor` times faster."""
        return Timings(
            lease=self.lease / factor,
            settle=self.settle / factor,
            reads=tuple(pause / factor for pause in self.reads),
            wire=max(1.0, self.wire / factor),
            poll=max(0.05, self.poll / factor),
            again=self.again / factor,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One process's settings."""

    process: str
    data: Path
    database_url: str
    redis_url: str
    public_url: str
    host: str
    port: int
    mail_from: str
    bounce_to: str = ""  # where mail servers report what they could not deliver; empty: to mail_from
    trusted_proxies: int = 0
    demo: bool = False
    platform_url: str = ""  # the simulator; loopback only. Empty means the real platforms
    simulator_page: str = ""
    mail_page: str = ""
    graph_version: str = "v26.0"
    linkedin_version: str = "202607"
    seal_public: str = ""  # the public half: with it tokens can be locked away, never read
    ledger_public: tuple[str, ...] = ()  # of every key that ever signed the ledger; the present one is the last
    backup_folder: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    timings: Timings = field(default_factory=Timings)

    @property
    def keys(self) -> Path:
        """The folder of key files."""
        return self.data / "keys"

    @property
    def media(self) -> Path:
        """The folder of originals and renditions."""
        return self.data / "media"

    @property
    def backups(self) -> Path:
        """The folder of the nightly backups."""
        return self.backup_folder or self.data / "backups" / "nightly"

    @property
    def secure(self) -> bool:
        """Whether staff reach the site over https."""
        return self.public_url.startswith("https://")

    def secret(self, name: str) -> str:
        """A secret this process may hold.

        Raises:
            SettingsError: it is missing, or not this process's to hold.
        """
        if name not in SECRETS.get(self.process, ()):
            raise SettingsError(f"The {self.process} process may not hold {name}.")
        value = self.secrets.get(name)
        if not value:
            raise SettingsError(f"GATEKEEPER_{name} is missing: set it, or GATEKEEPER_{name}_FILE.")
        return value


def load_settings(process: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of one process from the environment.

    Raises:
        SettingsError: a setting cannot be used; the text names it.
    """
    env = os.environ if environ is None else environ

    def get(name: str, default: str = "") -> str:
        return env.get(f"GATEKEEPER_{name}", default)

    data = Path(get("DATA", "data")).expanduser().resolve()
    host, port = get("HOST", "127.0.0.1"), _number("PORT", env.get("PORT") or get("PORT", "8000"))
    public_url = get("URL", f"http://localhost:{port}").rstrip("/")
    _check_address(host, public_url)
    platform_url = get("PLATFORM_URL")
    if platform_url and not _is_loopback(urlsplit(platform_url).hostname or ""):
        raise SettingsError("GATEKEEPER_PLATFORM_URL is for the simulator and must be a loopback address.")
    secrets = {name: value for name in SECRETS.get(process, ()) if (value := secret_of(name, env, data))}
    seal_public = get("SEAL_PUBLIC") or _read(data / "keys" / "seal.pub")
    factor = _number("SPEED", get("SPEED", "1"))
    return Settings(
        process=process,
        data=data,
        database_url=_database_url(env.get("DATABASE_URL") or get("DATABASE_URL"), data),
        redis_url=env.get("REDIS_URL") or get("REDIS_URL") or f"unix://{data / 'run' / 'valkey.sock'}",
        public_url=public_url,
        host=host,
        port=port,
        mail_from=get("MAIL_FROM", "Gatekeeper <gatekeeper@localhost>"),
        bounce_to=_bare_address("BOUNCE_TO", get("BOUNCE_TO")),
        trusted_proxies=_number("TRUSTED_PROXIES", get("TRUSTED_PROXIES", "0")),
        demo=get("DEMO") == "1",
        platform_url=platform_url,
        simulator_page=get("SIMULATOR_PAGE"),
        mail_page=get("MAIL_PAGE"),
        graph_version=get("GRAPH_VERSION", "v26.0"),
        backup_folder=Path(folder).expanduser().resolve() if (folder := get("BACKUPS")) else None,
        linkedin_version=get("LINKEDIN_VERSION", "202607"),
        seal_public=seal_public,
        ledger_public=tuple((get("LEDGER_PUBLIC") or _read(data / "keys" / "ledger.pub")).split()),
        secrets=secrets,
        timings=Timings().shrunk(factor) if factor > 1 else Timings(),
    )


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"GATEKEEPER_{name} must be a whole number, not {text!r}.") from None


def _bare_address(name: str, text: str) -> str:
    if text and not re.fullmatch(r"[!-;=?A-~]+@[A-Za-z0-9.-]+", text):
        raise SettingsError(f"GATEKEEPER_{name} must be a bare e-mail address, such as bounces@school.example.")
    return text


def _database_url(url: str, data: Path) -> str:
    if not url:
        return f"sqlite:///{data / 'gatekeeper.db'}"
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_address(host: str, public_url: str) -> None:
    name = urlsplit(public_url).hostname
    if not name:
        raise SettingsError("GATEKEEPER_URL must be the whole address staff use, such as https://posts.school.example.")
    if not public_url.startswith("https://") and not (_is_loopback(host) and _is_loopback(name)):
        raise SettingsError(
            "Pupils' data may not travel without https. Listen on 127.0.0.1 (GATEKEEPER_HOST), let a web server with a "
            "certificate pass requests on, and set GATEKEEPER_URL=https://... and GATEKEEPER_TRUSTED_PROXIES=1."
        )


def secret_of(name: str, env: Mapping[str, str], data: Path) -> str:
    """A secret from its variable, the file that the variable names, or the data folder; empty where it is nowhere.

    Raises:
        SettingsError: others can read its file, or nobody can.
    """
    if value := env.get(f"GATEKEEPER_{name}"):
        return value
    named = env.get(f"GATEKEEPER_{name}_FILE")
    path = Path(named) if named else data / "keys" / name.lower()
    if named and not path.is_file():
        raise SettingsError(f"GATEKEEPER_{name}_FILE names {path}, which cannot be read.")
    return _read(path, private=True)


def _read(path: Path, *, private: bool = False) -> str:
    if not path.is_file():
        return ""
    if private and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{path} can be read by others: run chmod 600 on it. It holds a secret.")
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as err:
        raise SettingsError(f"{path} cannot be read ({type(err).__name__}).") from err
