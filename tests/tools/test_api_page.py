import json
import re
import shlex
from html.parser import HTMLParser

import pytest
from jsonschema import Draft202012Validator

from api_page import curl, example_of, fields_of, page, resolved
from config import VERSION
from openapi import Node, operations, read_document, roles_of

DOCUMENT = read_document(VERSION)
OPERATIONS = operations(DOCUMENT)
PAGE = page(DOCUMENT)
ALIASES = {alias for item in DOCUMENT["paths"].values() for alias in item.get("x-also-at", ())}
SHOWN = [(method, path) for method, path in OPERATIONS if path not in ALIASES]


class Reading(HTMLParser):
    """What is on the page: its elements, its ids, where its links go, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        given = dict(attrs)
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def read() -> Reading:
    """The page as a browser would read it."""
    reading = Reading()
    reading.feed(PAGE)
    return reading


def test_every_operation_is_on_the_page_once_with_its_other_addresses(read: Reading) -> None:
    for location in SHOWN:
        assert read.ids.count(OPERATIONS[location]["operationId"]) == 1
        assert OPERATIONS[location]["summary"] in read.text
        assert location[1] in read.text
    assert all(alias in read.text for alias in ALIASES)
    assert len(set(read.ids)) == len(read.ids)


def test_its_contents_lead_to_what_is_there(read: Reading) -> None:
    locations = [link[1:] for link in read.links if link.startswith("#")]
    assert len(locations) > len(SHOWN)
    assert set(locations) == set(read.ids) - {"contents"}


def test_it_needs_nothing_that_our_policy_forbids(read: Reading) -> None:
    assert not {"script", "style", "iframe", "form"} & set(read.elements)
    assert "style" not in read.attributes
    assert not any(name.startswith("on") for name in read.attributes)
    ours = [link for link in read.links if not link.startswith("#")]
    assert all(link.startswith("/") for link in ours)
    # What an answer holds is shown, not run.
    assert '<script src="https://pixel.salesmagic.us/pixel.js"' in read.text.replace('\\"', '"')


def test_every_example_of_an_answer_is_what_the_document_says() -> None:
    checked = 0
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            content = resolved(response, DOCUMENT).get("content", {}).get("application/json")
            if content:
                schema: Node = content["schema"]
                whole = {**schema, "components": DOCUMENT["components"]}
                Draft202012Validator(whole).validate(example_of(schema, DOCUMENT))
                checked += 1
    assert checked > 100


def test_a_field_deep_inside_is_named_by_its_place() -> None:
    schema = DOCUMENT["components"]["schemas"]["Breakdown"]
    fields = {field.name: field for field in fields_of(schema, DOCUMENT)}
    assert fields["rows[].conversion"].type == "number or null"
    assert fields["date_range.from"].type == "date-time"
    assert "null if there is no visitor" in fields["rows[].conversion"].description


@pytest.mark.parametrize(("method", "path"), SHOWN)
def test_each_command_calls_its_operation(method: str, path: str) -> None:
    operation = OPERATIONS[method, path]
    arguments = shlex.split(curl(DOCUMENT, method, path, operation).replace("\\\n", ""))
    address = next(word for word in arguments if word.startswith("https://"))
    form = "[^/]+".join(map(re.escape, re.split(r"\{[a-zA-Z]+\}", path)))
    assert re.fullmatch(f"https://pixel.salesmagic.us{form}([?].*)?", address)
    assert arguments[0] == "curl"
    assert ("X-API-Key: $PPP_KEY" in arguments) == bool(roles_of(operation, DOCUMENT))
    by_itself = "POST" if "--json" in arguments else "GET"
    assert (arguments[arguments.index("-X") + 1] if "-X" in arguments else by_itself) == method
    if "requestBody" in operation:
        assert isinstance(json.loads(arguments[arguments.index("--json") + 1]), dict)


def test_a_command_has_the_parameters_that_are_needed() -> None:
    location = ("GET", "/api/reports/breakdown/{pixelId}")
    assert curl(DOCUMENT, *location, OPERATIONS[location]) == (
        "curl 'https://pixel.salesmagic.us/api/reports/breakdown/ppp-demo-pixel?by=source&days=7'"
        ' \\\n  -H "X-API-Key: $PPP_KEY"'
    )
