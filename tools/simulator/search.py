"""`GET /persons/search`: who is found, and what a found person looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulator.account import Account, Person
from simulator.answers import Answer, success
from simulator.queries import invalid, page_of, parameters

PARAMETERS = frozenset({"term", "fields", "exact_match", "limit", "cursor"})
FIELDS = ("custom_fields", "email", "notes", "phone", "name")
EXACT_SCORE = 1.21
PARTIAL_SCORE = 0.5092


def search_persons(account: Account, query_string: str) -> Answer:
    """Answers a search.

    Raises:
        ApiError: the query is not valid.
    """
    query = parameters(query_string, PARAMETERS)
    exact = _exact_match(query)
    term = _term(query, exact=exact)
    fields = _fields(query)
    matches = [
        person
        for person in account.searchable()
        if any(_matches(term, text, exact=exact) for text in _searched(person, fields))
    ]
    page = page_of(matches, query)
    score = EXACT_SCORE if exact else PARTIAL_SCORE
    items = [{"result_score": score, "item": _item(person)} for person in page.items]
    return success({"items": items}, additional_data={"next_cursor": page.next_cursor})


def _exact_match(query: Mapping[str, str]) -> bool:
    text = query.get("exact_match", "false")
    if text not in ("true", "false"):
        raise invalid("exact_match: must be true or false")
    return text == "true"


def _term(query: Mapping[str, str], *, exact: bool) -> str:
    term = query.get("term", "").strip()
    shortest = 1 if exact else 2
    if len(term) < shortest:
        raise invalid(f"term: must have at least {shortest} character(s)")
    return term.casefold()


def _fields(query: Mapping[str, str]) -> list[str]:
    fields = query.get("fields", ",".join(FIELDS)).split(",")
    unknown = [field for field in fields if field not in FIELDS]
    if unknown:
        raise invalid(f"fields: '{unknown[0]}' is none of {', '.join(FIELDS)}")
    return fields


def _searched(person: Person, fields: list[str]) -> Iterator[str]:
    if "name" in fields:
        yield person.name
    if "email" in fields:
        yield from person.emails
    if "phone" in fields:
        yield from person.phones
    if "custom_fields" in fields:
        yield from _texts(person)


def _matches(term: str, text: str, *, exact: bool) -> bool:
    return term == text.casefold() if exact else term in text.casefold()


def _texts(person: Person) -> list[str]:
    return [value for value in person.custom_fields.values() if isinstance(value, str)]


def _item(person: Person) -> dict[str, object]:
    """A found person: lists of plain strings, and no mark on one that was deleted."""
    return {
        "id": person.id,
        "type": "person",
        "name": person.name,
        "phones": person.phones,
        "emails": person.emails,
        "visible_to": 3,
        "owner": {"id": 1},
        "organization": None,
        "custom_fields": _texts(person),
        "notes": [],
    }
