"""`ppp pixels`: list, show and change pixels, and print the tag that a site embeds."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands import projects
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
    ProjectId,
    Settings,
    UnsetSettings,
    Yes,
)
from ops.terminal.output import require_no_question, show_json
from ops.worker_api.client import Api, path_segment
from ops.worker_api.with_api import with_api

PATH = "/api/manage/pixels"
ChosenId = Annotated[
    str | None,
    typer.Option("--id", help="The id that pages of the site have, as after a loss.", metavar="ID"),
]

commands = typer.Typer(
    name="pixels", help="Pixels: list, show, create, update, deactivate, snippet."
)


def pixel_path(pixel_id: str) -> str:
    """Return the path of a pixel in the API."""
    return f"{PATH}/{path_segment(pixel_id)}"


@commands.command("list", epilog="Example: ./ppp pixels list ppp-demo-project --local")
@with_api
def list_pixels(
    api: Api,
    project_id: ProjectId,
    *,
    include_inactive: IncludeInactive = False,
    as_json: AsJson = False,
) -> int:
    """Lists all pixels of a project by name. Exits with 1 if there is none."""
    path = f"{projects.project_path(project_id)}/pixels"
    entries = list_entries(api, path, include_inactive=include_inactive)
    return show_entries(entries, "pixel", as_json=as_json)


@commands.command(epilog="Example: ./ppp pixels show ppp-demo-pixel --local")
@with_api
def show(
    api: Api,
    pixel_id: EntryId,
    *,
    as_json: AsJson = False,
) -> int:
    """Shows a pixel with its configuration, active or not."""
    show_entry(api.get(pixel_path(pixel_id))["data"], as_json=as_json)
    return ExitCode.FINE


@commands.command(epilog="Example: ./ppp pixels snippet ppp-demo-pixel --env production")
@with_api
def snippet(
    api: Api,
    pixel_id: EntryId,
    *,
    as_json: AsJson = False,
) -> int:
    """Prints the tag for the pages of the site, alone."""
    pixel = api.get(pixel_path(pixel_id))["data"]
    if as_json:
        show_json({"pixel_id": pixel["id"], "embed_snippet": pixel["embed_snippet"]})
    else:
        typer.echo(pixel["embed_snippet"])
    return ExitCode.FINE


@commands.command(
    epilog="Example: ./ppp pixels create PROJECT --env production --name shop "
    "--website-url https://shop.example"
)
@with_api
def create(
    api: Api,
    project_id: ProjectId,
    *,
    name: Name,
    pixel_id: ChosenId = None,
    website_url: HttpUrl = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Creates a pixel and shows it with its id and its tag.

    --id brings back one that a restored backup is older than: what waits for it is stored.
    """
    fields = {"id": pixel_id, "name": name, "website_url": website_url}
    body = request_body(fields, settings, None)
    change = EntryChange("POST", f"{projects.project_path(project_id)}/pixels", body)
    return apply_change(api, change, dry_run=dry_run, as_json=as_json)


@commands.command(epilog="Example: ./ppp pixels update ID --env production --set respect_dnt=true")
@with_api
def update(
    api: Api,
    pixel_id: EntryId,
    *,
    name: NewName = None,
    website_url: HttpUrl = None,
    settings: Settings = None,
    unset: UnsetSettings = None,
    active: Active = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Changes a pixel; keeps what is not named.

    --active undoes `deactivate`.
    """
    fields = {"name": name, "website_url": website_url, "active": active}
    body = request_body(fields, settings, unset)
    return apply_change(
        api, EntryChange("PUT", pixel_path(pixel_id), body), dry_run=dry_run, as_json=as_json
    )


@commands.command(epilog="Example: ./ppp pixels deactivate ID --env production")
@with_api
def deactivate(
    api: Api,
    pixel_id: EntryId,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Deactivates a pixel. Deletes nothing.

    Its events are refused after a minute at the latest.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    path = pixel_path(pixel_id)
    return switch_off(api, path, "pixel", yes=yes, dry_run=dry_run, as_json=as_json)
