"""Which Worker a command calls, and with which key. The options name it; there is no default."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from typing import Annotated

import httpx
import typer

from dev_state import NotRunningError, require_dev
from ops.cloudflare.target import Environment
from ops.terminal.errors import NoAnswerError, WrongUsageError
from paths import DEV_KEY, ROOT

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
KEY_VARIABLE = "PPP_API_KEY"
HOW_TO_SET_KEY = (
    f"`read -rs {KEY_VARIABLE} && export {KEY_VARIABLE}` takes it without leaving it in the "
    "shell's history"
)

LocalWorker = Annotated[
    bool, typer.Option("--local", help="The Worker of this checkout's `make dev`.")
]
EnvWorker = Annotated[Environment | None, typer.Option("--env", help="The Worker at Cloudflare.")]
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="A Worker at another address.")
]


@dataclass(frozen=True, slots=True)
class Worker:
    """A running Worker. `name` is its environment, or `local`, or `elsewhere`."""

    name: str
    url: str

    def __str__(self) -> str:
        return f"{self.name}: {self.url}"

    @property
    def is_on_this_machine(self) -> bool:
        """Whether its host is this machine."""
        return httpx.URL(self.url).host in LOCAL_HOSTS


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, and where it was read from."""

    source: str
    text: str = field(repr=False)


def choose_worker(environment: Environment | None, url: str | None, *, local: bool) -> Worker:
    """Return the Worker that the options name.

    Raises:
        WrongUsageError: they name none or two, or the URL cannot be used.
        NoAnswerError: no `make dev` of this checkout is running.
    """
    if [local, environment is not None, url is not None].count(True) != 1:
        raise WrongUsageError(
            "say which Worker: either --local (this machine), --env production or --url URL"
        )
    if environment:
        return Worker(environment, _required_route_url(environment))
    return _worker_at(_local_url() if url is None else url)


def find_key(worker: Worker) -> Key | None:
    """Return the key for a Worker: PPP_API_KEY, or on this machine the one of `make dev`.

    Raises:
        WrongUsageError: PPP_API_KEY has a character that no key has.
    """
    text = os.environ.get(KEY_VARIABLE, "")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise WrongUsageError(f"{KEY_VARIABLE} holds a character that no key has: set it again")
    if text:
        return Key(KEY_VARIABLE, text)
    if worker.is_on_this_machine and DEV_KEY.exists():
        return Key("the key of `make dev`", DEV_KEY.read_text(encoding="utf-8").strip())
    return None


def environment_at(host: str) -> Environment | None:
    """Return the environment whose route in wrangler.toml is *host*, if any."""
    urls = {environment: _route_url(environment) for environment in Environment}
    return next((name for name, url in urls.items() if url and httpx.URL(url).host == host), None)


def _local_url() -> str:
    try:
        return require_dev().url
    except NotRunningError as error:
        raise NoAnswerError(str(error)) from None


def _worker_at(address: str) -> Worker:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.path != "/":
        raise WrongUsageError("--url must be like https://pixel.example.com, without a path")
    worker = Worker(environment_at(url.host) or "elsewhere", str(url).rstrip("/"))
    if worker.is_on_this_machine:
        return Worker("local", worker.url)
    if url.scheme == "http":
        raise WrongUsageError("--url must begin with https: http would show the key to the network")
    return worker


def _required_route_url(environment: Environment) -> str:
    url = _route_url(environment)
    if url is None:
        raise WrongUsageError(
            f"wrangler.toml has no route for {environment}: name its address with --url"
        )
    return url


def _route_url(environment: Environment) -> str | None:
    config = tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))
    for route in config["env"][environment].get("routes", []):
        return f"https://{route['pattern'].partition('/')[0]}"
    return None
