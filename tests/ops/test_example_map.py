from paths import ROOT
from services.pipedrive.fields import FIELD_NAMES, read_field_map

EXAMPLE = ROOT / "config" / "pipedrive-fields.example.json"


def test_the_example_is_a_valid_map_of_every_name_in_our_order() -> None:
    entries = read_field_map(EXAMPLE.read_text(encoding="utf-8"))
    assert tuple(entries) == FIELD_NAMES


def test_nobody_takes_the_keys_of_the_example_for_real_ones() -> None:
    entries = read_field_map(EXAMPLE.read_text(encoding="utf-8"))
    assert [int(key) for key in entries.values()] == list(range(1, len(FIELD_NAMES) + 1))
