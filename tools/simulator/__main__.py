"""The Pipedrive simulator alone, with the demo account: `python tools/simulator --port 8790`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

# Run as a folder, Python looks for modules inside of it; the package is found beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from simulator.server import simulator  # noqa: E402  # needs the line above


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until it is stopped; problems are said in one line."""
    parser = argparse.ArgumentParser(prog="python tools/simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8790, help="the port; 0 takes a free one")
    options = parser.parse_args(arguments)
    # A shell starts what runs in its background with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with simulator(options.port) as pipedrive:
            print(f"Pipedrive simulator  {pipedrive.url}")
            print(f"API                  {pipedrive.api_url}")
            print(f"x-api-token          {pipedrive.token}", flush=True)
            Event().wait()
    except (OSError, OverflowError) as error:
        print(f"error: port {options.port} cannot be used: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
