"""Which database a command touches, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.cloudflare.database import MAX_IDS_PER_STATEMENT, Database, id_batches, integer_list
from ops.cloudflare.target import Environment, Target, choose_target
from ops.terminal.errors import WrongUsageError
from paths import ROOT
from pyodide_bundle import Bundle
from tests.ops.running import fails, ppp


def test_production_is_what_wrangler_toml_says() -> None:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    assert str(target) == (
        "production: D1 ppp-tracking-db (777a0ed8-e3ee-42fc-ad9b-12f7964c1c0b), remote"
    )
    assert target.config is None


def test_environments_that_share_a_bucket_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    assert list(target.bucket_sharers) == []
    text = (ROOT / "wrangler.toml").read_text(encoding="utf-8")
    staging = f"""
[[env.staging.r2_buckets]]
binding = "BACKUPS"
bucket_name = "{target.bucket}"
"""
    (tmp_path / "wrangler.toml").write_text(text + staging, encoding="utf-8")
    monkeypatch.setattr("ops.cloudflare.target.ROOT", tmp_path)
    assert list(target.bucket_sharers) == ["staging"]


@pytest.mark.parametrize(
    ("environment", "persist_to", "local"),
    [
        (None, None, False),
        (Environment.PRODUCTION, None, True),
        (Environment.PRODUCTION, Path("x"), False),
    ],
)
def test_no_database_is_assumed(
    environment: Environment | None, persist_to: Path | None, *, local: bool
) -> None:
    with pytest.raises(WrongUsageError, match="--local"):
        choose_target(environment, persist_to, local=local)


def test_the_command_for_production_can_be_pasted_into_a_shell() -> None:
    database = Database(Target(Environment.PRODUCTION, "ppp-tracking-db", "777a0ed8"))
    assert database.command("SELECT\n  'a'", "SELECT 2") == (
        'npx wrangler d1 execute DB --env production --remote --json --command "'
        "SELECT 'a'; SELECT 2\""
    )
    assert database.command("SELECT '$' ->> '$'").endswith(
        """--command 'SELECT '"'"'$'"'"' ->> '"'"'$'"'"''"""
    )


def test_ids_go_in_portions() -> None:
    ids = list(range(1, 2 * MAX_IDS_PER_STATEMENT + 2))
    parts = list(id_batches(ids))
    assert [len(part) for part in parts] == [MAX_IDS_PER_STATEMENT, MAX_IDS_PER_STATEMENT, 1]
    assert [number for part in parts for number in part] == ids


def test_only_numbers_become_a_list_of_numbers() -> None:
    assert integer_list([1, 22]) == "1, 22"
    with pytest.raises(ValueError, match="invalid literal"):
        integer_list(["1); DROP TABLE pixels"])  # type: ignore[list-item]  # what it is there for


def test_who_is_not_logged_in_is_told_how_to(home: Path, local_config: Bundle) -> None:
    output = ppp("leads", "--env", "production", home=home)
    assert output.err.startswith("production: D1 ppp-tracking-db (777a0ed8-")
    assert "npx wrangler login" in fails(output, 3)


def test_a_database_without_tables_is_called_so(home: Path, local_config: Bundle) -> None:
    output = ppp("leads", "--local", "--persist-to", home / "empty", "--json", home=home)
    assert "lacks tables or migrations" in fails(output, 3)
    assert output.json["exit_code"] == 3
