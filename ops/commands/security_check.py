"""`ppp security-check`: try on a Worker what an attacker without a key may try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ops.checks.security_connection import probe_connection, probe_rate_limit
from ops.checks.security_prober import Prober, SecurityFinding
from ops.checks.security_probes import PROBES
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson, Yes
from ops.terminal.output import confirm, console, note, require_no_question, show_json, show_table
from ops.worker_api.worker import EnvWorker, LocalWorker, Url, choose_worker, find_key

COLOURS = {"pass": "green", "fail": "red", "skip": "dim"}
REQUESTS_NOTICE = (
    "about 100 small requests that are refused or only read, none of which stores anything; "
    "two keys that nobody knows (20 an hour would shut this address out)"
)
RATE_LIMIT_NOTICE = (
    "; then broken events until the rate limit answers, about a hundred, "
    "so that no event of this address is taken for a minute"
)

commands = typer.Typer()


@commands.command("security-check", epilog="Example: ./ppp security-check --env production")
def security_check(
    *,
    rate_limit: Annotated[
        bool,
        typer.Option(
            "--rate-limit/--no-rate-limit", help="Send events until the rate limit answers."
        ),
    ] = True,
    yes: Yes = False,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Tests a Worker's security from the outside.

    Tests headers, CORS, keys, limits, bots, injections and errors. Asks first, except with --local.
    Needs no key. That a key in a URL is refused is tested with --local only, because URLs are
    logged. Exits with 1 if a test fails.
    """
    worker = choose_worker(env, url, local=local)
    note(f"{worker}: {REQUESTS_NOTICE}{RATE_LIMIT_NOTICE if rate_limit else ''}")
    if not worker.is_on_this_machine:
        require_no_question(as_json=as_json, yes=yes, dry_run=False)
        if not yes and not confirm("Begin?"):
            return ExitCode.PROBLEMS
    key = find_key(worker) if worker.is_on_this_machine else None
    with Prober.connect(worker, key) as prober:
        findings = [finding for probe in PROBES for finding in probe(prober)]
        findings += probe_connection(prober)
        if rate_limit:
            findings += probe_rate_limit(prober)
    note(f"{prober.sent} requests were sent")
    if as_json:
        show_json({"url": worker.url, "findings": [finding.as_json() for finding in findings]})
    else:
        _show(findings)
    has_failure = any(finding.verdict == "fail" for finding in findings)
    return ExitCode.PROBLEMS if has_failure else ExitCode.FINE


def _show(findings: Sequence[SecurityFinding]) -> None:
    rows = [(finding.verdict, finding.subject, finding.observed) for finding in findings]
    show_table(console(), ("verdict", "what", "seen"), rows, COLOURS)
    verdicts = [finding.verdict for finding in findings]
    typer.echo(
        f"\n{verdicts.count('pass')} passed, {verdicts.count('fail')} failed, "
        f"{verdicts.count('skip')} left out"
    )
