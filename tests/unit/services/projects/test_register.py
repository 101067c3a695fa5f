import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import ROOT
from services.core.errors import ConflictError, InvalidFieldsError, NotFoundError
from services.core.ports import Batch, OnCost, Row, UnavailableError
from services.projects.entry_kinds import PIXEL_KIND, PROJECT_KIND
from services.projects.entry_values import read_values
from services.projects.register import MAX_CHANGE_ATTEMPTS, EntryQuery, Register

ALL = EntryQuery(500, "", include_inactive=True)


class SqliteDatabase:
    """The two tables in SQLite, with the batches counted; `meanwhile` runs before each."""

    def __init__(self) -> None:
        self.round_trips = 0
        self.meanwhile: list[str] = []
        self.tables = sqlite3.connect(":memory:", isolation_level=None)
        self.tables.row_factory = sqlite3.Row
        for name in ("0001_create_initial_schema.sql", "0013_make_webhook_url_nullable.sql"):
            self.tables.executescript((ROOT / "migrations" / name).read_text(encoding="utf-8"))

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        self.round_trips += 1
        await asyncio.sleep(0)
        if self.meanwhile:
            self.tables.execute(self.meanwhile.pop(0))
        return [
            [dict(row) for row in self.tables.execute(statement, (parameters,))]
            for statement in statements
        ]

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        raise AssertionError("only rows are asked for", batches)

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        raise AssertionError("only rows are asked for", statements, parameters, on_cost)

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        raise AssertionError("only batches are asked for", statement, values)


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    database = SqliteDatabase()
    yield database
    database.tables.close()


@pytest.fixture
def projects(database: SqliteDatabase) -> Register:
    ids = iter(range(1_000))
    return Register(PROJECT_KIND, database, lambda: f"project-{next(ids)}")


@pytest.fixture
def pixels(database: SqliteDatabase) -> Register:
    ids = iter(range(1_000))
    return Register(PIXEL_KIND, database, lambda: f"pixel-{next(ids)}")


def test_every_method_is_one_round_trip_but_a_change_is_two(
    database: SqliteDatabase, projects: Register, pixels: Register
) -> None:
    async def count() -> list[int]:
        taken = []
        for work in (
            projects.create({"name": "Acme"}),
            projects.find("project-0"),
            projects.page(ALL),
            projects.change("project-0", {"name": "Globex"}),
            pixels.create({"name": "shop"}, "project-0"),
            pixels.find("pixel-0"),
            pixels.page(ALL, "project-0"),
            pixels.change("pixel-0", {"name": "blog"}),
            pixels.switch_off("pixel-0"),
            projects.switch_off("project-0"),
        ):
            before = database.round_trips
            await work
            taken.append(database.round_trips - before)
        return taken

    assert asyncio.run(count()) == [1, 1, 1, 2, 1, 1, 1, 2, 1, 1]


def test_a_change_of_nothing_writes_nothing(database: SqliteDatabase, projects: Register) -> None:
    asyncio.run(projects.create({"name": "Acme"}))
    asyncio.run(projects.change("project-0", {"name": "Acme", "configuration": {}}))
    assert database.round_trips == 2


def test_no_concurrent_change_is_lost(database: SqliteDatabase, projects: Register) -> None:
    changes: list[dict[str, object]] = [
        {"configuration": {"respect_dnt": True}},
        {"configuration": {"session_minutes": 5}},
        {"webhook_url": "https://a.example"},
        {"name": "Globex"},
    ]

    async def at_once() -> None:
        await projects.create({"name": "Acme"})
        await asyncio.gather(*(projects.change("project-0", change) for change in changes))

    asyncio.run(at_once())
    project = asyncio.run(projects.find("project-0"))
    assert (project.name, project.url) == ("Globex", "https://a.example")
    assert json.loads(project.configuration or "") == {"respect_dnt": True, "session_minutes": 5}


def test_a_change_gives_up_when_somebody_changes_the_same_all_the_time(
    database: SqliteDatabase, projects: Register
) -> None:
    asyncio.run(projects.create({"name": "Acme"}))
    renamings = [f"UPDATE projects SET name = 'name {turn}'" for turn in range(MAX_CHANGE_ATTEMPTS)]
    database.meanwhile = ["SELECT 1", *renamings]
    with pytest.raises(UnavailableError, match="the project was changed by others"):
        asyncio.run(projects.change("project-0", {"active": 0}))


def test_an_entry_deleted_during_a_change_is_not_found(
    database: SqliteDatabase, projects: Register
) -> None:
    asyncio.run(projects.create({"name": "Acme"}))
    database.meanwhile = ["SELECT 1", "DELETE FROM projects"]
    with pytest.raises(NotFoundError, match="Project not found"):
        asyncio.run(projects.change("project-0", {"active": 0}))


def test_a_name_that_is_taken_during_a_change_is_a_conflict(
    database: SqliteDatabase, projects: Register
) -> None:
    asyncio.run(projects.create({"name": "Acme"}))
    taking = "INSERT INTO projects (id, name) VALUES ('other', 'Globex')"
    database.meanwhile = ["SELECT 1", taking]
    with pytest.raises(ConflictError) as refused:
        asyncio.run(projects.change("project-0", {"name": "Globex"}))
    assert refused.value.details == ["choose another name, or use other"]


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example", "a.example", "https://", "https:///x", "javascript:alert(1)", "", 7),
        *("https://user:secret@a.example/", "https://a.example/ b", "https://a.example/\x00"),
        "https://a.example/" + "x" * 2_048,
    ],
)
def test_an_address_is_a_web_address_without_a_password(projects: Register, url: object) -> None:
    with pytest.raises(InvalidFieldsError, match="webhook_url: must be an http or https address"):
        asyncio.run(projects.create({"name": "Acme", "webhook_url": url}))


