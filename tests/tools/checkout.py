"""A checkout of its own for `make dev`, and the process that runs there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paths import CACHE, ROOT
from tests.ops.running import Output

PORT_OPTIONS = ("--port", "--demo-port", "--pipedrive-port")
FOLDERS = ("build", "config", "demo", "migrations", "ops", "src", "tests/tools", "tools")
LINKS = (".venv", "python_modules")
# A busy machine takes minutes for what a quiet one does in seconds.
PATIENCE_SECONDS = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], Any], seconds: float | None = None) -> Any:  # noqa: ANN401  # whatever is waited for
    """Waits for something and returns it."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if seconds is None else seconds)
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


@dataclass(slots=True)
class Dev:
    """A `make dev` in a checkout, as started by make."""

    process: subprocess.Popen[str]
    root: Path
    log: Path
    groups: set[int] = field(default_factory=set)

    def state(self) -> dict[str, Any]:
        """What it says of itself when it is ready."""

        def read() -> dict[str, Any]:
            assert self.process.poll() is None, self.said()
            state = self.written_state()
            return state if state.get("is_ready") else {}

        state: dict[str, Any] = until(read)
        self.groups.add(state["worker"])
        return state

    def written_state(self) -> dict[str, Any]:
        """What it wrote of itself, also while it starts a Worker; nothing if it never did."""
        file = self.root / ".wrangler" / "dev.json"
        state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return state if state.get("process") == self.process.pid else {}

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with everything that `make dev` and the commands need."""

    root: Path
    ports: tuple[int, ...]

    def command(self, *settings: str) -> list[str]:
        """Runs tools/dev.py, with some of its constants changed."""
        options = [
            str(word) for pair in zip(PORT_OPTIONS, self.ports, strict=True) for word in pair
        ]
        start = "import sys, dev, dev_worker as worker; "
        changed = "".join(f"{setting}; " for setting in settings)
        return [sys.executable, "-c", f"{start}{changed}sys.exit(dev.main(sys.argv[1:]))", *options]

    @property
    def environment(self) -> dict[str, str]:
        modules = (".", "src", "tools", "python_modules")
        path = os.pathsep.join(str(self.root / module) for module in modules)
        return {**os.environ, "PYTHONPATH": path}

    @contextmanager
    def dev(self, *settings: str) -> Iterator[Dev]:
        """Runs `make dev` until the block ends; nothing of it is left then."""
        log = self.root / "dev.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                self.command(*settings),
                cwd=self.root,
                env=self.environment,
                stdout=file,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        dev = Dev(process, self.root, log)
        try:
            yield dev
        finally:
            process.kill()
            process.wait()
            # A Worker that was started again after the test last asked is here only.
            for group in {*dev.groups, dev.written_state().get("worker", 0)} - {0}:
                kill(group)

    def run(self, *command: str, answer: str = "") -> Output:
        """Runs a command there to its end; `answer` is typed."""
        process = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            input=answer,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Output(process.returncode, process.stdout, process.stderr)

    def ppp(self, *arguments: str, answer: str = "") -> Output:
        return self.run(sys.executable, "-P", "-m", "ops", *arguments, answer=answer)

    def shell(self, line: str, answer: str = "") -> Output:
        """Runs a line as somebody types it; `./ppp` makes no set-up, which is everybody's."""
        script = self.root / "ppp"
        if not script.exists():
            text = (ROOT / "ppp").read_text(encoding="utf-8")
            set_up = re.compile(r"^if ! make .*?^fi$\n", re.DOTALL | re.MULTILINE)
            script.write_text(set_up.sub("", text), encoding="utf-8")
            script.chmod(0o755)
        return self.run("sh", "-c", line, answer=answer)


def new_checkout(root: Path, wrangler: Path | None = None) -> Checkout:
    """A checkout in a folder; with another program in place of wrangler."""
    root.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name)
    for name in ("Makefile", "wrangler.toml", "pyproject.toml"):
        shutil.copyfile(ROOT / name, root / name)
    shutil.copytree(
        CACHE, root / ".cache", ignore=shutil.ignore_patterns("restore-*", "dev-api-key")
    )
    for name in LINKS:
        (root / name).symlink_to((ROOT / name).resolve())
    link_node_modules(root, wrangler)
    return Checkout(root, (free_port(), free_port(), free_port()))


def link_node_modules(root: Path, wrangler: Path | None) -> None:
    modules = (ROOT / "node_modules").resolve()
    if wrangler is None:
        (root / "node_modules").symlink_to(modules)
        return
    programs = root / "node_modules" / ".bin"
    programs.mkdir(parents=True)
    for package in modules.glob("[!.]*"):
        (root / "node_modules" / package.name).symlink_to(package)
    (programs / "wrangler").symlink_to(root / wrangler.relative_to(ROOT))
    (programs / "wrangler").chmod(0o755)


def kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
    until(lambda: not is_alive(group))


def is_alive(group: int) -> bool:
    """Whether a process group has a process; one that ended counts until it is reaped."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
