"""docs/upgrade.md, there and back: its blocks of commands run in a shell on the stage."""

from __future__ import annotations

import re
import textwrap
import time
from http import HTTPStatus
from uuid import uuid4

from paths import ROOT
from rehearsal.stage import RehearsalError, Stage

DOCUMENT = ROOT / "docs" / "upgrade.md"
PIXEL = "pixel-1-shop"
WATCH_SECONDS = "10"
# Exits with 1 where something is to be looked at, as on a young production.
MAY_NAME_PROBLEMS = "./ppp status"
PATIENCE_SECONDS = 60
OLD_HEALTH = "(set -o pipefail; curl -fsS https://pixel.salesmagic.us/health"
PLAIN_KEYS = "plain vars of the Worker that serves, no secrets: API_KEYS"
TRY_WAY_BACK = '(cd "${OLD_CHECKOUT:?}" && rm -rf dry-run'
GO_BACK = '(cd "${OLD_CHECKOUT:?}" && npx wrangler deploy --env "${OLD_ENV-production}")'
DEPLOY_FIRST = "./ppp deploy --env production --first\n"
HIDE_KEYS = '(cd "${OLD_CHECKOUT:?}" && npx wrangler deploy --env "${OLD_ENV-production}" && npx'
KEEP_PIXELS = "([ -s pixels-switched-off.json ] ||"
SWITCH_ON = 'IDS="$(jq'
PRODUCTION = ("--env", "production")
EXECUTE = ("d1", "execute", "DB", *PRODUCTION, "--remote", "--command")
ADD_PROJECT = "INSERT INTO projects (id, name, active) VALUES ('off', 'switched off', 0)"
ADD_PIXEL = "INSERT INTO pixels (id, project_id, name) VALUES ('of-it', 'off', 'site')"
COUNT_ACTIVE = "SELECT sum(active) AS active FROM pixels WHERE project_id = 'off'"
_KEY = re.compile(r"^The key, shown this once:\n(\S+)$", re.MULTILINE)
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def block_with(command: str) -> str:
    """Return the block of the document with a line that begins with a command.

    Raises:
        RehearsalError: none or several have one.
    """
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = [textwrap.dedent(block).strip() for block in _BLOCK.findall(text)]
    matching = [block for block in blocks if f"\n{block}\n".find(f"\n{command}") >= 0]
    if len(matching) != 1:
        raise RehearsalError(f"docs/upgrade.md has {len(matching)} blocks with {command!r}, not 1")
    return matching[0]


def follow_upgrade(stage: Stage) -> None:
    """Check, deploy and compare as the document says, and give holders keys of their own."""
    stage.variables["PPP_WATCH_SECONDS"] = WATCH_SECONDS
    stage.shell(block_with("./ppp answers save").replace("PIXEL_ID", PIXEL)).expect(0, "3 answers")
    old_total = total_events(stage)
    stage.shell(block_with(TRY_WAY_BACK)).expect(0, "RateLimiter")
    make_keys_secret(stage)
    checked = stage.shell(block_with("./ppp preflight")).expect(0, "nothing stands against it")
    if "0013_" not in checked.out or "0011_" in checked.out:
        raise RehearsalError("preflight does not list the migrations from 0013 on, and no older")
    stage.shell(block_with(DEPLOY_FIRST), answer="y\n").expect(0, "deployed: ")
    stage.cron()
    for line in block_with("./ppp leads").splitlines():
        output = stage.shell(line)
        if not (line.startswith(MAY_NAME_PROBLEMS) and output.code == 1):
            output.expect(0)
    if (total := total_events(stage)) < old_total:
        raise RehearsalError(f"{old_total:,} events were counted before, and {total:,} after")
    give_keys(stage)


def make_keys_secret(stage: Stage) -> None:
    """Make a secret of the old Worker's plain keys, as the document says and the checks demand."""
    stage.ppp("preflight", *PRODUCTION, "--first", "--only", "secrets").expect(1, PLAIN_KEYS)
    keys = f"{stage.key},{uuid4()}"
    refused = stage.wrangler("secret", "put", "API_KEYS", *PRODUCTION, answer=keys)
    refused.expect(1, "already in use")
    stage.shell(block_with(HIDE_KEYS), answer=keys).expect(0, "Uploaded secret API_KEYS")
    await_answer(stage, stage.key, HTTPStatus.OK)


