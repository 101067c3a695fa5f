import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

import openapi
import routes
from config import VERSION
from handlers.analytics import METRICS_FORMATS
from handlers.archive import MAX_BATCH_BYTES
from handlers.home import ENDPOINTS
from openapi import FILES, SOURCE, DocumentError, Node, operations, read_document, roles_of
from paths import ASSETS
from routes import Route, routes_by_method
from services.archive.received import read_received_batch
from services.backup.records import BackupKind, BackupPhase, BackupState
from services.core.event_lines import COLUMNS
from services.pipedrive.fields import FIELD_NAMES
from services.privacy.export import SECTIONS
from services.privacy.request_table import RECEIPT_COUNTERS, digest_of
from services.projects.configuration import PIXEL_SHAPE, PROJECT_SHAPE
from services.reports.breakdowns import PROPERTIES
from services.reports.export_pages import FORMATS
from services.tracking.custom_events import EVENT_TYPES
from services.tracking.events import OUTCOMES

DOCUMENT = read_document(VERSION)
OPERATIONS = operations(DOCUMENT)
PIXEL = ASSETS / "p.js"
SOME_ID = "some-id"
# What a handler or its services answer, and the pipeline does not.
OWN = {"200", "201", "204", "400", "404", "409"}
SERVED = [place for place, operation in OPERATIONS.items() if FILES not in operation["tags"]]


def words_of_routes() -> set[str]:
    """Every segment that the table of routes names."""
    tree = ast.parse(Path(routes.__file__).read_text(encoding="utf-8"))
    patterns = [node.value for node in ast.walk(tree) if isinstance(node, ast.MatchValue)]
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    constants = [node.value for node in (*patterns, *keys) if isinstance(node, ast.Constant)]
    return {word for word in constants if isinstance(word, str) and word.lower() == word != ""}


def addresses() -> Iterator[str]:
    """Every address that can be made of those segments and an id: short, or below /api."""
    words = {*words_of_routes(), SOME_ID}
    short = chain.from_iterable(product(words, repeat=length) for length in (1, 2, 3))
    below = chain.from_iterable(product(["api"], *[words] * length) for length in (3, 4))
    return ("/" + "/".join(segments) for segments in chain(short, below))


def filled(path: str) -> str:
    """The address with an id in each of its places."""
    return re.sub(r"\{[a-zA-Z]+\}", SOME_ID, path)


def form_of(path: str) -> re.Pattern[str]:
    """What all addresses of a path look like."""
    return re.compile("[^/]+".join(map(re.escape, re.split(r"\{[a-zA-Z]+\}", path))))


def route_of(method: str, path: str) -> Route:
    return routes_by_method(filled(path))[method]


def is_below(path: str, area: str) -> bool:
    return path == area or path.startswith(f"{area}/")


def validator(schema: Node) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def schema(name: str) -> Node:
    found: Node = DOCUMENT["components"]["schemas"][name]
    return found


def enum_of(path: str, parameter: str) -> list[str]:
    [found] = [
        item for item in OPERATIONS["GET", path]["parameters"] if item.get("name") == parameter
    ]
    values: list[str] = found["schema"]["enum"]
    return values


def test_every_address_that_the_worker_answers_is_described() -> None:
    forms = [(method, form_of(path)) for method, path in OPERATIONS]
    answered = [(method, path) for path in addresses() for method in routes_by_method(path)]
    missing = [
        (method, path)
        for method, path in answered
        if not any(known == method and form.fullmatch(path) for known, form in forms)
    ]
    assert missing == []
    assert len(answered) > len(SERVED)


@pytest.mark.parametrize(("method", "path"), SERVED)
def test_what_is_described_has_a_route(method: str, path: str) -> None:
    described = {known.upper() for known in DOCUMENT["paths"][path] if known in openapi.METHODS}
    assert set(routes_by_method(filled(path))) == described
    assert method in described


def test_what_is_described_as_a_file_is_one() -> None:
    files = [path for (_, path), operation in OPERATIONS.items() if FILES in operation["tags"]]
    for path in files:
        assert not routes_by_method(path)
        assert (ASSETS / path.strip("/").replace("{version}", VERSION)).is_file(), path


def for_every_agent(path: str) -> dict[str, Route]:
    """The routes of a path, but for whose requests they refuse: servers post to old addresses."""
    return {
        method: replace(route, policy=replace(route.policy, refuses_agent=None))
        for method, route in routes_by_method(path).items()
    }


def test_the_other_addresses_of_a_path_are_the_same_route() -> None:
    for path, item in DOCUMENT["paths"].items():
        for alias in item.get("x-also-at", ()):
            assert (
                for_every_agent(filled(alias)) == for_every_agent(filled(path))
                or FILES in item["get"]["tags"]
            )


def test_the_root_names_every_area_and_nothing_else() -> None:
    aliases = {alias for item in DOCUMENT["paths"].values() for alias in item.get("x-also-at", ())}
    # The old Worker wrote some of them as `/api/track/*`, and what they need behind it.
    named = {area.partition(" ")[0].removesuffix("/*") for area in ENDPOINTS.values()}
    served = [path for _, path in SERVED if path != "/" and path not in aliases]
    assert [path for path in served if not any(is_below(path, area) for area in named)] == []
    described = DOCUMENT["paths"]
    assert [area for area in named if not any(is_below(path, area) for path in described)] == []


