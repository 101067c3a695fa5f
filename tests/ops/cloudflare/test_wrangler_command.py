"""What is read from wrangler's output, whether it succeeds or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.cloudflare import wrangler_command
from ops.cloudflare.wrangler_command import RefusedError, WranglerCommand
from ops.terminal.errors import NoAnswerError
from paths import ROOT
from wrangler import WranglerError

COMMAND = WranglerCommand(("d1", "list", "--json"), None)


def prints(monkeypatch: pytest.MonkeyPatch, output: str, *, fails: bool = False) -> None:
    """Stands in for the program: every command prints the same."""

    def run(*_: object, **__: object) -> str:
        if fails:
            raise WranglerError(f"wrangler d1 failed:\n{output}")
        return output

    monkeypatch.setattr(wrangler_command, "wrangler", run)


@pytest.mark.parametrize("text", ["", "A new version is available [4.99]\n\n"])
def test_json_may_follow_other_text(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    prints(monkeypatch, f'{text}[{{"name": "ppp"}}]')
    assert COMMAND.read_json() == [{"name": "ppp"}]


def test_output_without_json_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, "nothing to list")
    with pytest.raises(NoAnswerError, match="answered without JSON"):
        COMMAND.read_json()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ('{"error": {"text": "no such table:\\n x"}}', "no such table: x"),
        ("\x1b[31m✘ \x1b[41m[ERROR]\x1b[0m not\n  allowed\n\n\U0001fab5  Logs", "not allowed"),
        ("killed", "killed"),
        # What Cloudflare's API refuses: the reason is in the notes.
        (
            (
                '{"error": {"text": "A request to the Cloudflare API (/accounts/1/d1) failed.",'
                ' "notes": [{"text": "no such table: x: SQLITE_ERROR [code: 7500]"}]}}'
            ),
            "no such table: x: SQLITE_ERROR [code: 7500]",
        ),
        (
            (
                "[ERROR] A request to the Cloudflare API (/accounts/a-b) failed.\n\n  No such thing"
                " [code: 7]\n\n  If you think this is a bug, open an issue: \x1b[4mhttps://x"
                "\x1b[0m\n\n\U0001fab5  Logs"
            ),
            "No such thing [code: 7]",
        ),
        (
            '{"error": {"text": "A request to the Cloudflare API (/d1) failed.", "notes": []}}',
            "A request to the Cloudflare API (/d1) failed.",
        ),
    ],
)
def test_a_failure_is_one_line(monkeypatch: pytest.MonkeyPatch, output: str, message: str) -> None:
    prints(monkeypatch, output, fails=True)
    with pytest.raises(RefusedError) as error:
        COMMAND.run()
    assert str(error.value) == message


def test_a_missing_login_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    prints(monkeypatch, "[ERROR] set a CLOUDFLARE_API_TOKEN variable", fails=True)
    with pytest.raises(NoAnswerError, match="npx wrangler login") as error:
        COMMAND.run()
    assert not isinstance(error.value, RefusedError)


def test_a_printed_command_names_its_configuration_from_the_root() -> None:
    command = WranglerCommand(("d1", "list"), ROOT / "wrangler.local.json")
    assert str(command) == "npx wrangler d1 list --config wrangler.local.json"
    elsewhere = WranglerCommand(("d1", "list"), Path("/tmp/of it.json"))  # noqa: S108  # only printed
    assert str(elsewhere) == "npx wrangler d1 list --config '/tmp/of it.json'"
