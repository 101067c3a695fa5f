"""The stand-in alone: `python tools/stand_in FOLDER` runs it and prints what a shell needs."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

# Run as a folder, Python looks for modules inside of it; the package is found beside it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from stand_in.faults import KINDS, ApiFault  # noqa: E402  # needs the line above
from stand_in.production import add_stores, production_hosts  # noqa: E402  # needs the line above
from stand_in.server import stand_in  # noqa: E402  # as above


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until it is stopped."""
    parser = argparse.ArgumentParser(prog="python tools/stand_in", description=__doc__)
    parser.add_argument("folder", type=Path, help="where its state lies; made where missing")
    parser.add_argument("--port", type=int, default=0, help="the API's port; 0 takes a free one")
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        type=_fault,
        metavar="KIND:PATTERN",
        help="the next call whose `METHOD path` the pattern fits fails once, in one of the ways "
        f"{', '.join(KINDS)}; may be given several times: --fail 'lost:POST .*/deployments'",
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with stand_in(options.folder, production_hosts(), port=options.port) as running:
        for fault in options.fail:
            running.faults.add(fault)
        add_stores(running.cloud.account)
        running.cloud.restart()
        for name, text in running.variables().items():
            print(f"export {name}={shlex.quote(text)}")
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            print("stopped")
    return 0


def _fault(text: str) -> ApiFault:
    """Read `KIND:PATTERN`."""
    kind, _, pattern = text.partition(":")
    try:
        return ApiFault(kind, pattern)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
