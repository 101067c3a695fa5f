from paths import ROOT
from rehearsal.life import ENTRY, ROUTE


def test_the_lines_that_a_rehearsal_breaks_are_there() -> None:
    pipeline = (ROOT / "src" / "pipeline.py").read_text(encoding="utf-8")
    entry = (ROOT / "src" / "entry.py").read_text(encoding="utf-8")
    assert (pipeline.count(ROUTE), entry.count(ENTRY)) == (1, 1)
