"""The handlers, one file for each group of addresses: from a request to a service and back.

A handler reads the request, calls services and builds the response. It must not import bindings,
routes or the pipeline, and holds no SQL; the services decide about events, leads and reports. Begin
with `tracking`, which answers the pixel, or with `json_api`, which the others share.
"""

from collections.abc import Awaitable, Callable

from app import App
from services.core.logs import Log
from web import Request, Response

Handler = Callable[[App, Request, Log], Awaitable[Response]]
