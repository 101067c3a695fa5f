"""`ppp fields`, run as a person runs it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.pipedrive.fields import FIELD_NAMES, read_field_map
from simulator.fields import field_code
from simulator.server import Simulator
from tests.ops.running import Output, fails, ppp

FULL_MAP = {name: field_code(name) for name in FIELD_NAMES}


def run(home: Path, pipedrive: Simulator, *arguments: object, **env: str) -> Output:
    account = {"PIPEDRIVE_API_KEY": pipedrive.token, "PIPEDRIVE_URL": pipedrive.api_url}
    output = ppp("fields", *arguments, home=home, env=account | env)
    assert pipedrive.token not in output.out + output.err
    return output


def write_map(home: Path, entries: dict[str, str]) -> None:
    (home / "pipedrive-fields.json").write_text(json.dumps(entries), encoding="utf-8")


def change_field(pipedrive: Simulator, name: str, **change: str) -> None:
    fields = pipedrive.account.fields
    [index] = [index for index, entry in enumerate(fields) if entry.field_code == field_code(name)]
    fields[index] = replace(fields[index], **change)  # type: ignore[arg-type]  # texts only


def test_a_map_that_fits_is_fine(home: Path, pipedrive: Simulator) -> None:
    write_map(home, FULL_MAP)
    output = run(home, pipedrive, "check")
    assert (output.code, output.err) == (0, "")
    first, *_, last = output.out.splitlines()
    assert first == f"Pipedrive: {pipedrive.api_url}, only read (no database is touched)"
    short = output.out.count("cut after 255 characters")
    mapped = len(FULL_MAP) - short
    assert last == f"{len(FULL_MAP)} fields compared: {mapped} ok, {short} too short"
    assert "search_query: cut after 255 characters" in output.out
    assert '"desktop", "mobile", "tablet"' in output.out


def test_all_problems_are_said_at_once(home: Path, pipedrive: Simulator) -> None:
    change_field(pipedrive, "city", field_type="monetary")
    change_field(pipedrive, "region", field_name="[red]\x1b[31mRegion")
    write_map(home, {"gclid": "0" * 40, "city": FULL_MAP["city"], "region": FULL_MAP["region"]})
    output = run(home, pipedrive, "check", COLUMNS="120")
    assert output.code == 1
    rows = {line.split()[0]: line for line in output.out.splitlines() if line}
    assert "0" * 40 in rows["gclid"]
    assert rows["gclid"].split()[-1] == "missing"
    assert rows["city"].split()[-3:] == ["monetary", "wrong", "type"]
    assert "[red][31mRegion" in rows["region"]
    assert "Not in the map, so not sent" in output.out
    assert output.out.splitlines()[-1] == "3 fields compared: 1 missing, 1 wrong type, 1 ok"


def test_a_key_is_whole_however_small_the_terminal_is(home: Path, pipedrive: Simulator) -> None:
    write_map(home, FULL_MAP | {"gclid": "0" * 40})
    output = run(home, pipedrive, "check", COLUMNS="40")
    assert output.out == run(home, pipedrive, "check", COLUMNS="400").out
    for key in ("0" * 40, FULL_MAP["city"]):
        assert key in output.out


def test_scripts_get_json_and_nothing_else(home: Path, pipedrive: Simulator) -> None:
    (home / "mine.json").write_text(json.dumps({"gclid": FULL_MAP["gclid"], "x": "y"}))
    output = run(home, pipedrive, "check", "--map", "mine.json", "--json")
    assert output.code == 1
    assert output.json["fields"] == [
        {
            "name": "gclid",
            "key": FULL_MAP["gclid"],
            "account_field": "Google click ID",
            "type": "varchar",
            "verdict": "ok",
            "note": "",
        }
    ]
    assert output.json["problems"] == ["x is none of our values"]
    assert "utm_source" in output.json["not_in_the_map"]
    assert output.err.startswith("Pipedrive: ")


def test_a_refused_token_is_one_line(home: Path, pipedrive: Simulator) -> None:
    write_map(home, FULL_MAP)
    output = run(home, pipedrive, "check", PIPEDRIVE_API_KEY="another")
    assert "(401)" in fails(output, 3)
    assert "another" not in output.out + output.err


def test_without_a_map_or_a_token_it_is_said_what_to_do(home: Path) -> None:
    assert "ppp fields suggest --out pipedrive-fields.json" in fails(
        ppp("fields", "check", home=home), 2
    )
    write_map(home, FULL_MAP)
    assert "export PIPEDRIVE_API_KEY" in fails(ppp("fields", "check", home=home), 2)


def test_the_suggestion_is_a_map_that_fits(home: Path, pipedrive: Simulator) -> None:
    output = run(home, pipedrive, "suggest")
    assert output.code == 0
    assert dict(read_field_map(output.out)) == FULL_MAP
    assert "./ppp fields check --map pipedrive-fields.json" in output.err
    assert "npx wrangler secret put PIPEDRIVE_FIELDS --env production" in output.err


def test_a_file_is_overwritten_only_when_told_so(home: Path, pipedrive: Simulator) -> None:
    write_map(home, {})
    arguments = ("suggest", "--out", "pipedrive-fields.json")
    assert "--force" in fails(run(home, pipedrive, *arguments), 2)
    output = run(home, pipedrive, *arguments, "--force")
    assert (output.code, output.out) == (0, "")
    written = (home / "pipedrive-fields.json").read_text(encoding="utf-8")
    assert dict(read_field_map(written)) == FULL_MAP


def test_what_is_left_open_is_said_with_names_and_keys(home: Path, pipedrive: Simulator) -> None:
    change_field(pipedrive, "city", field_name="PPP Region")
    output = run(home, pipedrive, "suggest", "--json")
    assert output.code == 1
    assert output.json["unmatched"] == ["city"]
    ambiguous_keys = {
        entry["account_field"]: entry["key"] for entry in output.json["ambiguous"]["region"]
    }
    assert ambiguous_keys == {"PPP Region": FULL_MAP["city"], "Region": FULL_MAP["region"]}
    assert f'region: not chosen, it could be "Region" ({FULL_MAP["region"]}) or' in output.err
    assert "no field of that name: city" in output.err


@pytest.mark.parametrize("out", [(), ("--out", "new.json")])
def test_without_any_match_there_is_no_map(
    home: Path, pipedrive: Simulator, out: tuple[str, ...]
) -> None:
    pipedrive.account.fields.clear()
    output = run(home, pipedrive, "suggest", *out)
    assert (output.code, output.out) == (1, "")
    assert "so there is no map" in output.err
    assert not (home / "new.json").exists()
