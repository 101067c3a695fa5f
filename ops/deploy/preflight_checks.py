from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ops.deploy.check_verdict import Finding, failed, passed, skipped
from ops.deploy.database_checks import (
    Named,
    judge_database,
    judge_migrations,
    judge_rows,
    witnesses_of,
)
from ops.deploy.facts import Facts
from ops.deploy.readiness_checks import (
    SECRETS,
    judge_backup,
    judge_first,
    judge_secrets,
    judge_traffic,
)
from ops.leads.field_map_check import check_fields, parse_field_map
from ops.leads.pipedrive_account import account_from_environment, custom_fields
from ops.terminal.errors import OpsError
from ops.terminal.output import counted, note

SLOW = ("bundle", "snapshot")


HERE = "there are no versions on this machine"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person decided."""

    field_map: Path
    most_hours: float
    without: Collection[str]
    accepted: str | None
    first: bool


@dataclass(frozen=True, slots=True)
class Preflight:
    """The checks of one target, in the order in which they are made."""

    facts: Facts
    wanted: Wanted

    def findings(self, only: Collection[str] = ()) -> Mapping[str, Finding]:
        """Makes the checks; each ends with a finding, whatever happens."""
        findings: dict[str, Finding] = {}
        for name, check in self.checks().items():
            if only and name not in only:
                findings[name] = skipped("not asked for")
            elif name in SLOW and not are_fine(findings):
                findings[name] = skipped("it takes long, and something stands against it already")
            else:
                findings[name] = self._made(name, check)
        return findings

    def checks(self) -> Mapping[str, Callable[[], Finding]]:
        """The checks by name."""
        return {
            "database": self._database,
            "migrations": self._migrations,
            "rows": self._rows,
            "backup": self._backup,
            "traffic": self._traffic,
            "secrets": self._secrets,
            "fields": self._fields,
            "bundle": self._bundle,
            "snapshot": self._snapshot,
        }

    @property
    def named(self) -> Named:
        """The database that is meant."""
        target = self.facts.target
        return Named(target.database, target.database_id, target.name, self.wanted.accepted)

    def _made(self, name: str, check: Callable[[], Finding]) -> Finding:
        note(f"checking: {name}")
        try:
            return check()
        except OpsError as error:
            return failed(str(error), f"then ./ppp preflight {self.named.options} again")

    def _database(self) -> Finding:
        if not self.facts.target.environment:
            return skipped("every database on this machine has the same id")
        return judge_database(self.named, self.facts.databases, self.facts.last_deployment)

    def _migrations(self) -> Finding:
        facts = self.facts
        return judge_migrations(self.named, facts.schema, facts.migrations, facts.last_backup)

    def _rows(self) -> Finding:
        facts = self.facts
        witnesses = witnesses_of(facts.last_backup, facts.backed_up, facts.last_deployment)
        return judge_rows(self.named, facts.held, witnesses)

    def _backup(self) -> Finding:
        facts, options = self.facts, self.named.options
        if self.wanted.first:
            return judge_first(facts.backups, options=options)
        return judge_backup(
            facts.backups,
            facts.backed_up,
            options=options,
            environment=facts.target.settings["vars"]["ENVIRONMENT"],
            now=datetime.now(UTC),
            most_hours=self.wanted.most_hours,
        )

    def _traffic(self) -> Finding:
        if not self.facts.target.environment:
            return skipped(HERE)
        return judge_traffic(self.facts.deployment, options=self.named.options)

    def _secrets(self) -> Finding:
        facts = self.facts
        if facts.secrets is None:
            return skipped("there is no .dev.vars; `make dev` writes one")
        # `make dev` brings a Pipedrive of its own.
        needed = SECRETS if facts.target.environment else SECRETS[:1]
        without = self.wanted.without
        return judge_secrets(facts.secrets, needed, without, options=self.named.options)

    def _fields(self) -> Finding:
        file = self.wanted.field_map
        if not os.environ.get("PIPEDRIVE_API_KEY"):
            return skipped("PIPEDRIVE_API_KEY is not set here, and Cloudflare does not show it")
        if not file.exists():
            return skipped(f"there is no {file}: name the field map with --map")
        read = parse_field_map(file.read_text(encoding="utf-8"))
        checked = check_fields(read.entries, custom_fields(account_from_environment()))
        failing = [f"{each.name}: {each.note}" for each in checked if each.fails]
        problems = [*read.problems, *failing]
        if problems:
            return failed("; ".join(problems), f"./ppp fields check --map {file}")
        return passed(f"{counted(len(checked), 'field')} of {file} fit the account")

    def _bundle(self) -> Finding:
        files = [file for file in self.facts.bundle.rglob("*") if file.is_file()]
        return passed(f"{counted(len(files), 'file')}, as they would be uploaded")

    def _snapshot(self) -> Finding:
        return passed(f"the Worker starts from its snapshot of {self.facts.snapshot_bytes:,} bytes")


def are_fine(findings: Mapping[str, Finding]) -> bool:
    """Whether nothing stands against a deployment."""
    return all(each.verdict != "fail" for each in findings.values())


def as_objects(findings: Mapping[str, Finding]) -> dict[str, object]:
    """The findings for a script."""
    return {
        "checks": [
            {
                "check": name,
                "verdict": each.verdict,
                "why": each.why,
                "next": each.next_step or None,
            }
            for name, each in findings.items()
        ]
    }
