import pytest

from services.archive.rewriting import day_of_key


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("archive/pixel/2026-05-01/1-2.ndjson.gz", "2026-05-01"),
        ("archive/pixel/2026-05-01/1-2.json", "2026-05-01"),
        ("archive/pixel/notes.json", None),
        ("backups/pixel/2026-05-01/1-2.json", None),
    ],
)
def test_the_day_of_a_key_is_of_the_archive_only(key: str, day: str | None) -> None:
    assert day_of_key(key) == day
