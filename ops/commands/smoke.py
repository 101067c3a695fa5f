"""`ppp smoke`: does the Worker that runs answer as it should."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from ops.deploy.smoke_test import SmokeTest
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson
from ops.terminal.output import plain, show_json
from ops.worker_api.client import Api
from ops.worker_api.with_api import with_api

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp smoke --env production")
@with_api
def smoke(
    api: Api,
    *,
    as_json: AsJson = False,
) -> int:
    """Tests the running Worker with real requests.

    Health, scripts, image, events, keys and numbers. It stores one page view of its own, as a
    deployment does; all else is refused or only read. It needs an admin's key. Exits with 1 if a
    test fails.
    """
    test = SmokeTest(api)
    names = list(test.probes())
    problems = test.run()
    name = api.worker.name
    if as_json:
        tests = {probe: problems.get(probe, "passed") for probe in names}
        show_json({"environment": name, "fine": not problems, "tests": tests})
    else:
        for probe in names:
            typer.echo(
                f"{'!' if probe in problems else ' '} {probe:<10} {_result(problems, probe)}"
            )
        typer.echo(f"\n{len(problems)} of {len(names)} failed" if problems else "\nall passed")
    return ExitCode.PROBLEMS if problems else ExitCode.FINE


def _result(problems: Mapping[str, str], probe: str) -> str:
    return plain(problems[probe]) if probe in problems else "passed"
