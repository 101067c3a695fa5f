"""The handlers: one file for each surface."""

from collections.abc import Awaitable, Callable

from app import App
from services.core.logs import Log
from web import Request, Response

Handler = Callable[[App, Request, Log], Awaitable[Response]]
