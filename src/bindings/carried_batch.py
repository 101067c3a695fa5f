"""A batch that `border.js` runs for a request that it carries (`bindings.border`)."""

from __future__ import annotations

from asyncio import current_task
from collections.abc import Generator, Sequence


class CarriedError(Exception):
    """The batch failed; the message is D1's."""


class CarriedBatch:
    """To be awaited: statements with their JSON text; its result is the last one's `answer`.

    None if that gave no row. Raises CarriedError.
    """

    __slots__ = ("parameters", "statements")

    def __init__(self, statements: Sequence[str], parameters: str) -> None:
        """Takes what `services.core.ports.Database.batch` takes."""
        self.statements = statements
        self.parameters = parameters

    def __await__(self) -> Generator[CarriedBatch, str | None, str | None]:
        """Hands itself to the border, which resumes the coroutine with the result."""
        return (yield self)


def is_carried() -> bool:
    """Whether the border runs this code: everything else runs in a task of asyncio."""
    return current_task() is None
