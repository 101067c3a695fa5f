"""Projects whose leads write into the same fields of one Pipedrive account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.pipedrive.accounts import DEFAULT_ACCOUNT
from services.pipedrive.destinations import is_switched_off
from services.pipedrive.fields import FieldMapError, field_map
from services.projects.configuration import read_configuration

Row = Mapping[str, Any]

# Nobody outside of the Worker sees PIPEDRIVE_FIELDS; its projects have all of its fields in common.
DEFAULT_MAP = "PIPEDRIVE_FIELDS"
MAX_NAMED_PROJECTS = 5


def shared_field_notes(projects: Sequence[Row]) -> Iterator[str]:
    """Name active projects with fields in common, once for all that share the same ones.

    A project with a map of its own is compared with the others that have one.
    """
    writers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for project in projects:
        settings = read_configuration(project["configuration"])
        if project["active"] and not is_switched_off(settings.get("pipedrive_enabled")):
            account = str(settings.get("pipedrive_account") or DEFAULT_ACCOUNT)
            for field in _fields_of(settings):
                writers[account, field].append(f"{project['name']} ({project['id']})")
    groups = {(account, tuple(names)) for (account, _), names in writers.items() if len(names) > 1}
    for account, names in sorted(groups):
        surplus = len(names) - MAX_NAMED_PROJECTS
        rest = f" and {surplus} more" if surplus > 0 else ""
        yield (
            f"{', '.join(names[:MAX_NAMED_PROJECTS])}{rest}"
            f" write the same person fields of the Pipedrive account {account}: of a person who is"
            " a lead of two of them the fields hold the touch of whichever had one last"
            " (docs/sync.md, Several projects in one account)"
        )


def _fields_of(settings: Mapping[str, object]) -> Sequence[str]:
    content = settings.get("pipedrive_fields")
    if content is None:
        return [DEFAULT_MAP]
    try:
        fields = field_map(content)
    except FieldMapError:
        return []
    return sorted(set(fields.values()))
