"""With Pipedrive's real limits in force, and ours as they are by default."""

from __future__ import annotations

from tests.harness.sync import running_lab, some_email


def test_forty_leads_stay_below_the_limits_on_bursts(local_config: object) -> None:
    """Both sides count as they would in production: 20 requests and 10 searches in 2 seconds."""
    defaults = {"PIPEDRIVE_WINDOW_MS": "2200", "SYNC_LEASE_SECONDS": "240"}
    with running_lab(**defaults) as lab:
        limits = lab.pipedrive.limits
        limits.requests_per_window, limits.searches_per_window = 20, 10
        emails = [some_email() for _ in range(40)]
        for email in emails[:20]:
            lab.person(email)
        events = [lab.submit(email) for email in emails]
        line = lab.sync()

        assert {request.status for request in lab.pipedrive.requests} == {200}
        assert (line["synced"], line["not_found"], line["put_back"]) == (20, 20, 0)
        assert None not in {lab.status(event)[0] for event in events}
