import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.api_keys import (
    NO_ARRAY,
    NO_KEYS,
    UUID_INSIDE,
    WRONG_ENTRY,
    WRONG_PERMISSIONS,
    WRONG_PLAIN_KEY,
    WRONG_PROJECTS,
    ApiKey,
    KeySecret,
    find_key,
    read_api_keys,
)


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
    assert read_api_keys(text) == KeySecret(KEYS)
    # As some editors and shells write it.
    assert read_api_keys(f"\ufeff {text}\r\n") == KeySecret(KEYS)


def test_a_key_may_be_for_some_projects() -> None:
    entry = {"name": "client", "role": "read", "sha256": READER.sha256}
    [key] = read_api_keys(json.dumps([entry | {"projects": ["a", " b ", "a"]}])).keys
    assert key.projects == frozenset("ab")
    [key] = read_api_keys(json.dumps([entry])).keys
    assert key.projects is None


@pytest.mark.parametrize("projects", [[], None, "a", {"a": 1}, ["a", 7], ["a", None], [""], [" "]])
def test_an_entry_whose_projects_nobody_understands_opens_nothing(projects: object) -> None:
    entry = {"name": "client", "role": "read", "sha256": READER.sha256, "projects": projects}
    problem = f"{WRONG_PROJECTS}: left out is entry 1"
    assert read_api_keys(json.dumps([entry])) == KeySecret(problems=(problem,))


@pytest.mark.parametrize("text", [None, "", "[]", " ", "\n", "\ufeff"])
def test_without_the_secret_there_are_no_keys(text: str | None) -> None:
    assert read_api_keys(text) == KeySecret()


@pytest.mark.parametrize(
    "text",
    [
        *("{}", '"hunter2"', '{"name":"hunter2"}', "[hunter2]", '[{"', " {hunter2}"),
        *("[" * 100_000, "'hunter-two'", "name:hunter2", "hunter-two}", r"hunter\two"),
        *('"hunter-two","hunter-three"', '"hunter-two'),
    ],
)
def test_a_secret_that_is_no_array_is_refused_without_telling_it(text: str) -> None:
    assert read_api_keys(text) == KeySecret(problems=(NO_ARRAY,))


@pytest.mark.parametrize(
    "text",
    [
        *("7", "null", "undefined", "true", "hunter2", ",", "a b c d e f", "\ud83dhunter-2"),
        *(",a,b,", "123456789", "-12345678.5e10", "undefined,,undefined"),
    ],
)
def test_what_is_no_key_opens_nothing(text: str) -> None:
    assert read_api_keys(text) == KeySecret(problems=(NO_KEYS,))


UUIDS = ["11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-EEEEEEEEEEEE"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("reader-key", ["reader-key"]),
        ("reader-key,admin-key", ["reader-key", "admin-key"]),
        (" reader-key , admin-key,\n", ["reader-key", "admin-key"]),
        ("reader-key\nadmin-key\n", ["reader-key", "admin-key"]),
        ("\ufeffreader-key,\r\nadmin-key\r\n", ["reader-key", "admin-key"]),
        (",,reader-key,,admin-key,,", ["reader-key", "admin-key"]),
        ("reader-key,reader-key", ["reader-key", "reader-key"]),
        (",".join(UUIDS), UUIDS),
        # Quotation marks that came with a line of .dev.vars.
        (f'"{UUIDS[0]},{UUIDS[1]}"', UUIDS),
        (f'"{UUIDS[0]}", "{UUIDS[1]}",', UUIDS),
        (f"'{UUIDS[0]}'\n'{UUIDS[1]}'", UUIDS),
        (f'reader-key, "{UUIDS[1]}"', ["reader-key", UUIDS[1]]),
    ],
)
def test_keys_of_the_old_format_open_everything(text: str, keys: list[str]) -> None:
    secret = read_api_keys(text)
    assert [(key.role, key.sha256) for key in secret.keys] == [
        ("admin", sha256(key)) for key in keys
    ]
    assert secret.is_old
    assert secret.problems == ()
    key = find_key(secret.keys, keys[-1])
    assert key
    assert key.opens("admin")
    assert find_key(secret.keys, text + "x") is None


def test_a_plain_key_that_is_none_is_left_out_and_named_by_its_place() -> None:
    secret = read_api_keys("short,admin-key,two words,hunter2")
    assert [key.sha256 for key in secret.keys] == [sha256("admin-key")]
    assert secret.problems == (f"{WRONG_PLAIN_KEY}: left out is key 1, 3, 4",)
    assert secret.is_old


@pytest.mark.parametrize(
    "text",
    [
        *("{};{}", "{}|{}", "{}/{}", "{}{}", "key1={}", "ops={};two={}", "({})", "<{}>"),
        *("x{}", "{}x", "Bearer-{}"),
    ],
)
def test_a_key_with_a_uuid_among_other_characters_is_named(text: str) -> None:
    merged = text.format(*UUIDS)
    secret = read_api_keys(f"{merged},admin-key\n{UUIDS[0]}")
    assert secret.problems == (f"{UUID_INSIDE}: see key 1",)
    assert [key.sha256 for key in secret.keys[1:]] == [sha256("admin-key"), sha256(UUIDS[0])]
    # Who set it here and shows all of it goes on.
    assert find_key(secret.keys, merged)
    assert read_api_keys(merged).problems == (f"{UUID_INSIDE}: see key 1",)


