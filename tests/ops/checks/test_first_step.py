"""One cause comes first, and what follows from it gives no advice of its own."""

from __future__ import annotations

import pytest

from ops.checks.first_step import first_step

Health = dict[str, dict[str, dict[str, str]]]
FINE: Health = {"checks": {"database": {"status": "healthy"}}}
PRODUCTION = "--env production"


def unhealthy(error: str) -> Health:
    return {"checks": {"database": {"status": "unhealthy", "error": error}}}


def test_where_nothing_is_wrong_with_the_database_nothing_comes_first() -> None:
    assert first_step(FINE, ["leads_waiting"], None, PRODUCTION) is None


@pytest.mark.parametrize(
    ("health", "names", "loss"),
    [
        (FINE, ["backup_old", "database_lost"], None),
        (FINE, ["backup_old", "database_empty"], None),
        (unhealthy("does not answer"), [], "the database has no tables; there were 2,258 events"),
        (unhealthy("is another one or was set back: see database_lost in the runbook"), [], None),
        (unhealthy("last migration is None"), [], "this is another database"),
    ],
)
def test_a_loss_comes_before_everything(health: Health, names: list[str], loss: str | None) -> None:
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
