"""The first touches of a visitor: one JSON object by project, in the visitor's row."""

from __future__ import annotations


def first_touch_with(project_id: str) -> str:
    """The SQL of a visitor's first touch with the project of an SQL expression, or NULL.

    By the key itself: behind `->` an id such as `$x` or `[1]` would be a path of JSON.
    """
    return f"(SELECT value FROM json_each(first_touches) WHERE key = {project_id})"
