"""D1 as the services see it (`services.core.ports.Database`).

It works on the unwrapped binding and prepares each statement once: the SDK's wrapper converts
every argument and every result both ways, which costs more than the database (docs/decisions.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import js
from pyodide.ffi import JsException

from bindings.carried_batch import CarriedBatch, CarriedError, is_carried
from services.core.ports import Batch, NotStoredError, OnCost, Row, UnavailableError


class D1:
    """One isolate's D1 database with its prepared statements."""

    def __init__(self, binding: Any) -> None:
        """Takes the unwrapped binding, or None where it is missing."""
        self._binding = binding
        self._prepared: dict[str, Any] = {}
        self._rows_read = 0

    def rows_read(self) -> int:
        """How many rows this isolate read, as D1 bills them, without those of stored events."""
        return self._rows_read

    async def batch(
        self, statements: Sequence[str], parameters: str, on_cost: OnCost | None = None
    ) -> str:
        """See `services.core.ports.Database.batch`."""
        if is_carried() and not on_cost:
            return await self._carried_batch(statements, parameters)
        results = await self._run(statements, parameters)
        if on_cost:
            costs = [result.meta for result in results]
            on_cost(
                sum(int(cost.rows_read) for cost in costs),
                sum(int(cost.rows_written) for cost in costs),
            )
        rows = results[len(statements) - 1].results
        if not rows.length:
            raise NotStoredError("D1 stored nothing")
        answer: str = rows[0].answer
        return answer

    async def _carried_batch(self, statements: Sequence[str], parameters: str) -> str:
        try:
            answer = await CarriedBatch(statements, parameters)
        except CarriedError as error:
            raise UnavailableError(f"D1 failed: {error}") from error
        if answer is None:
            raise NotStoredError("D1 stored nothing")
        return answer

    async def batches(self, batches: Sequence[Batch]) -> Sequence[str | None]:
        """See `services.core.ports.Database.batches`."""
        results = await self._execute(
            [
                self._prepare(statement).bind(batch.parameters)
                for batch in batches
                for statement in batch.statements
            ]
        )
        ends = accumulate(len(batch.statements) for batch in batches)
        rows = [results[end - 1].results for end in ends]
        return [rows_of_batch[0].answer if rows_of_batch.length else None for rows_of_batch in rows]

    async def rows(self, statement: str, *values: str | int) -> Sequence[Row]:
        """See `services.core.ports.Database.rows`."""
        try:
            result = await self._prepare(statement).bind(*values).all()
        except JsException as error:
            raise UnavailableError(f"D1 failed: {error}") from error
        self._rows_read += int(result.meta.rows_read)
        # One text from JavaScript is cheaper than many objects.
        rows: list[Row] = json.loads(js.JSON.stringify(result.results))
        return rows

    async def batch_rows(
        self, statements: Sequence[str], parameters: str
    ) -> Sequence[Sequence[Row]]:
        """See `services.core.ports.Database.batch_rows`."""
        answered = await self._run(statements, parameters)
        results: list[Row] = json.loads(js.JSON.stringify(answered))
        self._rows_read += sum(int(result["meta"]["rows_read"]) for result in results)
        return [result["results"] or [] for result in results]

    async def size_bytes(self) -> int:
        """The size of the database, as D1 reports it with every result.

        Raises:
            UnavailableError: D1 failed.
        """
        try:
            result = await self._prepare("SELECT 1").all()
        except JsException as error:
            raise UnavailableError(f"D1 failed: {error}") from error
        return int(result.meta.size_after)

    async def _run(self, statements: Sequence[str], parameters: str) -> Any:
        return await self._execute(
            [self._prepare(statement).bind(parameters) for statement in statements]
        )

    async def _execute(self, bound: Sequence[Any]) -> Any:
        try:
            return await self._binding.batch(js.Array.of(*bound))
        except JsException as error:
            raise UnavailableError(f"D1 failed: {error}") from error

    def _prepare(self, statement: str) -> Any:
        if self._binding is None:
            raise UnavailableError("the binding DB is missing")
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self._binding.prepare(statement)
        return prepared
