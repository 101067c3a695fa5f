"""The order of the checks, and what a failed one does to those after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.cloudflare.target import Target
from ops.deploy.check_result import failed, passed, skipped
from ops.deploy.database_checks import Schema
from ops.deploy.facts import DeploymentFacts
from ops.deploy.preflight_checks import (
    Preflight,
    PreflightOptions,
    all_passed,
    results_as_json,
)

OPTIONS = PreflightOptions(Path("map.json"), 26.0, (), None, first=True)


@pytest.fixture
def facts(tmp_path: Path) -> DeploymentFacts:
    """A local database without tables, backups or deployments."""
    facts = DeploymentFacts(Target(None, "ppp-local", "0" * 8), tmp_path)
    facts.schema = Schema((), None)
    facts.migrations = ("0001_create.sql",)
    facts.backups = facts.last_backup = None
    return facts


def test_only_the_checks_that_are_asked_for_are_made(facts: DeploymentFacts) -> None:
    names: list[str] = []
    results = Preflight(facts, OPTIONS, names.append).run(("backup", "traffic"))
    assert names == ["backup", "traffic"]
    assert list(results) == list(Preflight(facts, OPTIONS, names.append).checks())
    assert results["backup"].verdict == "pass"
    assert results["traffic"].reason == "there are no versions on this machine"
    assert results["rows"] == skipped("not asked for")
    assert all_passed(results)


def test_slow_checks_are_skipped_after_a_failure(facts: DeploymentFacts) -> None:
    names: list[str] = []
    results = Preflight(facts, OPTIONS, names.append).run(("migrations", "bundle", "snapshot"))
    assert results["migrations"].verdict == "fail"
    assert names == ["migrations"]
    assert {results[name].verdict for name in ("bundle", "snapshot")} == {"skipped"}
    assert not all_passed(results)


def test_the_results_keep_their_json_keys() -> None:
    results = {"rows": passed("3 rows"), "backup": failed("none", "./ppp backup --local")}
    assert results_as_json(results) == {
        "checks": [
            {"check": "rows", "verdict": "pass", "why": "3 rows", "next": None},
            {
                "check": "backup",
                "verdict": "fail",
                "why": "none",
                "next": "./ppp backup --local",
            },
        ]
    }
