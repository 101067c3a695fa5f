import pytest

from paths import ROOT
from rehearsal.__main__ import main
from rehearsal.life import ENTRY, ROUTE


def test_the_lines_that_a_rehearsal_breaks_are_there() -> None:
    pipeline = (ROOT / "src" / "pipeline.py").read_text(encoding="utf-8")
    entry = (ROOT / "src" / "entry.py").read_text(encoding="utf-8")
    assert (pipeline.count(ROUTE), entry.count(ENTRY)) == (1, 1)


def test_a_rehearsal_of_no_act_is_refused_with_the_names_of_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--short", "--only", "rollbak"])
    assert ended.value.code == 2
    assert "no act has rollbak in its name; there are\n  " in capsys.readouterr().err
