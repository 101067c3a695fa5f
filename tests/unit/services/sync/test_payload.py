import asyncio
import json
from collections.abc import Mapping

import pytest

from services.core.ports import HttpAnswer
from services.pipedrive.answers import TransientError
from services.pipedrive.fields import AccountField, LeadValue
from services.sync.payload import (
    CACHE_SECONDS,
    AccountFieldCache,
    FieldsByKey,
    Payload,
    build_payload,
    without_key,
)
from tests.unit.memory import Lab, MemoryKeyValues, Sent, answered, key, scripted

NAMES = {"utm_source": key(1), "gclid": key(2), "country": key(3), "city": key(4)}
FIELDS = {
    key(1): AccountField(key(1), "Source", "varchar", {}),
    key(2): AccountField(key(2), "Click", "varchar", {}),
    key(3): AccountField(key(3), "Country", "enum", {"de": 11}),
}
NO_CITY = f"city (the account has no field with the key {key(4)})"


def payload_of(**values: LeadValue | None) -> Payload:
    return build_payload(values, NAMES, FIELDS)


def test_values_are_put_under_their_keys_in_their_fields_types() -> None:
    assert payload_of(utm_source=LeadValue("google"), country=LeadValue("DE")) == Payload(
        {key(1): "google", key(3): 11}, ()
    )


def test_a_value_that_the_map_does_not_name_is_not_sent() -> None:
    assert payload_of(utm_medium=LeadValue("cpc"), region=None) == Payload({}, ())


def test_a_value_that_is_to_be_cleared_is_sent_as_null_whatever_its_type() -> None:
    cleared = payload_of(gclid=None, country=None)
    assert cleared == Payload({key(2): None, key(3): None}, ())


@pytest.mark.parametrize("value", [LeadValue("Munich"), None])
def test_a_field_that_the_account_does_not_have_is_left_out(value: LeadValue | None) -> None:
    assert payload_of(utm_source=LeadValue("x"), city=value) == Payload({key(1): "x"}, (NO_CITY,))


def test_a_value_that_its_field_does_not_take_is_left_out_and_not_cleared() -> None:
    reason = "country (a field of type enum does not take it)"
    assert payload_of(gclid=LeadValue("G1"), country=LeadValue("XX")) == Payload(
        {key(2): "G1"}, (reason,)
    )


TOUCH = {
    "utm_source": key(5), "utm_medium": key(6),
    "last_touch_source": key(7), "last_touch_medium": key(8),
}  # fmt: skip
TOUCH_FIELDS = {
    code: AccountField(code, "F", "varchar" if code in {key(6), key(8)} else "enum", {"bing": 1})
    for code in TOUCH.values()
}


@pytest.mark.parametrize("name", ["utm", "last_touch"])
def test_a_touch_is_never_mixed_with_the_one_before(name: str) -> None:
    source, medium = f"{name}_source", f"{name}_medium"
    fitting = {source: LeadValue("Bing"), medium: LeadValue("cpc")}
    refused = {source: LeadValue("partner"), medium: LeadValue("x")}
    reason = f"{source} (a field of type enum does not take it)"
    keys = TOUCH[source], TOUCH[medium]
    assert build_payload(fitting, TOUCH, TOUCH_FIELDS).custom_fields == dict(
        zip(keys, (1, "cpc"), strict=True)
    )
    assert build_payload(refused, TOUCH, TOUCH_FIELDS) == Payload(
        dict(zip(keys, (None, "x"), strict=True)), (reason,)
    )


def test_a_touch_of_which_nothing_fits_leaves_the_one_before() -> None:
    values = {"utm_source": LeadValue("partner"), "last_touch_medium": LeadValue("x")}
    assert build_payload(values, TOUCH, TOUCH_FIELDS).custom_fields == {key(8): "x"}


def test_everything_left_out_has_a_reason() -> None:
    assert len(payload_of(country=LeadValue("XX"), city=LeadValue("Munich")).left_out) == 2


def test_a_key_that_the_account_refuses_is_left_out_by_its_name() -> None:
    before = payload_of(utm_source=LeadValue("x"), gclid=LeadValue("G1"), city=LeadValue("Munich"))
    reason = f"gclid (the account does not know the key {key(2)})"
    assert without_key(before, NAMES, key(2)) == Payload({key(1): "x"}, (NO_CITY, reason))