def load_export(stage: Stage) -> None:
    """Make a database of the export that the deployment took, as the document says."""
    loaded = stage.shell(block_with("gunzip")).expect(0)
    counted = re.search(r'"events": (\d+)', loaded.out)
    if counted is None or int(counted[1]) < stage.inherited:
        raise RehearsalError(f"of {stage.inherited:,} events the export holds:\n{loaded.out}")


def follow_way_back(stage: Stage) -> None:
    """Put the JavaScript Worker back as the document says; its scripts count as many events."""
    total = total_events(stage)
    # The versions behind the changed secret are this Worker's, and those before the old one's.
    stage.shell(block_with("./ppp rollback")).expect(1, "a Durable Object migration lies between")
    stage.shell(block_with("./ppp replay")).expect(0)
    switch_project_off(stage)
    stage.shell(block_with(KEEP_PIXELS)).expect(0)
    require_active_pixels(stage, 0)
    set_plain_keys(stage)
    stage.shell(block_with(GO_BACK)).expect(0, "Deployed")
    await_answer(stage, stage.key, HTTPStatus.OK)
    stage.shell(block_with(f"{OLD_HEALTH} | jq -e '.worker_version == null'")).expect(0)
    if (old_total := total_events(stage)) < total:
        raise RehearsalError(f"{total:,} events were counted here, and {old_total:,} there")


def come_again(stage: Stage) -> None:
    """Deploy this Worker over the JavaScript one a second time, as the document's last step says.

    Raises:
        RehearsalError: fewer events are counted here than there.
    """
    total = total_events(stage)
    stage.shell(block_with("./ppp preflight")).expect(0, "nothing stands against it")
    stage.shell(block_with(DEPLOY_FIRST), answer="y\n").expect(0, "deployed: ")
    stage.shell(block_with(SWITCH_ON)).expect(0)
    require_active_pixels(stage, 1)
    stage.cron()
    if (new_total := total_events(stage)) < total:
        raise RehearsalError(f"{total:,} events were counted there, and {new_total:,} here")


def switch_project_off(stage: Stage) -> None:
    """Switch a project off as `/api/manage` does: its pixel stays active in its row."""
    stage.wrangler(*EXECUTE, f"{ADD_PROJECT}; {ADD_PIXEL}").expect(0)


def require_active_pixels(stage: Stage, number: int) -> None:
    """Check how many pixels of that project are active.

    Raises:
        RehearsalError: it is another number.
    """
    [answer] = stage.wrangler(*EXECUTE, COUNT_ACTIVE, "--json").expect(0).json
    if answer["results"] != [{"active": number}]:
        raise RehearsalError(f"{number} pixels should be active: {answer['results']}")


def total_events(stage: Stage) -> int:
    """Return the number of the last 30 days' events, by the address that both Workers have."""
    address = f"/api/analytics/stats/{PIXEL}?days=30"
    answer = stage.traffic.http.get(address, headers={"x-api-key": stage.key})
    total: int = answer.json()["data"]["summary"]["total_events"]
    return total


def give_keys(stage: Stage) -> None:
    """Give holders keys of their own, as the document says."""
    first_key = stage.key
    output = stage.shell(block_with("./ppp keys new --name ops")).expect(0)
    stage.shell(block_with("npx wrangler secret put API_KEYS --env production < ")).expect(0)
    [stage.key, *_] = _KEY.findall(output.out)
    await_answer(stage, stage.key, HTTPStatus.OK)
    await_answer(stage, first_key, HTTPStatus.UNAUTHORIZED)
    stage.ppp("projects", "list", "--env", "production").expect(0)


def set_plain_keys(stage: Stage) -> None:
    """Set plain keys for the JavaScript Worker, which this one takes as well."""
    stage.key = str(uuid4())
    stage.shell(
        block_with("npx wrangler secret put API_KEYS --env production\n"),
        answer=f"{stage.key},{uuid4()}",
    ).expect(0)
    await_answer(stage, stage.key, HTTPStatus.OK)


def await_answer(stage: Stage, key: str, status: HTTPStatus) -> None:
    """Wait until the Worker that has the new secret answers a key so.

    Raises:
        RehearsalError: it does not.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = stage.traffic.http.get("/api/projects", headers={"x-api-key": key})
        if answer.status_code == status:
            return
        time.sleep(1)
    raise RehearsalError(f"a key is answered {answer.status_code} where it must be {status}")