@pytest.mark.parametrize(
    "word",
    [
        *("disabled", "Placeholder", "change-me", "changeme123", "CHANGE_THIS", "password1"),
        *("your-api-key", "your_api_key_here", "YOUR-API-KEY-HERE", "test-api-key", "api_key_1"),
    ],
)
def test_a_word_that_stands_for_a_key_opens_nothing(word: str) -> None:
    assert read_api_keys(word).keys == ()
    secret = read_api_keys(f"{word},{UUIDS[0]}")
    assert [key.sha256 for key in secret.keys] == [sha256(UUIDS[0])]


GOOD = {"name": "hunter2", "role": "read", "sha256": "ab" * 32}
WRONG_ENTRIES: list[object] = [
    "hunter2",
    None,
    7,
    ["hunter2"],
    {},
    GOOD | {"name": ""},
    GOOD | {"name": " "},
    GOOD | {"name": 7},
    GOOD | {"role": "owner"},
    GOOD | {"role": "Admin"},
    GOOD | {"role": None},
    GOOD | {"sha256": "hunter2"},
    GOOD | {"sha256": "ab" * 31},
    GOOD | {"sha256": "ab" * 33},
    GOOD | {"sha256": "ab" * 32 + "\n"},
    GOOD | {"sha256": "xy" * 32},
    GOOD | {"sha256": 7},
    {"name": "hunter2", "sha256": "ab" * 32},
]


@pytest.mark.parametrize("entry", WRONG_ENTRIES)
def test_a_wrong_entry_is_left_out_and_named_by_its_place_only(entry: object) -> None:
    admin = {"name": "ops", "role": "admin", "sha256": ADMIN.sha256}
    secret = read_api_keys(json.dumps([GOOD, entry, admin]))
    assert [key.name for key in secret.keys] == ["hunter2", "ops"]
    assert find_key(secret.keys, "admin-key") == ADMIN
    assert secret.problems == (f"{WRONG_ENTRY}: left out is entry 2",)
    assert not secret.is_old


def test_many_wrong_entries_are_one_problem() -> None:
    secret = read_api_keys(json.dumps([*WRONG_ENTRIES, GOOD]))
    [problem] = secret.problems
    assert problem.endswith("left out is entry 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 8 more")
    assert len(secret.keys) == 1
    assert read_api_keys(json.dumps([None])).keys == ()


def test_two_hundred_keys_are_read() -> None:
    entries = [
        {"name": f"holder {number}", "role": "read", "sha256": sha256(f"key {number}")}
        for number in range(200)
    ]
    secret = read_api_keys(json.dumps(entries))
    key = find_key(secret.keys, "key 199")
    assert (len(secret.keys), key and key.name, secret.problems) == (200, "holder 199", ())


def test_two_keys_of_one_name_both_open() -> None:
    entries = [GOOD | {"sha256": sha256(key)} for key in ("reader-key", "admin-key")]
    secret = read_api_keys(json.dumps(entries))
    assert find_key(secret.keys, "reader-key")
    assert find_key(secret.keys, "admin-key")
    assert secret.problems == ()


def test_a_digest_may_be_in_capitals() -> None:
    secret = read_api_keys(json.dumps([GOOD | {"sha256": READER.sha256.upper()}]))
    assert find_key(secret.keys, "reader-key")


ENTRIES: list[dict[str, object]] = [
    {"name": "Smith, hunter-two, ops", "role": "read", "permissions": ["leads", "reports-all"]},
    {"name": "dashboard-one", "role": "admin"},
]


@pytest.mark.parametrize("spacing", [{"separators": (",", ":")}, {"indent": 2}, {}])
def test_no_part_of_a_json_text_is_a_plain_key(spacing: dict[str, object]) -> None:
    """Cut off at either end or at both; at least one of its marks is left."""
    entries = [entry | {"sha256": sha256(str(entry["name"]))} for entry in ENTRIES]
    text = json.dumps(entries, **spacing)  # type: ignore[arg-type]
    for start in range(len(text)):
        for part in (text[start:], text[:-start] if start else "", text[start : start + 120]):
            secret = read_api_keys(part)
            assert not secret.is_old, part
            if part.strip() != text:
                assert secret.keys == (), part


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
    ).keys
    assert reader.has("leads") == sees_persons
    assert not reader.opens("admin")
    assert admin.has("leads")


@pytest.mark.parametrize("permissions", ["leads", None, {"leads": True}, 1])
def test_an_entry_with_permissions_that_are_no_list_is_left_out(permissions: object) -> None:
    secret = read_api_keys(json.dumps([GOOD | {"permissions": permissions}, GOOD]))
    assert len(secret.keys) == 1
    assert secret.problems == (f"{WRONG_PERMISSIONS}: left out is entry 1",)