def test_a_refused_key_that_is_not_in_the_map_is_left_out_too() -> None:
    reason = f"a field (the account does not know the key {key(9)})"
    assert without_key(Payload({key(9): 1}, ()), NAMES, key(9)) == Payload({}, (reason,))


# The fields of accounts


def account_answer(*keys: str) -> HttpAnswer:
    fields = [{"field_code": key, "field_name": "F", "field_type": "text"} for key in keys]
    return answered({"data": fields, "additional_data": {"next_cursor": None}})


def one_field(_: Sent) -> HttpAnswer:
    return account_answer(key(1))


def fields_of(fields: AccountFieldCache, lab: Lab) -> FieldsByKey:
    return asyncio.run(fields.get(lab.api, lab.soon()))


def test_the_fields_are_read_once_in_a_run() -> None:
    lab, fields = Lab(one_field), AccountFieldCache(MemoryKeyValues())
    expected: Mapping[str, AccountField] = {key(1): AccountField(key(1), "F", "text", {})}
    assert fields_of(fields, lab) == fields_of(fields, lab) == expected
    assert lab.api.calls == {"fields": 1}


def test_the_next_run_reads_the_fields_from_the_cache_for_an_hour() -> None:
    lab, key_values = Lab(one_field), MemoryKeyValues()
    first = fields_of(AccountFieldCache(key_values), lab)
    assert fields_of(AccountFieldCache(key_values), lab) == first
    assert lab.api.calls == {"fields": 1}
    assert key_values.seconds == {"pipedrive-fields:acme": CACHE_SECONDS}


def test_a_field_that_the_cache_lacks_is_read_from_pipedrive_once_in_a_run() -> None:
    key_values = MemoryKeyValues()
    lab = Lab(scripted((account_answer(key(1)), account_answer(key(1), key(2)))))
    fields_of(AccountFieldCache(key_values), lab)
    fields = AccountFieldCache(key_values)
    assert set(fields_of(fields, lab)) == {key(1)}

    async def read_twice() -> list[FieldsByKey]:
        reads = (fields.get_current(lab.api, lab.soon()) for _ in range(2))
        return await asyncio.gather(*reads)

    assert [set(current) for current in asyncio.run(read_twice())] == [{key(1), key(2)}] * 2
    assert set(fields_of(fields, lab)) == {key(1), key(2)}
    assert lab.api.calls == {"fields": 2}


def test_invalidated_fields_are_read_from_pipedrive_again() -> None:
    lab = Lab(scripted((account_answer(key(1)), account_answer(key(2)))))
    key_values = MemoryKeyValues()
    fields = AccountFieldCache(key_values)
    assert set(fields_of(fields, lab)) == {key(1)}
    asyncio.run(fields.invalidate("acme"))
    assert key_values.values == {}
    assert set(fields_of(fields, lab)) == {key(2)}


def test_without_kv_each_run_reads_the_fields_from_pipedrive() -> None:
    lab, key_values = Lab(one_field), MemoryKeyValues()
    key_values.operations = 0
    for run in (1, 2):
        fields = AccountFieldCache(key_values)
        assert set(fields_of(fields, lab)) == {key(1)}
        assert lab.api.calls == {"fields": run}
    asyncio.run(fields.invalidate("acme"))
    asyncio.run(fields.invalidate("never seen"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "5", "null", '{"a": 1}', "[[]]", "[1]", '[["a", "b"]]', json.dumps([[1] * 5])],
)
def test_invalid_cached_fields_are_ignored(text: str) -> None:
    lab, key_values = Lab(one_field), MemoryKeyValues()
    key_values.values["pipedrive-fields:acme"] = text
    assert set(fields_of(AccountFieldCache(key_values), lab)) == {key(1)}


def test_a_failure_is_not_cached() -> None:
    lab = Lab(scripted((HttpAnswer(200, "", {}), account_answer(key(1)))))
    fields = AccountFieldCache(MemoryKeyValues())
    with pytest.raises(TransientError):
        fields_of(fields, lab)
    assert set(fields_of(fields, lab)) == {key(1)}
