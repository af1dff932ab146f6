"""How the command line asks for a drill."""

import argparse
import sys

from gatekeeper.errors import BadInput
from gatekeeper.ops.drill.pace import FASTEST


def add_drill(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `gatekeeper drill` to the commands."""
    command = commands.add_parser(
        "drill",
        help="kill publishers at every point of their work, and see whether a post is lost, doubled or unapproved",
        description="Real processes in a folder of their own; what counts is what the simulated public can see.",
        epilog=f"Every wait of the machine is up to {FASTEST:g} times shorter than in a school; by how much, the last line says.",
    )
    command.set_defaults(action=_drill)
    command.add_argument("--schedules", type=int, required=True, metavar="N", help="how many, four posts in each")
    command.add_argument("--seed", type=int, required=True, metavar="S", help="from which everything is drawn")
    command.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite", help="default: sqlite")
    command.add_argument(
        "--without", choices=("lookup", "settle", "gate"), help="try a machine that lacks a part; it has to fail"
    )
    command.add_argument("--keep", action="store_true", help="leave the drill's folder where it is")


def _drill(asked: argparse.Namespace) -> int:
    from gatekeeper.ops.drill.run import Drill, as_json, drill

    if asked.schedules < 1:
        raise BadInput("A drill takes at least one schedule.")
    wanted = Drill(schedules=asked.schedules, seed=asked.seed, db=asked.db, without=asked.without, keep=asked.keep)
    line, kept = drill(wanted, tell=lambda words: print(words, file=sys.stderr, flush=True))
    print(as_json(line), flush=True)
    return 0 if kept else 1
