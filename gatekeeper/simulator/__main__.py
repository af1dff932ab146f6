"""`python -m gatekeeper.simulator --port 8002 --folder data/simulator`: the platforms as a process of their own."""

import argparse
import signal
import sys
from pathlib import Path

from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Serve the simulated platforms, or print the keys to them."""
    parser = argparse.ArgumentParser(prog="gatekeeper.simulator", description="Simulated platforms on this computer.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the timelines are kept")
    parser.add_argument(
        "--credentials", action="store_true", help="print the keys as JSON, one account a line, and end"
    )
    parser.add_argument(
        "--drill",
        action="store_true",
        help="take the same words twice, count no calls, and go on after `--credentials`",
    )
    asked = parser.parse_args(arguments)
    config = SimulatorConfig().for_a_drill() if asked.drill else SimulatorConfig()
    if asked.credentials:
        for credentials in (config.x_credentials(), config.facebook_credentials(), config.linkedin_credentials()):
            print(credentials.to_json(), flush=True)
        if not asked.drill:
            return 0
    if asked.folder is None:
        parser.error("--folder says where the timelines are kept")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(asked.host, asked.port, folder=asked.folder, config=config)
    except KeyboardInterrupt:
        return 0
    except OSError as err:
        print(f"The simulator cannot listen on {asked.host}:{asked.port}: {err.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
