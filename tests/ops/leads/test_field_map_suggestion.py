import pytest

from ops.leads.field_map_suggestion import IGNORED_WORDS, SYNONYMS, suggest, value_name
from services.pipedrive.fields import FIELD_NAMES, AccountField


def field(name: str, key: str = "a" * 40) -> AccountField:
    return AccountField(key, name, "varchar", {})


@pytest.mark.parametrize("name", FIELD_NAMES)
def test_our_own_names_are_understood_in_every_spelling(name: str) -> None:
    label = name.replace("_", " ")
    spellings = (name, label, label.title(), name.replace("_", "-"), name.upper())
    marked = (f"PPP {label}", f"PPP Pixel: {label}", f"{label} (lead)")
    assert {value_name(spelling) for spelling in (*spellings, *marked)} == {name}


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Referrer", "referrer_url"),
        ("OS", "operating_system"),
        ("Lead – Google Click-ID", "gclid"),  # noqa: RUF001  # as people type
        ("Microsoft Click ID", "msclkid"),
        ("Bing click id", "msclkid"),
        ("Pages visited", "visited_pages"),
        ("UtmSource", "utm_source"),
        ("PPP Pixel ID", "pixel_id"),
    ],
)
def test_what_can_mean_only_one_value_is_understood(name: str, meaning: str) -> None:
    assert value_name(name) == meaning


@pytest.mark.parametrize(
    "name", ["Landing page", "Source", "Campaign", "Lead ID", "Pixel", "PPP", "", "—", "UTM"]
)
def test_what_could_mean_anything_is_left_alone(name: str) -> None:
    assert value_name(name) is None


def test_no_synonym_stands_for_two_values() -> None:
    terms = [synonym for synonyms in SYNONYMS.values() for synonym in synonyms]
    assert len(terms) == len(set(terms))
    assert all(value_name(word) == name for name, terms in SYNONYMS.items() for word in terms)
    assert not any(word in IGNORED_WORDS for word in terms)


def test_the_map_is_in_our_order_whatever_the_order_of_the_account() -> None:
    fields = [field(name, f"{index:040x}") for index, name in enumerate(reversed(FIELD_NAMES))]
    suggestion = suggest(fields)
    assert tuple(suggestion.entries) == FIELD_NAMES
    assert (suggestion.ambiguous, suggestion.unmatched) == ({}, [])


def test_of_two_fields_with_one_meaning_none_is_chosen() -> None:
    fields = [field("UTM source", "a" * 40), field("utm_source", "b" * 40)]
    suggestion = suggest([*fields, field("City", "c" * 40)])
    assert suggestion.entries == {"city": "c" * 40}
    assert suggestion.ambiguous == {"utm_source": fields}
    assert "utm_source" not in suggestion.unmatched
    assert "gclid" in suggestion.unmatched
