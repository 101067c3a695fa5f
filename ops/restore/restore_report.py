"""What a restore says at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import typer

from ops.cloudflare.target import Target
from ops.restore.lost_events import LostEvents
from ops.restore.restore_steps import PreparedRestore
from ops.terminal.errors import ExitCode
from ops.terminal.output import format_duration, show_json


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A restored database: how it differs from its backup, what it lacks, and what comes next."""

    database: Target
    prepared: PreparedRestore
    problems: Sequence[str]
    lost: LostEvents | None
    next_step: str
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 if something is different or was left out."""
        is_whole = not self.problems and not self.prepared.content.staging.skipped_rows
        return ExitCode.FINE if is_whole else ExitCode.PROBLEMS

    @property
    def _advice(self) -> str:
        """What to do now."""
        if not self.problems:
            return self.next_step
        name = self.database.database
        return (
            f"{name} does not hold what the backup does. Do not use it: "
            f"restore again with --overwrite {name}"
        )

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            self._show_json()
        elif self.problems:
            for line in self.problems:
                typer.echo(f"different: {line}")
            typer.echo(self._advice)
        else:
            content = self.prepared.content
            typer.echo(
                f"{self.database.database} holds {content.row_summary} in"
                f" {len(content.staging.tables)} tables, counted and compared with the backup;"
                f" {format_duration(self.seconds)}"
            )
            if self.lost:
                typer.echo(str(self.lost))
            typer.echo(self._advice)

    def _show_json(self) -> None:
        lost = self.lost
        show_json(
            {
                "backup": self.prepared.backup.id,
                "database": self.database.database,
                "database_id": self.database.database_id,
                **self.prepared.as_json(),
                "differences": list(self.problems),
                "not_in_backup": lost and lost.as_json(),
                "next": self._advice,
                "seconds": round(self.seconds, 1),
            }
        )
