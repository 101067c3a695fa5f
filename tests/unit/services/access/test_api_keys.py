import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.api_keys import ApiKey, find_key, is_old_format, read_api_keys


def sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


READER = ApiKey("dashboard", "read", sha256("reader-key"))
ADMIN = ApiKey("ops", "admin", sha256("admin-key"))
KEYS = (READER, ADMIN)


def test_the_secret_is_a_json_array_of_keys() -> None:
    text = json.dumps(
        [
            {"name": "dashboard", "role": "read", "sha256": READER.sha256, "since": 2026},
            {"name": "ops", "role": "admin", "sha256": ADMIN.sha256},
        ]
    )
    assert read_api_keys(text) == KEYS


@pytest.mark.parametrize("text", [None, "", "[]"])
def test_without_the_secret_there_are_no_keys(text: str | None) -> None:
    assert read_api_keys(text) == ()


@pytest.mark.parametrize(
    "text",
    ["{}", '"hunter2"', '{"name":"hunter2"}', "[hunter2]", '[{"', " {hunter2}"],
)
def test_a_secret_that_is_no_array_is_refused_without_telling_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a JSON array$") as refusal:
        read_api_keys(text)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    "text",
    ["7", "null", "undefined", "true", "hunter2", ",", "a b c d e f", "\ud83dhunter-2", ",a,b,"],
)
def test_what_is_no_key_opens_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a JSON array, or plain keys") as refusal:
        read_api_keys(text)
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("reader-key", ["reader-key"]),
        ("reader-key,admin-key", ["reader-key", "admin-key"]),
        (" reader-key , admin-key,\n", ["reader-key", "admin-key"]),
        ("short,admin-key", ["admin-key"]),
    ],
)
def test_keys_of_the_old_format_open_everything(text: str, keys: list[str]) -> None:
    read = read_api_keys(text)
    assert [(key.role, key.sha256) for key in read] == [("admin", sha256(key)) for key in keys]
    assert is_old_format(text)
    found = find_key(read, keys[-1])
    assert found
    assert found.opens("admin")
    assert find_key(read, text + "x") is None


@pytest.mark.parametrize("text", [None, "", "[]", '[{"name": "a"}]', "{}"])
def test_nothing_else_has_the_old_format(text: str | None) -> None:
    assert not is_old_format(text)


GOOD = {"name": "hunter2", "role": "read", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    "entry",
    [
        "hunter2",
        None,
        ["hunter2"],
        {},
        GOOD | {"name": ""},
        GOOD | {"role": "owner"},
        GOOD | {"role": None},
        GOOD | {"sha256": "hunter2"},
        GOOD | {"sha256": "AB" * 32},
        GOOD | {"sha256": "ab" * 32 + "\n"},
        GOOD | {"sha256": 7},
        {"name": "hunter2", "sha256": "ab" * 32},
    ],
)
def test_a_wrong_entry_is_named_by_its_place_only(entry: object) -> None:
    with pytest.raises(ValueError, match=r"^entry 2 needs a name, a role") as refusal:
        read_api_keys(json.dumps([GOOD, entry]))
    assert "hunter2" not in str(refusal.value)
    assert "abab" not in str(refusal.value)


@pytest.mark.parametrize(("presented", "found"), [("reader-key", READER), ("admin-key", ADMIN)])
def test_a_key_is_known_by_its_hash(presented: str, found: ApiKey) -> None:
    assert find_key(KEYS, presented) == found


@pytest.mark.parametrize(
    "presented",
    ["", " ", "reader-key ", "Reader-Key", READER.sha256, "dashboard", "kéy", "\x00", "\ud83d"],
)
def test_anything_else_is_no_key(presented: str) -> None:
    assert find_key(KEYS, presented) is None


def test_without_keys_nothing_opens() -> None:
    assert find_key((), "") is None
    assert find_key((), "reader-key") is None


def test_a_key_may_hold_any_letters() -> None:
    key = ApiKey("ops", "read", sha256("schlüssel"))
    assert find_key((key,), "schlüssel") == key


@given(st.text(st.characters(categories=None)))
def test_whatever_is_presented_nothing_is_raised(presented: str) -> None:
    assert find_key(KEYS, presented) is None


def test_read_opens_the_numbers_and_admin_everything() -> None:
    assert READER.opens("read")
    assert not READER.opens("admin")
    assert ADMIN.opens("read")
    assert ADMIN.opens("admin")


@pytest.mark.parametrize(
    ("permissions", "sees_persons"),
    [([], False), (["leads"], True), (["leads", "dashboards"], True), ([7, None, "lead"], False)],
)
def test_persons_are_seen_with_the_permission_or_by_an_admin(
    permissions: list[object], *, sees_persons: bool
) -> None:
    [reader, admin] = read_api_keys(
        json.dumps([GOOD | {"permissions": permissions}, GOOD | {"role": "admin"}])
    )
    assert reader.has("leads") == sees_persons
    assert not reader.opens("admin")
    assert admin.has("leads")


@pytest.mark.parametrize("permissions", ["leads", None, {"leads": True}, 1])
def test_permissions_that_are_no_list_are_refused(permissions: object) -> None:
    with pytest.raises(ValueError, match=r"^entry 1: permissions must be a list$"):
        read_api_keys(json.dumps([GOOD | {"permissions": permissions}]))
