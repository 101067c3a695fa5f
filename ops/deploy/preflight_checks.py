"""The checks before a deployment, in their order. They read facts and change nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from config import ConfigError, setting_problems
from ops.backup.high_water import acceptance_time
from ops.deploy.check_result import CheckResult, failed, passed, skipped
from ops.deploy.database_checks import (
    ConfiguredDatabase,
    check_database,
    check_loss,
    check_migrations,
    check_rows,
    outside_observations,
)
from ops.deploy.facts import DeploymentFacts
from ops.deploy.job_forecast import check_jobs
from ops.deploy.large_migrations import check_size
from ops.deploy.project_checks import check_projects
from ops.deploy.readiness_checks import (
    SECRETS,
    check_backup,
    check_first_deployment,
    check_secrets,
    check_settings,
    check_traffic,
)
from ops.leads.field_map_check import check_fields, parse_field_map
from ops.leads.pipedrive_account import account_from_environment, custom_fields
from ops.terminal.errors import OpsError
from ops.terminal.output import counted

# They take a minute or more, so they are made only if the others pass.
SLOW_CHECKS = ("bundle", "snapshot")

# In the order in which one follows from another: without its data, no backup is made of a database.
DATABASE_CHECKS = ("database", "loss", "migrations", "rows", "backup")

# Moves the names of the old Worker's configurations below `legacy`.
OLD_NAMES_MIGRATION = "0027_keep_old_configurations.sql"

Check = Callable[[], CheckResult]


@dataclass(frozen=True, slots=True)
class PreflightOptions:
    """The options of `ppp preflight` and `ppp deploy` that decide what passes."""

    field_map: Path
    max_backup_hours: float
    optional_secrets: Collection[str]
    accepted_database_id: str | None
    first: bool


@dataclass(frozen=True, slots=True)
class Preflight:
    """The checks of one target. `on_check` is called with the name of each before it is made."""

    facts: DeploymentFacts
    options: PreflightOptions
    on_check: Callable[[str], None]

    def run(self, only: Collection[str] = ()) -> Mapping[str, CheckResult]:
        """Make the checks, or only those of these names, and return the result of each."""
        results: dict[str, CheckResult] = {}
        for name, check in self.checks().items():
            if only and name not in only:
                results[name] = skipped("not asked for")
            elif name in SLOW_CHECKS and not all_passed(results):
                results[name] = skipped("it takes long, and something stands against it already")
            else:
                results[name] = self._run_check(name, check)
        return with_one_first_step(results)

    def checks(self) -> Mapping[str, Check]:
        """Return the checks by name, in their order."""
        return {
            "database": self._database,
            "loss": self._loss,
            "migrations": self._migrations,
            "rows": self._rows,
            "jobs": self._jobs,
            "projects": self._projects,
            "backup": self._backup,
            "traffic": self._traffic,
            "secrets": self._secrets,
            "settings": self._settings,
            "fields": self._fields,
            "bundle": self._bundle,
            "snapshot": self._snapshot,
        }

    @property
    def database(self) -> ConfiguredDatabase:
        """The database of the target."""
        target, accepted_id = self.facts.target, self.options.accepted_database_id
        return ConfiguredDatabase(
            *(target.database, target.database_id, target.name, accepted_id),
            is_first=self.options.first,
        )

    def _judged_database(self) -> ConfiguredDatabase:
        """Return the database with what the high-water mark says of it."""
        mark = self.facts.mark
        has_identity = bool(mark and mark.database_id == self.facts.database_contents.database_id)
        return replace(self.database, accepted_at=acceptance_time(mark), has_identity=has_identity)

    def _run_check(self, name: str, check: Check) -> CheckResult:
        self.on_check(name)
        try:
            return check()
        except (OpsError, ConfigError) as error:
            return failed(
                str(error), f"put it right, then ./ppp preflight {self.database.options} again"
            )

    def _database(self) -> CheckResult:
        if not self.facts.target.environment:
            return skipped("every database on this machine has the same id")
        return check_database(self.database, self.facts.databases, self.facts.last_deployment)

    def _loss(self) -> CheckResult:
        if sharers := self.facts.target.bucket_sharers:
            return failed(
                f"{self.facts.target.bucket} is the bucket of {', '.join(sharers)}, too: backups,"
                " the high-water mark and waiting events of both would mix",
                "give each environment a bucket of its own in wrangler.toml",
            )
        return check_loss(self.database, self.facts.mark, self.facts.database_contents)

    def _migrations(self) -> CheckResult:
        facts = self.facts
        database = self._judged_database()
        result = check_migrations(database, facts.schema, facts.migrations, facts.last_backup)
        if result.verdict == "fail" or not facts.target.environment:
            return result
        pending = [name for name in facts.migrations if name not in (facts.schema.applied or ())]
        return check_size(result, pending, facts.contents.rows)

    def _rows(self) -> CheckResult:
        facts = self.facts
        observations = outside_observations(
            facts.last_backup, facts.contents_at_backup, facts.last_deployment
        )
        return check_rows(self._judged_database(), facts.contents, observations)

    def _jobs(self) -> CheckResult:
        # On this machine nobody goes back to the JavaScript Worker.
        is_first = self.options.first and self.facts.target.environment is not None
        return check_jobs(self.facts.job_forecasts, is_first=is_first)

    def _projects(self) -> CheckResult:
        schema = self.facts.schema
        # Before that migration the names in configurations command nothing.
        is_migrated = OLD_NAMES_MIGRATION in (schema.applied or ())
        shows_settings = self.options.first and is_migrated
        return check_projects(self.facts.project_rows, shows_settings=shows_settings)

    def _backup(self) -> CheckResult:
        facts, options = self.facts, self.database.options
        if self.database.is_accepted and facts.target.environment and facts.is_switched:
            return skipped("the Worker that runs has another database: this one was restored")
        if self.options.first:
            return check_first_deployment(
                facts.backups,
                # The Worker is asked only where there are backups.
                is_over_another_worker=bool(facts.last_backup) and facts.is_over_another_worker,
                options=options,
            )
        return check_backup(
            facts.backups,
            facts.contents_at_backup,
            options=options,
            environment=facts.target.settings["vars"]["ENVIRONMENT"],
            now=datetime.now(UTC),
            max_hours=self.options.max_backup_hours,
        )

    def _traffic(self) -> CheckResult:
        if not self.facts.target.environment:
            return skipped("there are no versions on this machine")
        return check_traffic(self.facts.deployment, options=self.database.options)

    def _secrets(self) -> CheckResult:
        facts = self.facts
        if facts.secrets is None:
            return skipped("there is no .dev.vars; `make dev` writes one")
        # `make dev` simulates Pipedrive, so only the keys are required.
        required = SECRETS if facts.target.environment else SECRETS[:1]
        optional = self.options.optional_secrets
        return check_secrets(
            facts.secrets,
            required,
            optional,
            options=self.database.options,
            plain_variables=[
                name for name in facts.plain_variables if name not in facts.target.settings["vars"]
            ],
        )

    def _settings(self) -> CheckResult:
        return check_settings(setting_problems(self.facts.settings.get))

    def _fields(self) -> CheckResult:
        file = self.options.field_map
        if not os.environ.get("PIPEDRIVE_API_KEY"):
            return skipped("PIPEDRIVE_API_KEY is not set here, and Cloudflare does not show it")
        if not file.exists():
            return skipped(f"there is no {file}: name the field map with --map")
        field_map = parse_field_map(file.read_text(encoding="utf-8"))
        checked = check_fields(field_map.entries, custom_fields(account_from_environment()))
        failing = [f"{field.name}: {field.note}" for field in checked if field.fails]
        problems = [*field_map.problems, *failing]
        if problems:
            return failed("; ".join(problems), f"./ppp fields check --map {file}")
        return passed(f"{counted(len(checked), 'field')} of {file} fit the account")

    def _bundle(self) -> CheckResult:
        files = [file for file in self.facts.bundle.rglob("*") if file.is_file()]
        return passed(f"{counted(len(files), 'file')}, as they would be uploaded")

    def _snapshot(self) -> CheckResult:
        return passed(f"the Worker starts from its snapshot of {self.facts.snapshot_bytes:,} bytes")


def with_one_first_step(results: Mapping[str, CheckResult]) -> Mapping[str, CheckResult]:
    """Leave the advice to the first failing check of the database; later ones follow from it."""
    failing = [name for name in DATABASE_CHECKS if name in results]
    failing = [name for name in failing if results[name].verdict == "fail"]
    return {
        name: replace(result, next_step=f"it follows from {failing[0]}: that comes first")
        if name in failing[1:]
        else result
        for name, result in results.items()
    }


def all_passed(results: Mapping[str, CheckResult]) -> bool:
    """Return whether no check failed."""
    return all(result.verdict != "fail" for result in results.values())


def results_as_json(results: Mapping[str, CheckResult]) -> dict[str, object]:
    """Return the results for --json."""
    return {
        "checks": [
            {
                "check": name,
                "verdict": result.verdict,
                "why": result.reason,
                "next": result.next_step or None,
            }
            for name, result in results.items()
        ]
    }
