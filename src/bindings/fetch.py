"""HTTP to other servers as the services see it (`services.core.ports.HttpClient`)."""

from __future__ import annotations

import json
from collections.abc import Mapping

import js
from pyodide.ffi import JsException

from services.core.ports import HttpAnswer, NetworkError


class Fetch:
    """JavaScript's fetch. Redirects are not followed: they would carry a token elsewhere."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, seconds: float
    ) -> HttpAnswer:
        """See `services.core.ports.HttpClient.send`."""
        request = {"method": method, "headers": dict(headers), "redirect": "manual"}
        options = js.JSON.parse(json.dumps(request if body is None else {**request, "body": body}))
        # Only an abort signal reliably ends a request and the reading of its body.
        options.signal = js.AbortSignal.timeout(int(seconds * 1_000))
        try:
            response = await js.fetch(url, options)
            text: str = await response.text()
        except JsException as error:
            raise NetworkError(_reason(error, seconds)) from error
        response_headers = json.loads(js.JSON.stringify(js.Object.fromEntries(response.headers)))
        return HttpAnswer(response.status, text, response_headers)


def _reason(error: JsException, seconds: float) -> str:
    if getattr(error, "name", "") in {"TimeoutError", "AbortError"}:
        return f"no answer within {seconds:.0f} seconds"
    return "the connection failed"
