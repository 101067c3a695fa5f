"""The wrangler commands of a deployment. A dry run prints them, a deployment runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import WranglerCommand


@dataclass(frozen=True, slots=True)
class WorkerCommands:
    """Builds wrangler commands for one target."""

    target: Target

    def account(self) -> WranglerCommand:
        """Return the command that shows who is logged in, with the accounts of the login."""
        return self._command("whoami", "--json")

    def list_databases(self) -> WranglerCommand:
        """Return the command that lists the D1 databases of the account."""
        return self._command("d1", "list", "--json")

    def list_secrets(self) -> WranglerCommand:
        """Return the command that lists the names of the Worker's secrets."""
        return self._worker_command("secret", "list", "--format", "json")

    def current_deployment(self) -> WranglerCommand:
        """Return the command that shows which versions have the traffic."""
        return self._worker_command("deployments", "status", "--json")

    def show_version(self, version: str) -> WranglerCommand:
        """Return the command that shows a version: its bindings, its Durable Object migration."""
        return self._worker_command("versions", "view", version, "--json")

    def list_deployments(self) -> WranglerCommand:
        """Return the command that lists the last ten deployments, the oldest first."""
        return self._worker_command("deployments", "list", "--json")

    def apply_migrations(self) -> WranglerCommand:
        """Return the command that applies the pending migrations."""
        return self._command("d1", "migrations", "apply", *self.target.arguments())

    def export(self, file: Path) -> WranglerCommand:
        """Return the command that exports the database as SQL; D1 answers nothing meanwhile."""
        return self._command("d1", "export", *self.target.arguments(), "--output", str(file))

    def upload(self, message: str) -> WranglerCommand:
        """Return the command that uploads the code as a version without traffic."""
        return self._worker_command("versions", "upload", "--message", message)

    def split(self, shares: Mapping[str, int], message: str) -> WranglerCommand:
        """Return the command that sets each version's share of the traffic, in percent."""
        specs = [f"{version}@{share}%" for version, share in shares.items()]
        return self._worker_command("versions", "deploy", *specs, "--message", message, "--yes")

    def deploy(self, message: str) -> WranglerCommand:
        """Return the command that uploads code with all traffic, as new DO classes require."""
        return self._worker_command("deploy", "--message", message)

    def set_triggers(self) -> WranglerCommand:
        """Return the command that sets routes and cron triggers, which no version holds."""
        return self._worker_command("triggers", "deploy")

    def _worker_command(self, *arguments: str) -> WranglerCommand:
        environment = ("--env", str(self.target.environment)) if self.target.environment else ()
        return self._command(*arguments, *environment)

    def _command(self, *arguments: str) -> WranglerCommand:
        return WranglerCommand(arguments, self.target.config)
