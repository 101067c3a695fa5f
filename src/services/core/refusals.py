from __future__ import annotations


class InvalidQueryError(ValueError):
    """A report cannot be made of what was asked; the message says what to do."""


QUOTED = 60


class InvalidFieldsError(ValueError):
    """What was sent cannot be stored; `problems` says, for each field, what is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NotFoundError(Exception):
    """There is no such project or pixel; the message says which of the two."""


class ConflictError(Exception):
    """It cannot be done as things stand; `advice` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice
