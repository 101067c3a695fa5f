import signal
import subprocess
import sys
from urllib.parse import urlsplit

import httpx

from paths import ROOT
from simulator.server import Simulator

COMMAND = [sys.executable, str(ROOT / "tools" / "simulator")]


def test_it_runs_alone_and_prints_where_and_with_which_token() -> None:
    process = subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    _, url = process.stdout.readline().rsplit(maxsplit=1)
    api_url = process.stdout.readline().split()[-1]
    token = process.stdout.readline().split()[-1]
    headers = {"x-api-token": token}
    assert httpx.get(url, trust_env=False).status_code == 200
    person = httpx.get(f"{api_url}/persons/1", headers=headers, trust_env=False).json()
    assert person["data"]["name"] == "Jane Doe"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert (output, process.returncode) == ("\nstopped\n", 0)


def test_a_taken_port_is_one_clear_line(pipedrive: Simulator) -> None:
    port = urlsplit(pipedrive.url).port
    command = [*COMMAND, "--port", str(port)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith(f"error: port {port} cannot be used:")
    assert process.stderr.count("\n") == 1


def test_help_says_what_it_is() -> None:
    process = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "Pipedrive simulator" in process.stdout
    assert "--port" in process.stdout
