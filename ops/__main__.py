"""`./ppp`, the command line for the people who run PPP Pixel."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from ops import commands
from ops.terminal.errors import ExitCode, OpsError

# The modules of commands, in the order in which --help lists them.
MODULE_NAMES = (
    # Numbers and operation.
    *("capacity", "export", "forged", "leads", "logs", "resync", "security_check", "status"),
    "alerts",
    # Deployment.
    *("preflight", "deploy", "rollback", "smoke"),
    # Backups.
    *("backup", "backups", "restore", "accept_database", "replay", "drill"),
    # Groups of commands.
    *("answers", "fields", "keys", "pixels", "privacy", "projects", "stats"),
)


def build_app(module_names: Sequence[str] = MODULE_NAMES) -> typer.Typer:
    """Put together the commands of these modules; each takes its time to be imported."""
    app = typer.Typer(
        help="The commands of the operators of PPP Pixel.",
        epilog=(
            "Exit codes: 0 fine, 1 problems or nothing found, 2 wrong usage, 3 no answer."
            " At an alarm: ./ppp status --env production, then docs/runbook.md."
        ),
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    # With a callback a single command is not taken for the whole app.
    app.callback()(_root)
    for name in module_names:
        app.add_typer(import_module(f"{commands.__name__}.{name}").commands)
    return app


def _root() -> None:
    pass


def _modules_of(arguments: Sequence[str]) -> Sequence[str]:
    """Return the modules that these arguments need: all of them, unless they begin with a name."""
    name = arguments[0].replace("-", "_")
    return (name,) if name in MODULE_NAMES else MODULE_NAMES


def main() -> int:
    """Run one command and return its exit code; print an error in one line."""
    arguments = sys.argv[1:] or ["--help"]
    try:
        app = build_app(_modules_of(arguments))
        return int(app(arguments, prog_name="./ppp", standalone_mode=False) or 0)
    except OpsError as error:
        return _fail(str(error), error.exit_code, arguments)
    except typer.Abort:
        return _fail("stopped", ExitCode.PROBLEMS, arguments)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "./ppp"
        # typer lists choices on separate lines.
        message = " ".join(error.format_message().split())
        return _fail(f"{message} See {command} --help", ExitCode.WRONG_USAGE, arguments)


def _fail(message: str, exit_code: ExitCode, arguments: Sequence[str]) -> int:
    """Print an error to stderr; for a script also as JSON, on stdout in place of the result."""
    typer.echo(f"error: {message}", err=True)
    if "--json" in arguments:
        typer.echo(json.dumps({"error": message, "exit_code": exit_code}, ensure_ascii=False))
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
