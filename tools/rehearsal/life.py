"""The acts of a rehearsal, in their order. Each uses the documented commands only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rehearsal.stage import RehearsalError, Stage
from rehearsal.upgrade import (
    come_again,
    follow_upgrade,
    follow_way_back,
    load_export,
    make_keys_secret,
)
from stand_in.faults import ApiFault

PRODUCTION = ("--env", "production")
DEPLOY = ("deploy", *PRODUCTION, "--yes", "--watch")
WATCH_SECONDS, SHORT_WATCH_SECONDS, LONG_WATCH_SECONDS = "30", "10", "60"
ROUTE = "    policy = route.policy\n    if _is_bot(request, policy)"
FAILING = (
    "    policy = route.policy\n"
    "    if 'track' in request.path:\n"
    "        _asked.append(1)\n"
    "        if len(_asked) % 20 == 0:\n"
    "            raise RuntimeError('a rehearsed failure')\n"
    "    if _is_bot(request, policy)"
)
SLOW = (
    "    policy = route.policy\n"
    "    await __import__('asyncio').sleep(15)\n"
    "    if _is_bot(request, policy)"
)
ENTRY = "_apps: list[App] = []\n"
TAKEN_BACK = "has all traffic again"
NOT_BACK = "AND THE OLD VERSION COULD NOT BE BROUGHT BACK"
BROKEN_MIGRATION = """\
CREATE TABLE rehearsed (n);
INSERT INTO rehearsed SELECT nowhere FROM pixels;
"""


@dataclass(frozen=True, slots=True)
class Act:
    """One act. A failed `play` raises RehearsalError. Later acts need one that `is_ground`."""

    name: str
    play: Callable[[Stage], None]
    is_ground: bool = False


def preflight_first(stage: Stage) -> None:
    """Check before the first deployment, as the README says."""
    make_keys_secret(stage)
    checked = stage.ppp("preflight", *PRODUCTION, "--first").expect(0, "nothing stands against it")
    if "0013_" not in checked.out or "0011_" in checked.out:
        raise RehearsalError("preflight does not list the migrations from 0013 on, and no older")
    stage.ppp("deploy", *PRODUCTION, "--first", "--dry-run").expect(0)


def deploy_first(stage: Stage) -> None:
    """Replace the JavaScript Worker."""
    stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS, "--first").expect(0, "deployed: ")
    stage.cron()


def look_around(stage: Stage) -> None:
    """Run what the README says to run after a deployment."""
    status = stage.ppp("status", *PRODUCTION, "--json")
    if status.code not in {0, 1}:
        status.expect(0)
    stage.ppp("leads", *PRODUCTION).expect(0)
    stage.ppp("smoke", *PRODUCTION).expect(0, "all passed")


def back_up(stage: Stage) -> None:
    """Make a backup, and see it listed."""
    stage.cron()
    stage.ppp("backup", *PRODUCTION, "--label", "a rehearsal").expect(0, "verified")
    stage.ppp("backups", *PRODUCTION).expect(0, "a rehearsal")


def deploy_again(stage: Stage) -> None:
    """Deploy a second time: a version without traffic, then share by share."""
    with stage.changed("src/entry.py", ENTRY, f"{ENTRY}IS_SECOND_VERSION = True\n"):
        shares = ("0 %", "10 %", "50 %", "100 %")
        stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS).expect(0, *shares[1:], "deployed: ")


def deploy_failing(stage: Stage) -> None:
    """Deploy a version that answers 500 to every twentieth event."""
    pipeline = (stage.checkout / "src" / "pipeline.py").read_text(encoding="utf-8")
    first_line = next(line for line in pipeline.splitlines() if line.startswith("async def answer"))
    with (
        stage.changed("src/pipeline.py", ROUTE, FAILING),
        stage.changed("src/pipeline.py", first_line, f"_asked: list[int] = []\n\n\n{first_line}"),
    ):
        stage.ppp(*DEPLOY, LONG_WATCH_SECONDS).expect(1, "were answered 5xx", TAKEN_BACK)


def deploy_slow(stage: Stage) -> None:
    """Deploy a version that takes 15 seconds for an answer."""
    with stage.changed("src/pipeline.py", ROUTE, SLOW):
        stage.ppp(*DEPLOY, WATCH_SECONDS).expect(1, TAKEN_BACK)


def deploy_broken(stage: Stage) -> None:
    """Deploy a version that cannot start."""
    with stage.changed("src/entry.py", ENTRY, f"{ENTRY}raise RuntimeError('rehearsed')\n"):
        stage.ppp(*DEPLOY, WATCH_SECONDS).expect(1, "rehearsed", "1 check failed")


def break_migration(stage: Stage) -> None:
    """Deploy with a migration that fails in the middle, then without it."""
    file = stage.checkout / "migrations" / "9999_rehearsed.sql"
    file.write_text(BROKEN_MIGRATION, encoding="utf-8")
    try:
        stage.ppp(*DEPLOY, WATCH_SECONDS).expect(3, "nowhere", "No traffic was moved")
    finally:
        file.unlink()


def lose_token(stage: Stage) -> None:
    """Let the token expire when the version gets its first share."""
    fault = ApiFault("expired", "POST .*/deployments", nth=2, times=10_000)
    stage.cloud.faults.add(fault)
    try:
        output = stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS)
    finally:
        stage.cloud.faults.clear()
    output.expect(3, NOT_BACK, "npx wrangler versions deploy")
    command = re.search(r"Run: npx wrangler (versions deploy \S+@100%) ", output.text)
    if command is None:
        raise RehearsalError(f"the command to run is not printed:\n{output.text[-2_000:]}")
    stage.wrangler(*command[1].split(), *PRODUCTION, "--yes").expect(0)


def lose_answers(stage: Stage) -> None:
    """Lose the answer of a share behind its change: once, and then each time that it is tried."""
    faults = stage.cloud.faults
    for times in (1, 3):
        faults.add(ApiFault("lost", "POST .*/deployments", nth=2, times=times))
        try:
            output = stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS)
        finally:
            faults.clear()
        if times == 1:
            output.expect(0)
        else:
            output.expect(3, TAKEN_BACK)


def press_ctrl_c(stage: Stage) -> None:
    """Press Ctrl+C at each step of a deployment."""
    for step in ("backup: the Worker", "migrations: ", "answers as it should", "code: 50 %"):
        output = stage.interrupted(*DEPLOY, SHORT_WATCH_SECONDS, moment=step)
        if "stopped by hand" not in output.text or "Traceback" in output.text:
            raise RehearsalError(f"Ctrl+C at {step!r}:\n{output.text[-3_000:]}")


def roll_back(stage: Stage) -> None:
    """Go back by hand, and forth again."""
    listed = stage.ppp("rollback", *PRODUCTION, "--dry-run").expect(0)
    if "npx wrangler versions deploy" not in listed.text:
        raise RehearsalError(f"the dry run prints no command:\n{listed.text}")
    stage.ppp("rollback", *PRODUCTION, "--yes").expect(0, "answers and is healthy")
    repeated = stage.ppp("rollback", *PRODUCTION, "--yes").expect(0, "serves already")
    former = repeated.text.partition("name it: ./ppp rollback ")[2].split()[0]
    stage.ppp("rollback", former, *PRODUCTION, "--yes").expect(0, "answers and is healthy")


def lose_database(stage: Stage) -> None:
    """Delete the database, create it anew, be refused, restore, deploy."""
    old_name = "ppp-tracking-db"
    event_count = len(stage.traffic.addresses())
    stage.ppp("backup", *PRODUCTION, "--label", "before the loss").expect(0)
    stage.wrangler("d1", "delete", old_name, "--skip-confirmation").expect(0)
    # What came behind the backup's snapshot is gone with the database; the next ones wait in R2.
    stage.traffic.forget(event_count, len(stage.traffic.addresses()))
    created = stage.wrangler("d1", "create", old_name).expect(0)
    new_id = re.search(r'database_id = "([0-9a-f-]{36})"', created.out)
    if new_id is None:
        raise RehearsalError(f"no id:\n{created.text}")
    stage.name_database(new_id[1], old_name)
    stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS).expect(1, "database", "restore")
    stage.ppp("restore", *PRODUCTION, "--dry-run").expect(0)
    restored = stage.ppp("restore", *PRODUCTION, "--yes").expect(0)
    name, database_id = _printed_database(restored.text)
    stage.name_database(database_id, name)
    accepted = ("--accept-database", database_id)
    stage.ppp("preflight", *PRODUCTION, *accepted).expect(0, "nothing stands against it")
    stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS, *accepted).expect(0, "deployed: ")
    # They store what waited.
    for _ in range(3):
        stage.cron()


def _printed_database(text: str) -> tuple[str, str]:
    name = re.search(r'database_name = "([^"]+)"', text)
    database_id = re.search(r'database_id = "([^"]+)"', text)
    if name is None or database_id is None:
        raise RehearsalError(f"the restore prints no lines for wrangler.toml:\n{text[-2_000:]}")
    return name[1], database_id[1]


def travel_in_time(stage: Stage) -> None:
    """Take the database back to a minute, accept it and deploy."""
    event_count = len(stage.traffic.addresses())
    moment = stage.next_minute()
    to_time = ("restore", *PRODUCTION, "--to-time", moment)
    stage.ppp(*to_time, "--dry-run").expect(0, "time-travel restore")
    stage.ppp(*to_time, "--yes").expect(0, "is what it was at", "ppp accept-database")
    stage.traffic.forget(event_count, len(stage.traffic.addresses()))
    stage.cron()
    stage.ppp("preflight", *PRODUCTION).expect(1, "accept-database")
    reason = f"taken back to {moment}Z"
    stage.ppp("accept-database", *PRODUCTION, "--reason", reason, "--yes").expect(0)
    stage.ppp(*DEPLOY, SHORT_WATCH_SECONDS).expect(0, "deployed: ")
    stage.cron()


def drill(stage: Stage) -> None:
    """Rehearse a restore beside production.

    Its smoke test needs a preview of Cloudflare's, which the stand-in has not.
    """
    stage.ppp("drill", *PRODUCTION).expect(1, "restored and proven", "smoke test not run")
    stage.ppp("backups", *PRODUCTION).expect(0)


def follow_logs(stage: Stage) -> None:
    """Follow the log of the Worker until it shows a cron run."""
    only_crons = ("--event", "cron_run", "--limit", "1")
    stage.ppp_while(stage.cron, "logs", *PRODUCTION, *only_crons).expect(0, "healthy=")


def rotate_secrets(stage: Stage) -> None:
    """Set a secret anew, as the runbook says."""
    token = stage.pipedrive.token
    stage.wrangler("secret", "put", "PIPEDRIVE_API_KEY", *PRODUCTION, answer=token).expect(0)
    stage.ppp("smoke", *PRODUCTION).expect(0)


def serve_pinned(stage: Stage) -> None:
    """See that a pixel of an older release is served still."""
    for file in sorted((stage.checkout / "static" / "releases").glob("*.js")):
        answer = stage.traffic.http.get(f"/static/{file.name}")
        if not answer.is_success or answer.content != file.read_bytes():
            raise RehearsalError(f"/static/{file.name} answers {answer.status_code}")


def check_security(stage: Stage) -> None:
    """Probe what strangers can reach."""
    stage.ppp("security-check", *PRODUCTION, "--yes").expect(0)


def acts_of(acts: Sequence[Act], parts: Sequence[str] | None) -> Sequence[Act]:
    """Return the acts whose name has one of some parts, and what they need; all without parts."""
    if not parts:
        return acts
    chosen = [act for act in acts if any(part in act.name for part in parts)]
    last = acts.index(chosen[-1]) if chosen else 0
    return [act for act in acts[: last + 1] if act in chosen or (chosen and act.is_ground)]


# The short cut, which is part of the tests.
SHORT_LIFE: Sequence[Act] = (
    Act("docs/upgrade.md, to this Worker", follow_upgrade, is_ground=True),
    Act("docs/upgrade.md, the export as a database", load_export),
    Act("docs/upgrade.md, back to the JavaScript Worker", follow_way_back),
    Act("docs/upgrade.md, to this Worker again", come_again),
)
LONG_LIFE: Sequence[Act] = (
    Act("preflight before the first deployment", preflight_first, is_ground=True),
    Act("first deployment", deploy_first, is_ground=True),
    Act("status, leads, smoke test", look_around),
    Act("backup", back_up, is_ground=True),
    Act("second deployment", deploy_again, is_ground=True),
    Act("rollback and forth", roll_back),
    Act("secret rotated", rotate_secrets),
    Act("a version that answers 500 to 5 % of events", deploy_failing),
    Act("a slow version", deploy_slow),
    Act("a version that cannot start", deploy_broken),
    Act("a migration that fails in the middle", break_migration),
    Act("the token expires in the middle", lose_token),
    Act("an answer is lost behind its change", lose_answers),
    Act("Ctrl+C at each step", press_ctrl_c),
    Act("database deleted, refused, restored, deployed", lose_database),
    Act("Time Travel, accepted, deployed", travel_in_time),
    Act("drill, but for its smoke test", drill),
    Act("the log", follow_logs),
    Act("a pinned pixel", serve_pinned),
    Act("security check", check_security),
)
