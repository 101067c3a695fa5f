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
from ops.worker_api.client import open_api, path_segment
from ops.worker_api.worker import EnvWorker, LocalWorker, Url

PATH = "/api/manage/projects"

commands = typer.Typer(name="projects", help="Projects: list, show, create, update, deactivate.")


def project_path(project_id: str) -> str:
    """Return the path of a project in the API."""
    return f"{PATH}/{path_segment(project_id)}"


@commands.command("list", epilog="Example: ./ppp projects list --env production --all")
def list_projects(
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    include_inactive: IncludeInactive = False,
    as_json: AsJson = False,
) -> int:
    """Lists all projects by name. Exits with 1 if there is none."""
    with open_api(env, url, local=local) as api:
        entries = list_entries(api, PATH, include_inactive=include_inactive)
        return show_entries(entries, "project", as_json=as_json)


@commands.command(epilog="Example: ./ppp projects show ppp-demo-project --local")
def show(
    project_id: EntryId,
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Shows a project with its configuration, active or not."""
    with open_api(env, url, local=local) as api:
        show_entry(api.get(project_path(project_id))["data"], as_json=as_json)
    return ExitCode.FINE


@commands.command(
    epilog="Example: ./ppp projects create --env production --name ACME --set session_minutes=20"
)
def create(
    *,
    name: Name,
    webhook_url: HttpUrl = None,
    settings: Settings = None,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Creates a project and shows it with its id."""
    body = request_body({"name": name, "webhook_url": webhook_url}, settings, None)
    with open_api(env, url, local=local) as api:
        return apply_change(api, EntryChange("POST", PATH, body), dry_run=dry_run, as_json=as_json)


@commands.command(
    epilog="Example: ./ppp projects update ID --env production --set pipedrive_enabled=false"
)
def update(
    project_id: EntryId,
    *,
    name: NewName = None,
    webhook_url: HttpUrl = None,
    settings: Settings = None,
    unset: UnsetSettings = None,
    active: Active = None,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Changes a project; keeps what is not named.

    --active undoes `deactivate`.
    """
    fields = {"name": name, "webhook_url": webhook_url, "active": active}
    body = request_body(fields, settings, unset)
    with open_api(env, url, local=local) as api:
        change = EntryChange("PUT", project_path(project_id), body)
        return apply_change(api, change, dry_run=dry_run, as_json=as_json)


@commands.command(epilog="Example: ./ppp projects deactivate ID --env production")
def deactivate(
    project_id: EntryId,
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Deactivates a project. Deletes nothing.

    Events of its pixels are refused after a minute at the latest.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    with open_api(env, url, local=local) as api:
        path = project_path(project_id)
        return switch_off(api, path, "project", yes=yes, dry_run=dry_run, as_json=as_json)
