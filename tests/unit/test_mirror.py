"""Every source file has the test of its name, or a line here that says which test covers it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MIRRORS = {"src": Path("tests/unit"), "ops": Path("tests/ops")}

# Files that are tested where they do their work: with a real D1, R2 or Worker, or through the
# command or module that is their only user.
COVERED_BY = {
    # Nothing of it runs without workerd.
    "src/app.py": "tests/worker/test_pipeline.py",
    "src/entry.py": "tests/worker/test_startup.py",
    "src/wiring.py": "tests/worker/test_startup.py",
    "src/pipeline.py": "tests/worker/test_pipeline.py",
    "src/scopes.py": "tests/faults/test_limited_keys.py",
    "src/handlers/key.py": "tests/faults/test_shared_views.py",
    "src/handlers/shared_views.py": "tests/faults/test_shared_views.py",
    "src/services/access/shared_views.py": "tests/faults/test_shared_views.py",
    "src/services/tracking/purpose_words.py": "tests/unit/services/tracking/test_form_purposes.py",
    "src/services/projects/limited_changes.py": "tests/faults/test_limited_keys.py",
    "src/security_headers.py": "tests/worker/test_assets.py",
    "src/bindings/border.py": "tests/worker/test_border.py",
    "src/bindings/carried_batch.py": "tests/worker/test_border.py",
    "src/bindings/clock.py": "tests/worker/sync/test_scheduling.py",
    "src/bindings/console.py": "tests/worker/test_tracking.py",
    "src/bindings/d1.py": "tests/worker/test_visits.py",
    "src/bindings/event_loop.py": "tests/worker/test_event_loop.py",
    "src/bindings/fetch.py": "tests/worker/sync/test_faults.py",
    "src/bindings/http.py": "tests/worker/test_tracking.py",
    "src/bindings/interpreter.py": "tests/worker/test_metrics.py",
    "src/bindings/kv.py": "tests/worker/sync/test_scheduling.py",
    "src/bindings/limiter.py": "tests/worker/test_rate_limits.py",
    "src/bindings/time_limit.py": "tests/worker/test_hanging_parts.py",
    "src/bindings/r2.py": "tests/worker/test_backups.py",
    "src/handlers/analytics.py": "tests/worker/test_statistics.py",
    "src/handlers/alerts.py": "tests/ops/commands/test_alerts.py",
    "src/handlers/archive.py": "tests/worker/archive/test_received.py",
    "src/handlers/backups.py": "tests/worker/test_backups.py",
    "src/handlers/health.py": "tests/worker/test_health.py",
    "src/handlers/home.py": "tests/worker/test_pipeline.py",
    "src/handlers/legacy_projects.py": "tests/worker/test_legacy_addresses.py",
    "src/handlers/legacy_reports.py": "tests/worker/test_legacy_addresses.py",
    "src/services/projects/legacy_register.py": "tests/worker/test_legacy_addresses.py",
    "src/services/reports/legacy_statistics.py": "tests/worker/test_legacy_addresses.py",
    "src/handlers/privacy.py": "tests/worker/test_privacy.py",
    "src/handlers/projects.py": "tests/worker/test_projects.py",
    "src/handlers/waiting.py": "tests/ops/commands/test_replay.py",
    "src/handlers/scheduled.py": "tests/worker/sync/test_scheduling.py",
    "src/services/reports/event_order.py": "tests/unit/services/reports/test_attribution_models.py",
    "src/services/reports/referring_sites.py": "tests/unit/services/reports/test_channel_rules.py",
    "src/services/reports/repeated_touches.py": (
        "tests/unit/services/reports/test_attribution_models.py"
    ),
    "src/services/tracking/smoke_event.py": "tests/unit/services/tracking/test_replay.py",
    "src/services/tracking/late_events.py": "tests/faults/test_whose_numbers.py",
    # SQL, whose tests are on a real D1.
    "src/services/archive/batches.py": "tests/worker/archive/test_moving.py",
    "src/services/backup/backup_run.py": "tests/worker/test_backups.py",
    "src/services/backup/chain.py": "tests/faults/test_backup_chain.py",
    "src/services/backup/changes.py": "tests/worker/test_backups.py",
    "src/services/backup/full_backups.py": "tests/worker/test_retention.py",
    "src/services/backup/records.py": "tests/worker/test_backups.py",
    "src/services/backup/steps.py": "tests/worker/test_backups.py",
    "src/services/backup/sums.py": "tests/faults/test_backup_chain.py",
    "src/services/backup/tables.py": "tests/worker/test_backups.py",
    "src/services/core/clock_history.py": "tests/faults/test_clock_ahead.py",
    "src/services/core/job_runs.py": "tests/worker/sync/test_reliability.py",
    "src/services/core/json_lines.py": "tests/worker/test_export.py",
    "src/services/loss/guard.py": "tests/unit/services/projects/test_pixel_cache.py",
    "src/services/loss/loss_check.py": "tests/worker/test_loss.py",
    "src/services/loss/recorded_deletions.py": "tests/ops/deploy/test_explained_deletions.py",
    "src/services/monitoring/health.py": "tests/worker/test_health.py",
    "src/services/monitoring/metrics.py": "tests/worker/test_metrics.py",
    "src/services/privacy/erasure.py": "tests/worker/test_privacy.py",
    "src/services/privacy/export.py": "tests/worker/test_privacy.py",
    "src/services/privacy/parked_search.py": "tests/worker/test_loss.py",
    "src/services/privacy/retention.py": "tests/worker/test_retention.py",
    "src/services/privacy/search.py": "tests/worker/test_privacy.py",
    "src/services/privacy/statements.py": "tests/worker/test_privacy.py",
    "src/services/projects/entry_kinds.py": "tests/worker/test_projects.py",
    "src/services/projects/entry_values.py": "tests/unit/services/projects/test_register.py",
    "src/services/reports/channel_sql.py": "tests/unit/services/reports/test_channel_rules.py",
    "src/services/core/tracking_parameters.py": "tests/unit/services/reports/test_page_sql.py",
    "src/services/tracking/networks.py": "tests/unit/services/tracking/test_attribution.py",
    "src/services/tracking/touch_values.py": "tests/unit/services/tracking/test_link_parameters.py",
    "src/services/reports/traffic_sources.py": "tests/unit/services/reports/test_channel_rules.py",
    "src/services/core/channels.py": "tests/unit/services/reports/test_channel_rules.py",
    "src/services/reports/realtime.py": "tests/worker/test_realtime.py",
    "src/services/reports/utm_analysis.py": "tests/worker/test_utm_analysis.py",
    "src/services/sync/account_states.py": "tests/worker/sync/test_limits.py",
    "src/services/sync/outbox_statements.py": "tests/worker/test_query_plans.py",
    "src/services/tracking/record_statements.py": "tests/worker/test_query_plans.py",
    "src/services/sync/portion.py": "tests/worker/sync/test_outcomes.py",
    "src/services/sync/sync_run.py": "tests/worker/sync/test_reliability.py",
    # Made by a tool.
    "src/services/tracking/public_suffixes.py": "tests/tools/test_public_suffixes.py",
    # Values and types that their users' tests are full of.
    "src/services/alerting/alert_states.py": "tests/unit/services/alerting/test_notifier.py",
    "src/services/alerting/problems.py": "tests/ops/test_runbook.py",
    "src/services/core/backed_up.py": "tests/worker/test_retention.py",
    "src/services/core/ports.py": "tests/unit/services/alerting/test_notifier.py",
    "src/services/core/request_origin.py": "tests/unit/services/tracking/test_visits.py",
    "src/services/loss/contents.py": "tests/unit/services/loss/test_judgement.py",
    "src/services/monitoring/recent_health.py": "tests/faults/test_health.py",
    "src/services/pipedrive/answers.py": "tests/unit/services/pipedrive/test_client.py",
    # Parts of one command, tested by running it.
    "ops/deploy/traffic.py": "tests/ops/commands/test_rollback.py",
    "ops/__main__.py": "tests/ops/test_main.py",
    "ops/backup/backup_chain.py": "tests/ops/restore/test_assembly.py",
    "ops/backup/high_water.py": "tests/ops/commands/test_accept_database.py",
    "ops/backup/manifests.py": "tests/ops/restore/test_assembly.py",
    "ops/checks/load_test.py": "tests/ops/commands/test_capacity.py",
    "ops/checks/log_lines.py": "tests/ops/commands/test_logs.py",
    "ops/checks/security_prober.py": "tests/ops/commands/test_security_check.py",
    "ops/checks/security_probes.py": "tests/ops/commands/test_security_check.py",
    "ops/checks/status_lines.py": "tests/ops/commands/test_status.py",
    "ops/checks/user_agent.py": "tests/ops/commands/test_security_check.py",
    "ops/cloudflare/account.py": "tests/ops/cloudflare/test_versions.py",
    "ops/cloudflare/bucket.py": "tests/ops/backup/test_backup_maker.py",
    "ops/cloudflare/database.py": "tests/ops/cloudflare/test_target.py",
    "ops/cloudflare/new_database.py": "tests/ops/commands/test_restore.py",
    "ops/cloudflare/worker_commands.py": "tests/ops/commands/test_deploy.py",
    "ops/commands/backup.py": "tests/ops/backup/test_backup_maker.py",
    "ops/commands/backups.py": "tests/ops/backup/test_backup_maker.py",
    "ops/commands/pixels.py": "tests/ops/projects/test_entries.py",
    "ops/commands/projects.py": "tests/ops/projects/test_entries.py",
    "ops/deploy/check_result.py": "tests/ops/deploy/test_readiness_checks.py",
    "ops/deploy/deployment_log.py": "tests/ops/commands/test_rollback.py",
    "ops/deploy/dry_run.py": "tests/ops/commands/test_deploy.py",
    "ops/deploy/facts.py": "tests/ops/commands/test_preflight.py",
    "ops/deploy/job_forecast.py": "tests/ops/commands/test_preflight.py",
    "ops/leads/forged_leads.py": "tests/ops/commands/test_forged.py",
    "ops/leads/lead_queries.py": "tests/ops/commands/test_leads.py",
    "ops/leads/lead_states.py": "tests/ops/commands/test_leads.py",
    "ops/leads/resubmission.py": "tests/ops/commands/test_resync.py",
    "ops/reports/export_file.py": "tests/ops/commands/test_export.py",
    "ops/reports/export_parts.py": "tests/ops/commands/test_export.py",
    "ops/reports/report_tables.py": "tests/ops/commands/test_stats.py",
    "ops/restore/erase_again.py": "tests/ops/commands/test_restore.py",
    "ops/restore/identity.py": "tests/ops/commands/test_restore.py",
    "ops/restore/live_comparison.py": "tests/ops/commands/test_drill.py",
    "ops/restore/lost_events.py": "tests/ops/commands/test_restore.py",
    "ops/restore/restore_report.py": "tests/ops/commands/test_restore.py",
    "ops/restore/restore_steps.py": "tests/ops/commands/test_restore.py",
    "ops/restore/scratch_worker.py": "tests/ops/commands/test_drill.py",
    "ops/restore/sql_files.py": "tests/ops/commands/test_restore.py",
    "ops/restore/staging_database.py": "tests/ops/restore/test_assembly.py",
    "ops/terminal/errors.py": "tests/ops/test_main.py",
    "ops/terminal/options.py": "tests/ops/test_main.py",
    "ops/terminal/progress.py": "tests/ops/commands/test_restore.py",
    "ops/worker_api/client.py": "tests/ops/worker_api/test_retries.py",
    "ops/worker_api/privacy_portions.py": "tests/ops/commands/test_privacy.py",
    "ops/worker_api/waiting.py": "tests/ops/commands/test_replay.py",
}


def sources() -> Iterator[Path]:
    for folder in MIRRORS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.name != "__init__.py" and "generated" not in path.parts:
                yield path.relative_to(ROOT)


def mirror_of(source: Path) -> Path:
    """The test of the same name: tests/ops/leads/test_x.py for ops/leads/x.py."""
    folder, *inner = source.parent.parts
    return MIRRORS[folder].joinpath(*inner, f"test_{source.name}")


@pytest.mark.parametrize("source", list(sources()), ids=str)
def test_a_file_has_its_test_or_says_where_it_is_tested(source: Path) -> None:
    is_mirrored = (ROOT / mirror_of(source)).exists()
    covering = COVERED_BY.get(source.as_posix())
    # Not both: where the test of its name exists, the line is out of date.
    assert is_mirrored != (covering is not None), mirror_of(source)
    if covering is not None:
        assert (ROOT / covering).exists()
        assert Path(covering).name.startswith("test_"), f"{covering} tests nothing"


def test_no_line_is_about_a_file_that_is_gone() -> None:
    assert [source for source in COVERED_BY if not (ROOT / source).exists()] == []
