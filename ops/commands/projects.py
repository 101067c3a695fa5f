"""`ppp projects`: list, show and change the projects, one for each client."""

from __future__ import annotations

import typer

from ops.projects.entries import (
    EntryChange,
    apply_change,
    list_entries,
    request_body,
    show_entries,
    show_entry,
    switch_off,
)
from ops.terminal.errors import ExitCode
from ops.terminal.options import (
    Active,
    AsJson,
    DryRun,
    EntryId,
    HttpUrl,
    IncludeInactive,
    Name,
    NewName,
    Settings,
    UnsetSettings,
    Yes,
)
from ops.terminal.output import require_no_question
from ops.worker_api.client import Api, path_segment
from ops.worker_api.with_api import with_api

PATH = "/api/manage/projects"

commands = typer.Typer(name="projects", help="Projects: list, show, create, update, deactivate.")


def project_path(project_id: str) -> str:
    """Return the path of a project in the API."""
    return f"{PATH}/{path_segment(project_id)}"


@commands.command("list", epilog="Example: ./ppp projects list --env production --all")
@with_api
def list_projects(
    api: Api,
    *,
    include_inactive: IncludeInactive = False,
    as_json: AsJson = False,
) -> int:
    """Lists all projects by name. Exits with 1 if there is none."""
    entries = list_entries(api, PATH, include_inactive=include_inactive)
    return show_entries(entries, "project", as_json=as_json)


@commands.command(epilog="Example: ./ppp projects show ppp-demo-project --local")
@with_api
def show(
    api: Api,
    project_id: EntryId,
    *,
    as_json: AsJson = False,
) -> int:
    """Shows a project with its configuration, active or not."""
    show_entry(api.get(project_path(project_id))["data"], as_json=as_json)
    return ExitCode.FINE


@commands.command(
    epilog="Example: ./ppp projects create --env production --name ACME --set session_minutes=20"
)
@with_api
def create(
    api: Api,
    *,
    name: Name,
    webhook_url: HttpUrl = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Creates a project and shows it with its id."""
    body = request_body({"name": name, "webhook_url": webhook_url}, settings, None)
    return apply_change(api, EntryChange("POST", PATH, body), dry_run=dry_run, as_json=as_json)


@commands.command(
    epilog="Example: ./ppp projects update ID --env production --set pipedrive_enabled=false"
)
@with_api
def update(
    api: Api,
    project_id: EntryId,
    *,
    name: NewName = None,
    webhook_url: HttpUrl = None,
    settings: Settings = None,
    unset: UnsetSettings = None,
    active: Active = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Changes a project; keeps what is not named.

    --active undoes `deactivate`.
    """
    fields = {"name": name, "webhook_url": webhook_url, "active": active}
    body = request_body(fields, settings, unset)
    change = EntryChange("PUT", project_path(project_id), body)
    return apply_change(api, change, dry_run=dry_run, as_json=as_json)


@commands.command(epilog="Example: ./ppp projects deactivate ID --env production")
@with_api
def deactivate(
    api: Api,
    project_id: EntryId,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Deactivates a project. Deletes nothing.

    Events of its pixels are refused after a minute at the latest.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    path = project_path(project_id)
    return switch_off(api, path, "project", yes=yes, dry_run=dry_run, as_json=as_json)
