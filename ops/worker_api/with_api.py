"""Gives a command of `ppp` the API of the Worker that --local, --env or --url names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

from ops.worker_api.client import Api, open_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url


def _worker_options(
    *, local: LocalWorker = False, env: EnvWorker = None, url: Url = None
) -> AbstractContextManager[Api]:
    return open_api(env, url, local=local)


_OPTIONS = inspect.signature(_worker_options, eval_str=True).parameters
# The options of all commands, which are the last ones in the help.
_OPTIONS_OF_ALL = {"yes", "dry_run", "as_json"}


def with_api(command: Callable[..., int]) -> Callable[..., int]:
    """Turn a function of an API into one that typer gives the three options of a Worker instead.

    The API is open, with a key, until the command ends.

    Raises:
        WrongUsageError: no Worker is named, or there is no key for it.
    """

    @wraps(command)
    def with_options(**arguments: Any) -> int:  # noqa: ANN401  # typer knows what they are
        options = {name: arguments.pop(name) for name in _OPTIONS}
        with _worker_options(**options) as api:
            return command(api, **arguments)

    signature = inspect.signature(command, eval_str=True)
    own_parameters = list(signature.parameters.values())[1:]
    position = [parameter.name in _OPTIONS_OF_ALL for parameter in own_parameters].index(True)
    parameters = [*own_parameters[:position], *_OPTIONS.values(), *own_parameters[position:]]
    # typer reads this signature; the annotations that wraps() copied would name the API as well.
    with_options.__signature__ = signature.replace(  # type: ignore[attr-defined]  # typeshed has no such attribute
        parameters=parameters
    )
    with_options.__annotations__ = {}
    return with_options
