"""Runs `ppp` the way a person does, on a machine where nobody is logged in anywhere."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from paths import ROOT

MODULES = os.pathsep.join(str(ROOT / each) for each in (".", "src", "tools", "python_modules"))
COMMAND = (sys.executable, "-P", "-m", "ops")


@dataclass(frozen=True, slots=True)
class Output:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # a test knows what it asked for
        return json.loads(self.out)


def ppp(
    *arguments: object,
    home: Path,
    env: Mapping[str, str] | None = None,
    answer: str = "",
    command: tuple[str | Path, ...] = COMMAND,
) -> Output:
    """Runs one command. `home` is the home and the working directory, `answer` is typed."""
    basics = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": MODULES}
    process = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=home,
        env=basics | dict(env or {}),
        input=answer,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return Output(process.returncode, process.stdout, process.stderr)


def here(*arguments: object, env: Mapping[str, str] | None = None, answer: str = "") -> Output:
    """Runs one command in this process, which is quicker. `env` is added to the environment."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.argv", ["ppp", *map(str, arguments)])
        patch.setattr("sys.stdin", io.StringIO(answer))
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        code = main()
    return Output(code, *(_written(each) for each in (out, err)))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def fails(output: Output, code: int) -> str:
    """The one line with which a command gave up."""
    assert output.code == code, output
    assert "Traceback" not in output.err
    [line] = [line for line in output.err.splitlines() if line.startswith("error: ")]
    return line
