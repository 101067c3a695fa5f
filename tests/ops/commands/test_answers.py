"""`ppp answers`, on a real Worker whose numbers move between its two questions."""

from __future__ import annotations

import json
from pathlib import Path

from tests.harness.worker import some_event
from tests.ops.asking import Service
from tests.ops.running import fails


def test_what_scripts_read_is_kept_and_compared(service: Service, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    stats = f"/api/analytics/stats/{service.pixel()['id']}?days=30"
    output = service.ppp("answers", "save", kept, "/health", "/api/projects", stats)
    assert output.code == 0, output
    assert output.out.splitlines()[-1] == f"3 answers kept in {kept}"
    service.worker.send(some_event())
    output = service.ppp("answers", "compare", kept)
    assert output.code == 0, output
    assert "every answer has all that it had before" in output.out

    answers = json.loads(kept.read_text(encoding="utf-8"))
    answers["/health"]["content"]["worker"] = 1
    answers[stats]["content"]["data"]["gone"] = 1
    kept.write_text(json.dumps(answers), encoding="utf-8")
    output = service.ppp("answers", "compare", kept)
    assert output.code == 1, output
    assert "! /health: worker was a number, is a text" in output.out
    assert f"! {stats}: data.gone is gone" in output.out
    assert "2 problems" in output.out


def test_of_a_table_the_columns_are_kept_and_no_row(service: Service, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    pixel = service.pixel()["id"]
    page = "https://shop.example/only-here"
    assert service.worker.send(some_event(pixel_id=pixel, page_url=page)).status_code == 200
    table = f"/api/analytics/export/{pixel}?format=csv"
    assert service.ppp("answers", "save", kept, table).code == 0
    text = kept.read_text(encoding="utf-8")
    assert page not in text
    answers = json.loads(text)
    assert (answers[table]["type"], answers[table]["rows"]) == ("text/csv", 1)
    assert service.ppp("answers", "compare", kept).code == 0
    answers[table]["columns"].insert(0, "gone")
    kept.write_text(json.dumps(answers), encoding="utf-8")
    output = service.ppp("answers", "compare", kept)
    assert output.code == 1, output
    assert f"! {table}: column 1 was gone, is " in output.out


def test_an_address_that_is_not_answered_is_marked(service: Service, tmp_path: Path) -> None:
    output = service.ppp("answers", "save", tmp_path / "kept.json", "/api/nowhere", "/health")
    assert output.code == 1
    assert "! 404 /api/nowhere" in output.out
    line = fails(service.ppp("answers", "save", tmp_path / "kept.json", "api/projects"), 2)
    assert "must begin with a slash" in line


def test_scripts_get_json(service: Service, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert service.json("answers", "save", kept, "/health")["answers"] == {"/health": 200}
    assert service.json("answers", "compare", kept) == {
        "environment": "local",
        "fine": True,
        "problems": [],
        "notes": [],
    }
