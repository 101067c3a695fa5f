"""The commands of wrangler that a deployment is made of. A dry run prints these very ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import Command


@dataclass(frozen=True, slots=True)
class Commands:
    """What can be asked and done, for one target."""

    target: Target

    def account(self) -> Command:
        """Who is logged in, and which accounts that opens."""
        return self._command("whoami", "--json")

    def list_databases(self) -> Command:
        """The D1 databases of the account."""
        return self._command("d1", "list", "--json")

    def list_secrets(self) -> Command:
        """The names of the Worker's secrets."""
        return self._of_worker("secret", "list", "--format", "json")

    def current_deployment(self) -> Command:
        """Which versions have the traffic."""
        return self._of_worker("deployments", "status", "--json")

    def list_deployments(self) -> Command:
        """The last ten deployments, the oldest first."""
        return self._of_worker("deployments", "list", "--json")

    def apply_migrations(self) -> Command:
        """Applies what is new."""
        return self._command("d1", "migrations", "apply", *self.target.arguments())

    def export(self, file: Path) -> Command:
        """Writes the whole database as SQL; D1 answers nobody else meanwhile."""
        return self._command("d1", "export", *self.target.arguments(), "--output", str(file))

    def upload(self, message: str) -> Command:
        """Uploads the code as a version that has no traffic."""
        return self._of_worker("versions", "upload", "--message", message)

    def split(self, shares: Mapping[str, int], message: str) -> Command:
        """Gives each version its share of the traffic, in percent."""
        specs = [f"{version}@{share}%" for version, share in shares.items()]
        return self._of_worker("versions", "deploy", *specs, "--message", message, "--yes")

    def deploy_at_once(self, message: str) -> Command:
        """Uploads the code and gives it all traffic: the only way of a Durable Object migration."""
        return self._of_worker("deploy", "--message", message)

    def set_triggers(self) -> Command:
        """Sets routes and cron triggers, which a version does not bring along."""
        return self._of_worker("triggers", "deploy")

    def _of_worker(self, *words: str) -> Command:
        environment = ("--env", str(self.target.environment)) if self.target.environment else ()
        return self._command(*words, *environment)

    def _command(self, *words: str) -> Command:
        return Command(words, self.target.config)
