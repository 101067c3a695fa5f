import pytest

from paths import ROOT
from rehearsal.__main__ import main
from rehearsal.life import ENTRY, LONG_LIFE, ROUTE, acts_of


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


def test_a_part_brings_the_deployments_that_it_needs() -> None:
    names = [act.name for act in acts_of(LONG_LIFE, ["rollback"])]
    assert names == [
        "preflight before the first deployment",
        "first deployment",
        "backup",
        "second deployment",
        "rollback and forth",
    ]
    assert acts_of(LONG_LIFE, ["preflight"])[-1].name == "preflight before the first deployment"
    assert acts_of(LONG_LIFE, ["no such act"]) == []
    assert acts_of(LONG_LIFE, None) == LONG_LIFE
