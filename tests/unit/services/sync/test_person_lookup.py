import asyncio
from collections import Counter
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from services.core.ports import HttpAnswer
from services.pipedrive.limits import DeferredError
from services.sync.person_lookup import ENOUGH_PERSONS, MAX_NAMESAKES, NoPerson, PersonLookup
from services.tracking.form_data import Lead
from tests.unit.memory import Lab, Sent, answered

EMAIL = "jane@example.com"
JANE = Lead(EMAIL, "Jane", "Doe")
NOBODY = NoPerson("nobody has this e-mail address or this name")


class People:
    """The persons of an account. `matches` are what the search returns, by field."""

    def __init__(self, **matches: tuple[Mapping[str, object], ...]) -> None:
        self.matches = {"email": matches.get("email", ()), "name": matches.get("name", ())}
        self.persons: dict[int, Mapping[str, object] | None] = {}
        self.calls: Counter[str] = Counter()

    def __call__(self, sent: Sent) -> HttpAnswer:
        url = urlsplit(sent.url)
        last = url.path.rpartition("/")[2]
        if last == "search":
            by = parse_qs(url.query)["fields"][0]
            self.calls[by] += 1
            return answered({"data": {"items": [{"item": item} for item in self.matches[by]]}})
        self.calls["person"] += 1
        person = self.persons.get(int(last))
        return answered({"data": person}) if person else answered({}, 404)


def item(person_id: int, *emails: str, name: str = "Jane Doe") -> Mapping[str, object]:
    return {"id": person_id, "name": name, "emails": list(emails)}


def active(update_time: str = "2026-01-01T00:00:00Z") -> Mapping[str, object]:
    return {"is_deleted": False, "update_time": update_time}


DELETED = {"is_deleted": True, "update_time": "2026-09-09T00:00:00Z"}


def find(people: People, *leads: Lead) -> list[int | NoPerson]:
    """The results of one run for the leads."""
    lab = Lab(people)
    lookup = PersonLookup(lab.api)

    async def find_all() -> list[int | NoPerson]:
        return [await lookup.find(lead, lab.soon()) for lead in leads or (JANE,)]

    return asyncio.run(find_all())


# By e-mail address


def test_the_one_person_with_the_address_is_found_and_looked_at() -> None:
    people = People(email=(item(7, EMAIL),))
    people.persons = {7: active()}
    assert find(people) == [7]
    assert people.calls == {"email": 1, "person": 1}


@pytest.mark.parametrize("emails", [("JANE@Example.com",), ("other@example.com", EMAIL)])
def test_any_of_a_persons_addresses_counts_in_any_case(emails: tuple[str, ...]) -> None:
    people = People(email=(item(7, *emails),))
    people.persons = {7: active()}
    assert find(people) == [7]


def test_a_person_that_has_another_address_is_not_taken() -> None:
    people = People(email=(item(7, "jane@example.com.au"), item(8)))
    people.persons = {7: active(), 8: active()}
    assert find(people) == [NOBODY]
    assert people.calls["person"] == 0


def test_a_person_whose_addresses_the_search_does_not_tell_is_believed() -> None:
    people = People(email=({"id": 7},))
    people.persons = {7: active()}
    assert find(people) == [7]


@pytest.mark.parametrize(
    ("times", "person_id"),
    [
        ({1: "2026-01-01T00:00:00Z", 2: "2026-05-01T00:00:00Z", 3: "2026-03-01T00:00:00Z"}, 2),
        ({1: "2026-05-01T00:00:00Z", 2: "2026-05-01T00:00:00Z"}, 2),
        ({2: "2026-05-01T00:00:00Z", 1: "2026-05-01T00:00:00Z"}, 2),
        ({1: "2026-05-01T00:00:00Z", 2: ""}, 1),
        ({1: "2026-05-01T09:00:00Z", 2: "2026-05-01T10:00:00Z"}, 2),
    ],
)
def test_of_several_the_one_updated_last_is_taken_then_the_newest(
    times: dict[int, str], person_id: int
) -> None:
    people = People(email=tuple(item(person, EMAIL) for person in times))
    people.persons = {person: active(time) for person, time in times.items()}
    assert find(people) == [person_id]


def test_a_deleted_or_missing_person_does_not_count_among_several() -> None:
    people = People(email=(item(1, EMAIL), item(2, EMAIL), item(3, EMAIL)))
    people.persons = {1: active(), 2: DELETED}
    assert find(people) == [1]
    assert people.calls["email"] == 1


@pytest.mark.parametrize(
    ("number", "seconds", "note"),
    [
        (150, 600, None),
        (400, 10, "400 persons have this e-mail address"),
        (500, 600, "500 or more persons have this e-mail address"),
    ],
)
def test_of_very_many_the_search_ends_and_says_where(
    number: int, seconds: int, note: str | None
) -> None:
    people = People(email=tuple(item(at, EMAIL) for at in range(1, number + 1)))
    people.persons |= {at: active() for at in range(1, number + 1)}
    people.persons[number - 3] = active("2026-09-09")
    lab = Lab(people)
    lookup = PersonLookup(lab.api)
    assert asyncio.run(lookup.find(JANE, lab.soon(seconds))) == number - 3
    reason = lookup.note_on(JANE)
    assert reason is None if note is None else reason and reason.startswith(note)


