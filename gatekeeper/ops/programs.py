"""The processes of Gatekeeper as the supervisor starts them: by command, each with its own environment."""

import sys
from collections.abc import Mapping

from gatekeeper.jobs import QUEUES
from gatekeeper.ops import valkey
from gatekeeper.ops.keys import bare_environment, environment_for
from gatekeeper.ops.sockets import socket_path
from gatekeeper.ops.supervisor import Program
from gatekeeper.settings import Settings

#: who stops first: nobody new comes in, work ends, the send ends, and what they lean on goes last
WEB, WORK, SEND, LEANED_ON = 4, 3, 2, 1


def gatekeeper_command(*words: str) -> tuple[str, ...]:
    """The command that starts a part of Gatekeeper with this very Python."""
    return (sys.executable, "-m", "gatekeeper", *words)


def own_programs(environ: Mapping[str, str]) -> list[Program]:
    """Workers, publisher and web. The queue's address and the data folder stand in `environ`.

    Raises:
        SettingsError: a process lacks a setting or a secret; the text names it.
    """
    workers = [
        Program(
            name=queue,
            command=gatekeeper_command("worker", queue),
            env=environment_for(queue, environ),
            stage=WORK,
            patience=1.5,
        )
        for queue in QUEUES
    ]
    publisher = Program(
        name="publisher",
        command=gatekeeper_command("publisher"),
        env=environment_for("publisher", environ),
        stage=SEND,
        patience=1.5,
    )
    web = Program(
        name="web", command=gatekeeper_command("web"), env=environment_for("web", environ), stage=WEB, patience=1.5
    )
    return [*workers, publisher, web]


def nightly_program(environ: Mapping[str, str]) -> Program:
    """The process that makes a backup each night; it holds no secret."""
    return Program(
        name="nightly", command=gatekeeper_command("nightly"), env=environment_for("nightly", environ), stage=WORK
    )


def queue_program(settings: Settings, environ: Mapping[str, str]) -> tuple[Program, str] | None:
    """The embedded queue server and its address, or None where no server's program is to be found."""
    program = valkey.find_server()
    if program is None:
        return None
    socket = socket_path(settings.data, "valkey")
    command = valkey.server_command(program, socket=socket, folder=settings.data / "valkey")
    server = Program(name="valkey", command=command, env=bare_environment(environ), stage=LEANED_ON, patience=0.5)
    return server, f"unix://{socket}"