@pytest.mark.parametrize(
    "url", ["http://localhost:8788", "HTTPS://A.example?x=y", "https://a.example/ä#b"]
)
def test_an_address_is_stored_unchanged(projects: Register, url: str) -> None:
    assert asyncio.run(projects.create({"name": "Acme", "webhook_url": url})).url == url


@pytest.mark.parametrize("name", ["", "   ", None, 7, ["Acme"], "x" * 101, "\x00"])
def test_a_name_is_a_short_text(projects: Register, name: object) -> None:
    with pytest.raises(InvalidFieldsError, match="name: must be a text of 1 to 100 characters"):
        asyncio.run(projects.create({"name": name}))


def test_a_name_becomes_one_line(projects: Register) -> None:
    assert asyncio.run(projects.create({"name": " Acme\nInc\x1b "})).name == "Acme Inc"


@pytest.mark.parametrize(("active", "stored"), [(True, 1), (False, 0), (1, 1), (0, 0)])
def test_active_may_be_a_number_or_a_boolean(
    projects: Register, active: object, stored: int
) -> None:
    assert asyncio.run(projects.create({"name": "Acme", "active": active})).active == stored


@pytest.mark.parametrize("active", [None, 2, -1, "1", 1.0, []])
def test_anything_else_is_not_active(projects: Register, active: object) -> None:
    with pytest.raises(InvalidFieldsError, match="active: must be 1 or 0"):
        asyncio.run(projects.create({"name": "Acme", "active": active}))


def test_what_is_stored_passes_even_if_it_could_not_be_sent_anew(
    database: SqliteDatabase, projects: Register
) -> None:
    long = "x" * 200
    database.tables.execute(
        "INSERT INTO projects (id, name, webhook_url, active) VALUES ('old', ?, 'hook', NULL)",
        (long,),
    )
    sent = {"name": long, "webhook_url": "hook", "configuration": {"respect_dnt": True}}
    changed = asyncio.run(projects.change("old", sent))
    assert (changed.name, changed.url, changed.active) == (long, "hook", None)


def test_a_number_that_was_stored_becomes_what_was_sent(
    database: SqliteDatabase, projects: Register
) -> None:
    database.tables.execute(
        "INSERT INTO projects (id, name, configuration) VALUES ('old', 'Acme', ?)",
        ('{"respect_dnt": 1}',),
    )
    changed = asyncio.run(projects.change("old", {"configuration": {"respect_dnt": True}}))
    assert changed.configuration == '{"respect_dnt": true}'


def test_a_configuration_of_null_says_nothing(projects: Register) -> None:
    made = asyncio.run(projects.create({"name": "Acme", "configuration": None}))
    assert made.configuration == "{}"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "project_id", "name", "webhook_url", "active", "created_at", "colour")


@given(
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
    st.dictionaries(st.sampled_from((*PROJECT_KIND.shape, "zapier")), ANYTHING) | ANYTHING,
)
def test_whatever_is_sent_is_stored_as_text_or_refused_with_reasons(
    sent: dict[str, object], configuration: object
) -> None:
    try:
        values = read_values(PROJECT_KIND, {**sent, "configuration": configuration}, None, None)
    except InvalidFieldsError as error:
        reasons = str(error)
    else:
        reasons = ""
        assert f"{values.name}{values.url}".encode()
        assert isinstance(json.loads(values.configuration or ""), dict)
    assert reasons or ("name" in sent and "colour" not in sent)


def test_a_pixel_comes_back_under_the_id_that_its_site_has(database: SqliteDatabase) -> None:
    projects = Register(PROJECT_KIND, database, lambda: "project-one")
    pixels = Register(PIXEL_KIND, database, lambda: "pixel-new")
    project = asyncio.run(projects.create({"name": "Shop"})).id
    fields = {"id": "ppp-website-9", "name": "Shop", "configuration": {"respect_dnt": True}}
    pixel = asyncio.run(pixels.create(fields, project))
    assert pixel.id == "ppp-website-9"
    for name in ("Shop", "Other"):
        with pytest.raises(ConflictError, match="of this id exists"):
            asyncio.run(pixels.create({**fields, "name": name, "configuration": {}}, project))
    assert asyncio.run(pixels.find("ppp-website-9")) == pixel
    with pytest.raises(NotFoundError):
        asyncio.run(pixels.create({"id": "ppp-website-8", "name": "Else"}, "no-project"))


@pytest.mark.parametrize("chosen", ["", "short", "a/../../b", "ü" * 8, "x" * 65, 12345678, ["x"]])
def test_an_id_that_no_pixel_can_have_is_refused(chosen: object, database: SqliteDatabase) -> None:
    pixels = Register(PIXEL_KIND, database, lambda: "pixel-new")
    with pytest.raises(InvalidFieldsError) as refused:
        asyncio.run(pixels.create({"id": chosen, "name": "Shop"}, "project"))
    assert [problem[:10] for problem in refused.value.details] == ["id: must b"]
    projects = Register(PROJECT_KIND, database, lambda: "project-one")
    with pytest.raises(InvalidFieldsError) as refused:
        asyncio.run(projects.create({"id": "project-two", "name": "Shop"}))
    assert refused.value.details == ["id: can neither be chosen nor changed; leave it out"]
