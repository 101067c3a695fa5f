"""Failures on demand, and the forms that wrangler sends."""

from __future__ import annotations

import pytest

from stand_in.faults import ApiFault, ApiFaults
from stand_in.multipart import Part, read_parts

FORM = (
    b'--xyz\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"main_module": "a.py"}\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="src/a.py"; filename="src/a.py"\r\n'
    b"Content-Type: text/x-python; charset=utf-8\r\n\r\n\r\nline\r\n\r\n--xyz--\r\n"
)


def test_the_nth_call_that_fits_fails_and_so_do_those_behind_it() -> None:
    faults = ApiFaults()
    faults.add(ApiFault("error", "POST .*/deployments", nth=2, times=2))
    calls = [("POST", "/a/deployments"), ("GET", "/a/deployments")] * 4
    struck = [faults.strike(method, path) is not None for method, path in calls]
    assert struck == [False, False, True, False, True, False, False, False]


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of"):
        ApiFault("rain")


def test_a_form_is_read_part_by_part_with_every_byte() -> None:
    assert read_parts("multipart/form-data; boundary=xyz", FORM) == [
        Part("metadata", "text/plain", b'{"main_module": "a.py"}'),
        Part("src/a.py", "text/x-python", b"\r\nline\r\n"),
    ]
    assert read_parts("application/json", b"{}") == []
