"""One cause comes first, and what follows from it gives no advice of its own."""

from __future__ import annotations

import pytest

from ops.checks.first_step import first_step

FINE: dict[str, object] = {"checks": {"database": {"status": "healthy"}}}
PRODUCTION = "--env production"


def unhealthy(error: str) -> dict[str, object]:
    return {"checks": {"database": {"status": "unhealthy", "error": error}}}


def test_where_nothing_is_wrong_with_the_database_nothing_comes_first() -> None:
    assert first_step(FINE, ["leads_waiting"], None, PRODUCTION) is None


@pytest.mark.parametrize(
    ("health", "names", "loss"),
    [
        (FINE, ["backup_old", "database_lost"], None),
        (FINE, ["backup_old", "database_empty"], None),
        (unhealthy("does not answer"), [], "the database has no tables; there were 2,258 events"),
        (
            unhealthy(
                "is another one, was set back or lacks tables: see database_lost in the runbook"
            ),
            [],
            None,
        ),
        (unhealthy("last migration is None"), [], "this is another database"),
    ],
)
def test_a_loss_comes_before_everything(
    health: dict[str, object], names: list[str], loss: str | None
) -> None:
    step = first_step(health, names, loss, PRODUCTION)
    assert step is not None
    assert "./ppp restore --env production --dry-run" in step.text
    assert (loss or "database") in step.text
    assert all(map(step.explains, ("  database", "backup", "job backup", "backup_old", "events")))
    assert not step.explains("pipedrive_breaker_open")


def test_an_outage_and_an_old_schema_have_their_own_first_step() -> None:
    outage = first_step(unhealthy("does not answer"), [], None, PRODUCTION)
    schema = first_step(
        unhealthy("last migration is 0024_x, expected 0026_y: run the migrations"), [], None, "-l"
    )
    assert outage is not None
    assert schema is not None
    assert "database_failing" in outage.command
    assert "./ppp rollback -l" in schema.command


def test_an_outage_on_this_machine_is_looked_for_on_this_machine() -> None:
    step = first_step(unhealthy("does not answer"), [], None, "--local")
    assert step is not None
    assert "wrangler d1 list" not in step.text
    assert "./ppp restore --local" in step.command


def misconfigured(*settings: str) -> dict[str, object]:
    return {**FINE, "misconfigured": [*settings]}


def test_settings_that_cannot_be_used_come_first_where_nothing_is_more_urgent() -> None:
    step = first_step(misconfigured("ARCHIVE_ENDPOINT"), ["job_failing"], None, PRODUCTION)
    assert step is not None
    assert "ARCHIVE_ENDPOINT" in step.text
    assert "./ppp logs --env production --event misconfigured" in step.text
    assert all(map(step.explains, ("settings", "job archive", "job_failing")))
    assert not step.explains("leads")
    assert first_step(misconfigured("RUNBOOK_URL"), ["no_events"], None, PRODUCTION) is None


def test_late_leads_follow_from_a_setting_of_the_sync() -> None:
    step = first_step(misconfigured("PIPEDRIVE_FIELDS"), ["leads_waiting"], None, "--local")
    assert step is not None
    assert step.explains("leads_waiting")
    assert "make dev | ./ppp logs --stdin --event misconfigured" in step.text
