"""`gatekeeper units`: prints systemd units for this installation, for one computer or for several.

One unit runs `gatekeeper run`, which keeps all the processes by itself. For several computers that share the database,
the queue and the media folder there is one unit for each process, so that each has its own secrets and no others.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from gatekeeper.errors import BadInput
from gatekeeper.jobs import QUEUES
from gatekeeper.settings import SECRETS

_HARDENING = """\
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ReadWritePaths={data}
UMask=0077"""

_SERVICE = """\
[Unit]
Description={words}
After=network-online.target{after}
Wants=network-online.target

[Service]
Type=exec
User={user}
ExecStart={command}
Environment=GATEKEEPER_DATA={data}
EnvironmentFile=-/etc/gatekeeper/{env}.env
Restart=always
RestartSec=2
# the main process asks the others to stop in their order; whatever is left after that is ended
KillMode=mixed
TimeoutStopSec=15
{hardening}

[Install]
WantedBy=multi-user.target
"""

_ONCE = """\
[Unit]
Description={words}
After={after}

[Service]
Type=oneshot
User={user}
ExecStart={command}
Environment=GATEKEEPER_DATA={data}
EnvironmentFile=-/etc/gatekeeper/{env}.env
{hardening}
"""


def units(*, data: Path, user: str, split: bool) -> Mapping[str, str]:
    """The files, by their names below /etc/systemd/system.

    Raises:
        BadInput: a path or a name cannot stand in a unit.
    """
    program = Path(sys.executable).with_name("gatekeeper")
    for word in (str(data), str(program), user):
        if not word or any(sign in word for sign in " \"'\\%\n\t$"):
            raise BadInput(f"{word!r} cannot stand in a unit. Choose a folder and a user without spaces or quotes.")
    told = {"data": data, "user": user, "hardening": _HARDENING.format(data=data)}
    if not split:
        one = _SERVICE.format(words="Gatekeeper", command=f"{program} run", env="gatekeeper", after="", **told)
        return {"gatekeeper.service": one}
    files = {
        "gatekeeper-release.service": _ONCE.format(
            words="Gatekeeper: bring the database to this release's schema",
            command=f"{program} release",
            env="release",
            after="network-online.target",
            **told,
        )
    }
    for name in ("web", *QUEUES, "publisher"):
        held = ", ".join(SECRETS.get(name, ())) or "no secret"
        files[f"gatekeeper-{name}.service"] = _SERVICE.format(
            words=f"Gatekeeper: {name} (holds {held})",
            command=f"{program} worker {name}" if name in QUEUES else f"{program} {name}",
            env=name,
            after=" gatekeeper-release.service",
            **told,
        )
    files["gatekeeper-nightly.service"] = _SERVICE.format(
        words="Gatekeeper: a backup each night (holds no secret)",
        command=f"{program} nightly",
        env="nightly",
        after=" gatekeeper-release.service",
        **told,
    )
    return files


def units_command(*, data: Path, user: str, split: bool, folder: Path | None, tell: Callable[[str], None]) -> int:
    """Print the units, or write them into a folder.

    Raises:
        BadInput: they cannot be written there.
    """
    made = units(data=data.expanduser().resolve(), user=user, split=split)
    for name, text in made.items():
        if folder is None:
            tell(f"# /etc/systemd/system/{name}\n{text}")
            continue
        try:
            (folder / name).write_text(text)
        except OSError as err:
            raise BadInput(f"{folder / name} cannot be written: {err.strerror}.") from err
    first = (
        "gatekeeper.service" if not split else " ".join(name for name in made if name != "gatekeeper-release.service")
    )
    print(
        "Put each process's settings into /etc/gatekeeper/, readable by root alone (chmod 600), then:\n"
        f"  systemctl daemon-reload && systemctl enable --now {first}",
        file=sys.stderr,
    )
    return 0
