"""A simulator of its own for every test, and a client that has its token."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from simulator.account import Account
from simulator.server import Simulator, simulator

# Nothing here speaks TLS, and reading the certificates costs more than a whole test.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def client_of(url: str) -> httpx.Client:
    """A client that asks this machine only."""
    return httpx.Client(base_url=url, trust_env=False, verify=NO_CERTIFICATES)


@pytest.fixture
def pipedrive() -> Iterator[Simulator]:
    """The demo account, served."""
    with simulator() as running:
        yield running


@pytest.fixture
def account(pipedrive: Simulator) -> Account:
    """What the simulator serves."""
    return pipedrive.account


@pytest.fixture
def api(pipedrive: Simulator) -> Iterator[httpx.Client]:
    """A client of the API, with the token."""
    with client_of(pipedrive.api_url) as client:
        client.headers["x-api-token"] = pipedrive.token
        yield client


@pytest.fixture
def page(pipedrive: Simulator) -> Iterator[httpx.Client]:
    """A client of the page and its control endpoints, without any token."""
    with client_of(pipedrive.url) as client:
        yield client
