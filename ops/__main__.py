"""`./ppp`: the commands of the people who run this."""

from __future__ import annotations

import sys

import typer

from ops.commands import fields, keys, pixels, privacy, projects, stats
from ops.commands.backup import EXAMPLE as BACKUP_EXAMPLE
from ops.commands.backup import backup
from ops.commands.backups import EXAMPLE as BACKUPS_EXAMPLE
from ops.commands.backups import backups
from ops.commands.capacity import EXAMPLE as CAPACITY_EXAMPLE
from ops.commands.capacity import capacity
from ops.commands.deploy import EXAMPLE as DEPLOY_EXAMPLE
from ops.commands.deploy import deploy
from ops.commands.drill import EXAMPLE as DRILL_EXAMPLE
from ops.commands.drill import drill
from ops.commands.export import EXAMPLE as EXPORT_EXAMPLE
from ops.commands.export import export
from ops.commands.leads import EXAMPLE as LEADS_EXAMPLE
from ops.commands.leads import leads
from ops.commands.logs import EXAMPLE as LOGS_EXAMPLE
from ops.commands.logs import logs
from ops.commands.preflight import EXAMPLE as PREFLIGHT_EXAMPLE
from ops.commands.preflight import preflight
from ops.commands.restore import EXAMPLE as RESTORE_EXAMPLE
from ops.commands.restore import restore
from ops.commands.resync import EXAMPLE as RESYNC_EXAMPLE
from ops.commands.resync import resync
from ops.commands.rollback import EXAMPLE as ROLLBACK_EXAMPLE
from ops.commands.rollback import rollback
from ops.commands.security_check import EXAMPLE as SECURITY_EXAMPLE
from ops.commands.security_check import security_check
from ops.commands.status import EXAMPLE as STATUS_EXAMPLE
from ops.commands.status import status
from ops.terminal.errors import ExitCode, OpsError

app = typer.Typer(
    help="The commands of the people who run PPP Pixel.",
    epilog="Exit codes: 0 fine, 1 problems or nothing found, 2 wrong usage, 3 no answer.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(fields.commands, name="fields")
app.add_typer(keys.commands, name="keys")
app.add_typer(pixels.commands, name="pixels")
app.add_typer(privacy.commands, name="privacy")
app.add_typer(projects.commands, name="projects")
app.add_typer(stats.commands, name="stats")
app.command(epilog=CAPACITY_EXAMPLE)(capacity)
app.command(epilog=EXPORT_EXAMPLE)(export)
app.command(epilog=LEADS_EXAMPLE)(leads)
app.command(epilog=LOGS_EXAMPLE)(logs)
app.command(epilog=RESYNC_EXAMPLE)(resync)
app.command("security-check", epilog=SECURITY_EXAMPLE)(security_check)
app.command(epilog=STATUS_EXAMPLE)(status)
app.command(epilog=PREFLIGHT_EXAMPLE)(preflight)
app.command(epilog=DEPLOY_EXAMPLE)(deploy)
app.command(epilog=ROLLBACK_EXAMPLE)(rollback)
app.command(epilog=BACKUP_EXAMPLE)(backup)
app.command(epilog=BACKUPS_EXAMPLE)(backups)
app.command(epilog=RESTORE_EXAMPLE)(restore)
app.command(epilog=DRILL_EXAMPLE)(drill)


def main() -> int:
    """Runs one command; what is in its way is said in one line."""
    try:
        arguments = sys.argv[1:] or ["--help"]
        return int(app(arguments, prog_name="./ppp", standalone_mode=False) or 0)
    except OpsError as error:
        typer.echo(f"error: {error}", err=True)
        return error.exit_code
    except typer.Abort:
        typer.echo("error: stopped", err=True)
        return ExitCode.PROBLEMS
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "./ppp"
        # Choices come on lines of their own.
        message = " ".join(error.format_message().split())
        typer.echo(f"error: {message} See {command} --help", err=True)
        return ExitCode.WRONG_USAGE


if __name__ == "__main__":
    sys.exit(main())
