from pathlib import Path

import pytest

from bot_figures import figures, main


def test_bots_and_devices_are_counted_apart(tmp_path: Path) -> None:
    bots = "- user_agent: Examplebot/1.0\n- user_agent: 'Mozilla/5.0 (Windows NT 10.0) Gecko/1'\n"
    (tmp_path / "bots.yml").write_text(bots, encoding="utf-8")
    phone = "- user_agent: Nokia6230/2.0 Profile/MIDP-2.0\n- headers: none\n"
    (tmp_path / "smartphone-3.yml").write_text(phone, encoding="utf-8")
    (tmp_path / "mediaplayer.yml").write_text("- user_agent: Player/1\n", encoding="utf-8")

    assert figures(tmp_path) == [
        "bots: 1 of 2 are taken for bots (50.000 %)",
        "devices: 0 of 1 are taken for bots (0.000 %)",
    ]


def test_a_folder_without_the_fixtures_is_named_as_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "Tests/fixtures" in capsys.readouterr().out
