"""The errors that services raise for a request: one tree, answered in one shape.

Messages and details are written for the client. A failing binding is another matter: see
`services.core.ports.UnavailableError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Error messages repeat at most so much of a name from an untrusted body.
MAX_QUOTED_CHARACTERS = 60


class RefusedError(Exception):
    """A request cannot be served. Raised as one of its subclasses only.

    `message` is one sentence; `details` lists each problem, or says what to do.
    """

    def __init__(self, message: str, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or []


class InvalidInputError(RefusedError):
    """The input cannot be used; the same request would be refused again."""


class InvalidQueryError(InvalidInputError):
    """A parameter of a report's query cannot be used; the message says what it must be."""


class InvalidFieldsError(InvalidInputError):
    """Fields of a JSON body or a query cannot be used; `details` says of each what it must be."""

    def __init__(self, details: list[str]) -> None:
        super().__init__("Validation failed", details)

    def __str__(self) -> str:
        """The details on one line: in a traceback the message alone would not help."""
        return "; ".join(self.details)


class NotFoundError(RefusedError):
    """No project, pixel, backup or receipt has the requested id; the message says which kind."""


class ConflictError(RefusedError):
    """The present state of the data does not allow the request; `details` holds the advice.

    `retry_seconds` is when to ask again, where time alone may help.
    """

    def __init__(self, message: str, advice: str, retry_seconds: int | None = None) -> None:
        super().__init__(message, [advice])
        self.retry_seconds = retry_seconds


def unknown_fields(names: Iterable[str], allowed: Sequence[str]) -> list[str]:
    """A detail for an InvalidFieldsError of each name that is not allowed."""
    alternatives = f"there {'is' if len(allowed) == 1 else 'are'} {', '.join(allowed) or 'none'}"
    return [
        f"{name[:MAX_QUOTED_CHARACTERS]}: is unknown; {alternatives}"
        for name in names
        if name not in allowed
    ]
