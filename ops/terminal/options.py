"""Options and arguments that several commands share, each spelled once."""

from __future__ import annotations

from typing import Annotated

import typer

# ---- output and questions ----------------------------------------------------------------------

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, change nothing.")
]

# ---- projects and pixels -----------------------------------------------------------------------

EntryId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the project or pixel.", show_default=False)
]
ProjectId = Annotated[
    str, typer.Argument(metavar="PROJECT", help="The id of the project.", show_default=False)
]
PixelId = Annotated[
    str, typer.Argument(metavar="PIXEL", help="The id of the pixel.", show_default=False)
]
IncludeInactive = Annotated[bool, typer.Option("--all", help="Include inactive ones.")]
Name = Annotated[str, typer.Option(help="The name, 1 to 100 characters.", show_default=False)]
NewName = Annotated[str | None, typer.Option("--name", help="The name, 1 to 100 characters.")]
HttpUrl = Annotated[str | None, typer.Option(help="An http or https address; '' for none.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A setting of the configuration, such as respect_dnt=true or "
        "allowed_domains='[\"shop.example\"]'; NAME=@FILE reads a file. May be repeated.",
    ),
]
UnsetSettings = Annotated[
    list[str] | None,
    typer.Option("--unset", metavar="NAME", help="Remove a setting. May be repeated."),
]
Active = Annotated[
    bool | None,
    typer.Option("--active/--inactive", help="Activate or deactivate.", show_default=False),
]

# ---- spans of time -----------------------------------------------------------------------------

Days = Annotated[
    int | None, typer.Option(min=1, max=365, help="The last DAYS times 24 hours.  [default: 30]")
]
StartTime = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="The start: 2026-03-01 or 2026-03-01T09:30:00Z."),
]
EndTime = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="The end of the span, included.  [default: now]"),
]
TimeZone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="The time zone of the days, such as Europe/Berlin."),
]
