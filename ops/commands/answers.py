"""`ppp answers`: what scripts read, before and after a change of the Worker."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer

from ops.checks.kept_answers import ask_all, compare, read_kept, write_answers
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import counted, show_json
from ops.worker_api.client import Api
from ops.worker_api.with_api import with_api

AnswersFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where the answers are kept.")]

commands = typer.Typer(name="answers", help="What scripts read: save, compare with before.")


@commands.command(
    "save", epilog="Example: ./ppp answers save before.json /api/projects --env production"
)
@with_api
def save(
    api: Api,
    file: AnswersFile,
    addresses: Annotated[
        list[str],
        typer.Argument(metavar="ADDRESS...", help="What scripts ask, such as /api/projects."),
    ],
    *,
    as_json: AsJson = False,
) -> int:
    """Asks what scripts ask, and keeps the answers in a file.

    Works with the JavaScript Worker too. The file may hold secrets of projects; nobody else on
    this machine can read it. Exits with 1 if an address is not answered 200.
    """
    wrong = [address for address in addresses if not address.startswith("/")]
    if wrong:
        raise WrongUsageError(f"{wrong[0]} must begin with a slash: /api/projects")
    answers = ask_all(api, addresses)
    write_answers(file, answers)
    failing = [name for name, answer in answers.items() if answer["status"] != HTTPStatus.OK]
    if as_json:
        statuses = {name: answer["status"] for name, answer in answers.items()}
        show_json({"environment": api.worker.name, "fine": not failing, "answers": statuses})
    else:
        for name, answer in answers.items():
            typer.echo(f"{'!' if name in failing else ' '} {answer['status']} {name}")
        typer.echo(f"\n{counted(len(answers), 'answer')} kept in {file}")
    return ExitCode.PROBLEMS if failing else ExitCode.FINE


@commands.command("compare", epilog="Example: ./ppp answers compare before.json --env production")
@with_api
def compare_with_kept(api: Api, file: AnswersFile, *, as_json: AsJson = False) -> int:
    """Asks again, and says what scripts would trip over.

    A key, an entry or a column of CSV that has gone, a list that is empty now, a value that is null
    or of another type, another name, another status: each is a problem. New keys are none. Numbers
    that fell and words that are gone are shown to be looked at. Exits with 1 if there is a problem.
    """
    before = read_kept(file)
    compared = compare(before, ask_all(api, list(before)))
    if as_json:
        lists: dict[str, Sequence[str]] = {"problems": compared.problems, "notes": compared.notes}
        show_json({"environment": api.worker.name, "fine": not compared.problems, **lists})
    else:
        for problem in compared.problems:
            typer.echo(f"! {problem}")
        for text in compared.notes:
            typer.echo(f"  {text}")
        number = counted(len(compared.problems), "problem")
        typer.echo(
            f"\n{number}" if compared.problems else "\nevery answer has all that it had before"
        )
    return ExitCode.PROBLEMS if compared.problems else ExitCode.FINE