def test_a_lead_waits_until_there_is_time_to_look_at_enough_persons() -> None:
    people = People(email=tuple(item(at, EMAIL) for at in range(ENOUGH_PERSONS + 1)))
    people.persons = {at: active() for at in range(ENOUGH_PERSONS + 1)}
    lab = Lab(people)
    with pytest.raises(DeferredError):
        asyncio.run(PersonLookup(lab.api).find(JANE, lab.soon(1)))


def test_a_deleted_person_is_nobody_and_the_name_is_not_tried() -> None:
    people = People(email=(item(7, EMAIL),), name=(item(8),))
    people.persons = {7: DELETED, 8: active()}
    assert find(people) == [NoPerson("the person with this e-mail address is deleted")]
    assert people.calls["name"] == 0


def test_a_person_that_is_gone_is_searched_for_once_more() -> None:
    people = People(email=(item(7, EMAIL),))
    assert find(people) == [NoPerson("the person with this e-mail address is gone")]
    assert people.calls == {"email": 2, "person": 2}


# By name


@pytest.mark.parametrize("name", ["Jane Doe", "JANE DOE", " jane   doe "])
def test_without_the_address_the_one_person_of_that_name_is_found(name: str) -> None:
    people = People(name=(item(7, name=name),))
    people.persons = {7: active()}
    assert find(people) == [7]
    assert people.calls == {"email": 1, "name": 1, "person": 1}


@pytest.mark.parametrize("name", ["Jane Doe-Smith", "Doe Jane", "Jane", ""])
def test_a_similar_name_is_another_person(name: str) -> None:
    people = People(name=(item(7, name=name),))
    people.persons = {7: active()}
    assert find(people) == [NOBODY]


def test_two_persons_of_one_name_are_no_answer() -> None:
    people = People(name=(item(7), item(8)))
    people.persons = {7: active(), 8: active()}
    reason = "nobody has this e-mail address, and 2 have this name"
    assert find(people) == [NoPerson(reason)]


def test_a_deleted_namesake_does_not_count() -> None:
    people = People(name=(item(7), item(8), item(9)))
    people.persons = {7: DELETED, 8: active()}
    assert find(people) == [8]


def test_of_many_namesakes_none_is_looked_at() -> None:
    people = People(name=tuple(map(item, range(MAX_NAMESAKES + 1))))
    reason = f"nobody has this e-mail address, and {MAX_NAMESAKES + 1} have this name"
    assert find(people) == [NoPerson(reason)]
    assert people.calls["person"] == 0


@pytest.mark.parametrize("person", [DELETED, None])
def test_a_name_that_only_a_deleted_person_has_is_no_answer(
    person: Mapping[str, object] | None,
) -> None:
    people = People(name=(item(7),))
    people.persons = {7: person}
    [answer] = find(people)
    assert answer == NoPerson(
        "nobody has this e-mail address, and who has this name is deleted",
    )


@pytest.mark.parametrize("lead", [Lead(EMAIL, "Jane", None), Lead(EMAIL, None, "Doe")])
def test_half_a_name_is_not_searched_for(lead: Lead) -> None:
    people = People(name=(item(7, name="Jane"),))
    assert find(people, lead) == [NoPerson("nobody has this e-mail address")]
    assert people.calls == {"email": 1}


# During one run


def test_an_address_is_searched_for_once_but_its_person_looked_at_each_time() -> None:
    people = People(email=(item(7, EMAIL),))
    people.persons = {7: active()}
    assert find(people, JANE, JANE, JANE) == [7, 7, 7]
    assert people.calls == {"email": 1, "person": 3}


def test_a_known_person_that_was_deleted_since_is_searched_for_again() -> None:
    people = People(email=(item(7, EMAIL),))
    people.persons = {7: active()}
    lab = Lab(people)
    lookup = PersonLookup(lab.api)
    assert asyncio.run(lookup.find(JANE, lab.soon())) == 7
    people.persons = {7: DELETED, 8: active()}
    people.matches["email"] = (item(7, EMAIL), item(8, EMAIL))
    assert asyncio.run(lookup.find(JANE, lab.soon())) == 8


def test_an_address_that_nobody_has_is_searched_for_once_and_each_name_anew() -> None:
    people = People(name=(item(7, name="John Roe"),))
    people.persons = {7: active()}
    john = Lead(EMAIL, "John", "Roe")
    unnamed = Lead(EMAIL, None, None)
    nobody = NoPerson("nobody has this e-mail address")
    assert find(people, unnamed, john, JANE) == [nobody, 7, NOBODY]
    assert people.calls == {"email": 1, "name": 2, "person": 1}


def test_an_answer_that_is_nobody_for_sure_is_remembered() -> None:
    people = People(email=(item(7, EMAIL),))
    people.persons = {7: DELETED}
    first, second = find(people, JANE, JANE)
    assert first == second
    assert people.calls == {"email": 1, "person": 1}
