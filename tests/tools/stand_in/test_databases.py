"""The real wrangler and the stand-in's D1, R2 and tokens."""

from __future__ import annotations

from pathlib import Path

from stand_in.databases import split_statements
from tests.tools.stand_in.cloud import BUCKET, DATABASE, Tiny

TRIGGER = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;"


def test_statements_are_split_as_sqlite_reads_them() -> None:
    text = f"-- one; two\nSELECT ';'; {TRIGGER} SELECT 2"
    assert list(split_statements(text)) == ["-- one; two\nSELECT ';';", TRIGGER, "SELECT 2;"]
    assert list(split_statements("-- nothing\n;\n-- here")) == []


def test_a_database_is_filled_exported_set_back_and_deleted(tiny: Tiny, tmp_path: Path) -> None:
    assert tiny.read_json("d1", "list", "--json")[0]["name"] == DATABASE
    # A file is all or nothing, and so are the statements of a command.
    bad, good, out = (tmp_path / name for name in ("bad.sql", "good.sql", "out.sql"))
    bad.write_text(
        "CREATE TABLE a (n); INSERT INTO a VALUES (1); SELECT nowhere;", encoding="utf-8"
    )
    code, output = tiny.try_wrangler(
        "d1", "execute", "DB", "--remote", "--yes", "--json", "--file", str(bad)
    )
    assert code == 1
    assert "no such column: nowhere" in output
    assert tiny.sql("SELECT count(*) AS n FROM sqlite_master WHERE name = 'a'") == [{"n": 0}]
    good.write_text("CREATE TABLE a (n); INSERT INTO a VALUES (1), (2);", encoding="utf-8")
    tiny.wrangler("d1", "execute", "DB", "--remote", "--yes", "--json", "--file", str(good))
    assert tiny.sql("SELECT sum(n) AS n FROM a") == [{"n": 3}]

    tiny.wrangler("d1", "export", "DB", "--remote", "--output", str(out))
    assert 'INSERT INTO "a" ("n") VALUES(2);' in out.read_text(encoding="utf-8")

    bookmark = tiny.read_json("d1", "time-travel", "info", "DB", "--json")["bookmark"]
    tiny.sql("DELETE FROM a")
    tiny.wrangler("d1", "time-travel", "restore", "DB", f"--bookmark={bookmark}", "--json")
    assert tiny.sql("SELECT sum(n) AS n FROM a") == [{"n": 3}]

    code, output = tiny.try_wrangler("d1", "create", DATABASE)
    assert code == 1
    assert "already exists" in output
    tiny.wrangler("d1", "delete", DATABASE, "--skip-confirmation")
    code, output = tiny.try_wrangler("d1", "execute", "DB", "--remote", "--command", "SELECT 1")
    assert code == 1


def test_objects_come_and_go(tiny: Tiny, tmp_path: Path) -> None:
    file = tmp_path / "object"
    file.write_bytes(b"\0\1 content")
    path = f"{BUCKET}/a folder/ä.bin"
    tiny.wrangler("r2", "object", "put", path, "--file", str(file), "--remote")
    copy = tmp_path / "copy"
    tiny.wrangler("r2", "object", "get", path, "--file", str(copy), "--remote")
    assert copy.read_bytes() == b"\0\1 content"
    tiny.wrangler("r2", "object", "delete", path, "--remote")
    code, output = tiny.try_wrangler("r2", "object", "get", path, "--file", str(copy), "--remote")
    assert code == 1
    assert "The specified key does not exist" in output


def test_a_token_that_may_only_read_changes_nothing(tiny: Tiny) -> None:
    tokens = tiny.cloud.tokens
    tokens.valid, tokens.read_only = set(), {tiny.cloud.token}
    try:
        assert "Rehearsals" in tiny.wrangler("whoami", "--json")
        code, output = tiny.try_wrangler("d1", "create", "forbidden")
    finally:
        tokens.valid, tokens.read_only = {tiny.cloud.token}, set()
    assert code == 1
    assert "10000" in output