@pytest.mark.parametrize(("method", "path"), SERVED)
def test_keys_limits_and_refusals_are_those_of_the_policy(method: str, path: str) -> None:
    operation, policy = OPERATIONS[method, path], route_of(method, path).policy
    # A link of a shared view opens what is described as for readers; the text says what.
    role = "read" if policy.key == "view" else policy.key
    assert roles_of(operation, DOCUMENT) == ({role} if role else set())
    refusals = {status for status in operation["responses"] if status not in OWN}
    if policy.stand_in:
        assert set(operation["responses"]) == {str(policy.stand_in.status)}
        return
    assert operation.get("x-rate-limit") == policy.limit
    expected = {"429", "503"} if policy.limit else set()
    expected |= {"401"} if policy.key else set()
    expected |= {"403"} if policy.key == "admin" else set()
    expected |= {"413"} if "requestBody" in operation else set()
    assert refusals == (expected or refusals & {"503"})  # health's own


def test_every_answer_of_the_worker_has_a_request_id_and_the_headers_of_its_limit() -> None:
    for place in SERVED:
        names = {"X-Request-Id"}
        if "x-rate-limit" in OPERATIONS[place]:
            names |= {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
        for response in OPERATIONS[place]["responses"].values():
            assert names <= set(response["headers"])


def test_the_names_are_those_of_the_code() -> None:
    assert list(schema("StoredEvent")["properties"]) == list(COLUMNS)
    assert schema("FieldName")["enum"] == list(FIELD_NAMES)
    assert schema("Event")["properties"]["event_type"]["anyOf"][0]["enum"] == list(EVENT_TYPES)
    assert schema("Event")["properties"]["outcome"]["enum"] == list(OUTCOMES)
    for name, shape in {"ProjectChange": PROJECT_SHAPE, "PixelChange": PIXEL_SHAPE}.items():
        assert set(schema(name)["properties"]["configuration"]["properties"]) == set(shape)
    assert set(enum_of("/api/reports/breakdown/{pixelId}", "by")) == set(PROPERTIES)
    assert enum_of("/api/reports/export/{pixelId}", "format") == list(FORMATS)
    assert enum_of("/api/reports/metrics", "format") == list(METRICS_FORMATS)
    assert schema("ExportedAnswer")["properties"]["place"]["enum"] == [*SECTIONS, None]
    assert set(schema("Receipt")["properties"]["counts"]["properties"]) == set(RECEIPT_COUNTERS)
    backup = schema("Backup")["properties"]
    assert set(backup["kind"]["enum"]) == set(get_args(BackupKind))
    assert set(backup["state"]["enum"]) == set(get_args(BackupState))
    assert set(backup["phase"]["enum"]) == {*get_args(BackupPhase), None}


def test_no_two_operations_have_the_same_name() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


def test_all_properties_are_required_where_nothing_else_is_said() -> None:
    assert schema("Summary")["required"] == list(schema("Summary")["properties"])
    assert schema("Error")["required"] == ["success", "error"]
    assert "required" not in schema("ProjectChange")


def parameters() -> Iterator[Node]:
    yield from DOCUMENT["components"]["parameters"].values()
    for operation in OPERATIONS.values():
        yield from (item for item in operation.get("parameters", ()) if "$ref" not in item)


def bodies() -> Iterator[tuple[Node, object]]:
    """Each schema of a body with each of its examples."""
    for operation in OPERATIONS.values():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            yield content["schema"], example["value"]
        if "example" in content:
            yield content["schema"], content["example"]


def test_the_examples_are_what_they_are_examples_of() -> None:
    for parameter in parameters():
        if "example" in parameter:
            validator(parameter["schema"]).validate(parameter["example"])
    examples = list(bodies())
    assert len(examples) > 4
    for wanted, example in examples:
        validator(wanted).validate(example)


def test_the_example_of_a_batch_and_of_a_receipt_have_the_right_sums() -> None:
    body = OPERATIONS["POST", "/api/archive"]["requestBody"]["content"]["application/json"]
    sent = body["example"]
    assert read_received_batch(json.dumps(sent)).part.sha256 == sent["sha256"]
    [receipt] = schema("Receipt")["examples"]
    assert receipt["sha256"] == digest_of(receipt)


def test_an_operation_may_say_more_of_an_answer_that_is_common_to_many() -> None:
    common = OPERATIONS["POST", "/api/manage/projects"]["responses"]["413"]
    own = OPERATIONS["POST", "/api/archive"]["responses"]["413"]
    assert "16 KiB" in common["description"]
    assert own == {**common, "description": f"The body is larger than {MAX_BATCH_BYTES >> 20} MiB."}


def test_it_is_json_and_says_the_version() -> None:
    assert json.loads(json.dumps(DOCUMENT))["info"]["version"] == VERSION
    assert "{{" not in json.dumps(DOCUMENT)


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("in: path", "in: nowhere", "nowhere. is not one of"),
        ("schemas/Statistics", "schemas/Nothing", "^/components/schemas/Nothing does not exist$"),
        ("operationId: readHealth", "operationId: readHome", "'readHome' .* is not unique"),
    ],
)
def test_a_document_that_is_none_is_refused(
    right: str, wrong: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SOURCE.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "openapi.yaml"
    broken.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    monkeypatch.setattr(openapi, "SOURCE", broken)
    with pytest.raises(DocumentError, match=problem) as refused:
        read_document(VERSION)
    assert len(str(refused.value)) < 500  # not the whole document
