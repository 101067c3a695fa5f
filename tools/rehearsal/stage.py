"""Where a rehearsal is played: a copy of this checkout, the stand-in, and its production."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

from processes import kill_group
from rehearsal.checkout_copy import copy_checkout
from rehearsal.old_production import (
    secret_values,
    stand_old_worker,
    write_old_checkout,
    write_old_database,
)
from rehearsal.traffic import Traffic
from simulator.fields import demo_field_map
from simulator.server import Simulator, simulator
from stand_in.production import add_stores, production_hosts, production_settings
from stand_in.server import StandIn, stand_in

COMMAND_SECONDS = 1_800
PAUSE_SECONDS = 5
CRON = "*/5 * * * *"
SHELL = ("/bin/bash", "-eu", "-o", "pipefail", "-c")
MAX_SHOWN_CHARACTERS = 120
# The name of all persons of a rehearsal in Pipedrive.
PERSON = "Rehearsed Visitor"


_RESULTS = re.compile(r'"results": \[.*?\]', re.DOTALL)
_WORD = re.compile(r"\w")


class RehearsalError(Exception):
    """Something was not as it must be; the message says what."""


@dataclass(frozen=True, slots=True)
class Output:
    """How a command ended, and what it printed."""

    command: str
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Its standard output as JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise RehearsalError(f"{self.command} printed no JSON:\n{self.text}") from None

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.out + self.err

    def expect(self, code: int, *texts: str) -> Output:
        """Check the exit code, that texts were printed, and that no traceback was.

        Raises:
            RehearsalError: it is another.
        """
        flat = " ".join(self.text.split())
        missing = [text for text in texts if text not in flat]
        # One of the Worker itself may be quoted within a line.
        has_crashed = bool(re.search(r"^Traceback", self.text, re.MULTILINE))
        if self.code != code or missing or has_crashed:
            raise RehearsalError(
                f"{self.command} ended with {self.code}, expected {code}; missing: {missing}\n"
                f"{self.text[-4_000:]}"
            )
        return self


@dataclass(frozen=True, slots=True)
class Step:
    """A command that was run, how long it took, and the last line that it printed."""

    command: str
    seconds: float
    code: int
    last_line: str


@dataclass
class Stage:
    """A production on the stand-in, and a checkout that deploys to it."""

    cloud: StandIn
    checkout: Path
    pipedrive: Simulator
    traffic: Traffic
    key: str
    inherited: int
    variables: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the inherited rows, as they were at the beginning."""

    @property
    def worker(self) -> str:
        """The Worker's name."""
        return str(production_settings()["name"])

    @property
    def database_id(self) -> str:
        """The id of the database that the checkout's configuration names."""
        text = (self.checkout / "wrangler.toml").read_text(encoding="utf-8")
        return text.rpartition("database_id = ")[2].partition('"')[2].partition('"')[0]

    def environment(self) -> dict[str, str]:
        """Return the environment of whoever sits at this checkout."""
        old_checkout = str(self.checkout.parent / "old-checkout")
        login = {"PPP_API_KEY": self.key, "OLD_CHECKOUT": old_checkout, "COLUMNS": "300"}
        # As npx does, the pinned Node comes first. What make would set up is shared with the
        # checkout that was copied, so it is not to be touched.
        folders = (self.checkout / "node_modules" / ".bin", self.checkout.parent / "bin")
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
        return os.environ | self.cloud.variables() | login | {"PATH": path} | self.variables

    def ppp(self, *arguments: str, answer: str = "") -> Output:
        """Run `./ppp` to its end."""
        return self._run(["./ppp", *arguments], answer)

    def wrangler(self, *arguments: str, answer: str = "") -> Output:
        """Run `npx wrangler` to its end."""
        return self._run(["node_modules/.bin/wrangler", *arguments], answer)

    def shell(self, commands: str, answer: str = "") -> Output:
        """Run commands as a document has them, to the first one that fails."""
        return self._run([*SHELL, commands], answer)

    def _run(self, command: list[str], answer: str) -> Output:
        # What a shell was given is its last argument.
        command_text = command[-1] if command[0] == SHELL[0] else " ".join(command)
        start = time.monotonic()
        print(f"  {datetime.now(UTC):%H:%M:%S} {_first_line(command_text)}", flush=True)
        process = subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment(),
            input=answer,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        output = Output(" ".join(command), process.returncode, process.stdout, process.stderr)
        self._note(output)
        seconds = time.monotonic() - start
        # What a question asks says nothing; how it ended is on stderr then.
        has_asked = process.stdout.rstrip().endswith("[y/N]:")
        last = "" if has_asked else _last_line(process.stdout)
        last = last or _last_line(process.stderr)
        one_line = " ⏎ ".join(line.strip() for line in command_text.splitlines())
        self.steps.append(Step(one_line, seconds, output.code, last))
        print(f"    {seconds:.0f} s, exit code {output.code}: {last}", flush=True)
        return output

    def _note(self, output: Output) -> None:
        """Keep what a command printed, for whoever looks into a failure."""
        with (self.checkout.parent / "commands.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {output.command} → {output.code}\n{output.text}\n")

    def interrupted(self, *arguments: str, moment: str) -> Output:
        """Run `./ppp`, and press Ctrl+C as soon as it prints a text."""
        with subprocess.Popen(
            ["./ppp", *arguments],
            cwd=self.checkout,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                printed = ""
                for line in process.stdout or ():
                    printed += line
                    if moment in line:
                        process.send_signal(signal.SIGINT)
                        break
                printed += process.communicate(timeout=COMMAND_SECONDS)[0]
            finally:
                kill_group(process)
        command = f"./ppp {' '.join(arguments)}, Ctrl+C at {moment!r}"
        output = Output(command, process.returncode, printed, "")
        self._note(output)
        return output

    def ppp_while(self, happens: Callable[[], None], *arguments: str) -> Output:
        """Run `./ppp`, and let something happen every few seconds until it ends."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.ppp, *arguments)
            while wait([running], PAUSE_SECONDS).not_done:
                happens()
            return running.result()

    @staticmethod
    def next_minute() -> str:
        """Wait for the next minute, and return it as the commands take it."""
        time.sleep(61 - datetime.now(UTC).second)
        return f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"

    def cron(self) -> None:
        """Let the cron trigger fire once."""
        fired = self.cloud.cron(self.worker, CRON, self.traffic.now_milliseconds())
        if fired["outcome"] != "ok":
            raise RehearsalError(f"the cron run of {fired['version']} ended with {fired}")

    @contextmanager
    def changed(self, file: str, before: str, after: str) -> Iterator[None]:
        """Change a file of the checkout for a while.

        Raises:
            RehearsalError: the text to replace is not in it once.
        """
        path = self.checkout / file
        content = path.read_text(encoding="utf-8")
        if content.count(before) != 1:
            raise RehearsalError(f"{file} has {before!r} {content.count(before)} times, not once")
        path.write_text(content.replace(before, after), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(content, encoding="utf-8")

    def name_database(self, database_id: str, name: str) -> None:
        """Write another database into the checkout's configuration, as a person does."""
        path = self.checkout / "wrangler.toml"
        head, mark, production = path.read_text(encoding="utf-8").partition("[env.production]")
        lines = [
            f'database_id = "{database_id}"'
            if line.startswith("database_id")
            else f'database_name = "{name}"'
            if line.startswith("database_name")
            else line
            for line in production.splitlines()
        ]
        path.write_text(head + mark + "\n".join(lines) + "\n", encoding="utf-8")


def _first_line(text: str) -> str:
    first, *next_lines = text.splitlines()
    is_cut = bool(next_lines) or len(first) > MAX_SHOWN_CHARACTERS
    return first[:MAX_SHOWN_CHARACTERS] + (" …" if is_cut else "")


def _last_line(text: str) -> str:
    """Return the last line that has words; of an answer of D1 its rows."""
    rows = _RESULTS.findall(text)
    if rows:
        return " ".join(rows[-1].split())[:MAX_SHOWN_CHARACTERS]
    lines = [line.strip() for line in text.splitlines() if _WORD.search(line)]
    return lines[-1][:MAX_SHOWN_CHARACTERS] if lines else ""


@contextmanager
def open_stage(folder: Path, events: int) -> Iterator[Stage]:
    """Build the production of the old Worker with so many events, and a checkout beside it.

    A folder in which a rehearsal was played before is opened as it was left.
    """
    checkout, secret_file = folder / "checkout", folder / "secrets.json"
    is_new = not secret_file.exists()
    if is_new:
        copy_checkout(checkout)
        write_old_checkout(folder / "old-checkout")
        secret_file.write_text(json.dumps({"key": str(uuid4()), "token": token_hex(20)}))
    logins = json.loads(secret_file.read_text(encoding="utf-8"))
    with (
        simulator(token=logins["token"]) as pipedrive,
        stand_in(folder / "cloud", production_hosts(), _outside(pipedrive)) as cloud,
    ):
        if is_new:
            # As the old Worker reads them: UUIDs with commas between.
            keys = ",".join([logins["key"], str(uuid4())])
            _build_production(cloud, keys, pipedrive.token, events)
        [host] = production_hosts()
        with Traffic(host, cloud.variables(), _acquaintance(pipedrive)) as traffic:
            yield Stage(cloud, checkout, pipedrive, traffic, logins["key"], events)


def _acquaintance(pipedrive: Simulator) -> Callable[[str], object]:
    """Return what makes a person of an address in the client's CRM."""
    return lambda email: pipedrive.account.add_person(PERSON, [email])


def _build_production(cloud: StandIn, keys: str, token: str, events: int) -> None:
    control = cloud.cloud
    control.stop_workerd()
    add_stores(control.account)
    [database] = control.account.databases
    write_old_database(control.database_path(database.uuid), events)
    stand_old_worker(control, secret_values(keys, token, demo_field_map()))


def _outside(pipedrive: Simulator) -> Mapping[str, str]:
    """Return what Workers reach of the outside world."""
    return {"api.pipedrive.com": pipedrive.url}
