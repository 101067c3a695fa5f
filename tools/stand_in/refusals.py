"""Refusals as Cloudflare's API gives them: a status, a code and a message."""

from __future__ import annotations

from http import HTTPStatus


class RefusedCallError(Exception):
    """A request that Cloudflare would refuse."""

    def __init__(self, status: int, code: int, message: str) -> None:
        """Take what the answer says."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_routed(path: str) -> RefusedCallError:
    """Return the refusal of an address, or an account, that does not exist."""
    return RefusedCallError(
        HTTPStatus.NOT_FOUND,
        7003,
        f"Could not route to {path}, perhaps your object identifier is invalid?",
    )


def no_worker() -> RefusedCallError:
    """Return the refusal for a Worker that does not exist."""
    return RefusedCallError(
        HTTPStatus.NOT_FOUND, 10007, "This Worker does not exist on your account."
    )


def no_version(version: str) -> RefusedCallError:
    """Return the refusal for a version that does not exist; its code could not be checked."""
    return RefusedCallError(HTTPStatus.NOT_FOUND, 10146, f"Version {version} not found")


def no_database(name: str) -> RefusedCallError:
    """Return the refusal for a database that does not exist."""
    return RefusedCallError(HTTPStatus.NOT_FOUND, 7404, f"The database {name} could not be found")


def failed_query(message: str) -> RefusedCallError:
    """Return the refusal of a statement that SQLite or D1 refused."""
    return RefusedCallError(HTTPStatus.BAD_REQUEST, 7500, message)


def no_bucket() -> RefusedCallError:
    """Return the refusal for a bucket that does not exist."""
    return RefusedCallError(HTTPStatus.NOT_FOUND, 10006, "The specified bucket does not exist.")


def no_object() -> RefusedCallError:
    """Return the refusal for an object that does not exist."""
    return RefusedCallError(HTTPStatus.NOT_FOUND, 10007, "The specified key does not exist.")


def no_namespace() -> RefusedCallError:
    """Return the refusal for a KV namespace that does not exist."""
    return RefusedCallError(HTTPStatus.NOT_FOUND, 10013, "get namespace: 'namespace not found'")


def invalid_upload(message: str) -> RefusedCallError:
    """Return the refusal of an upload that does not validate or does not start."""
    return RefusedCallError(HTTPStatus.BAD_REQUEST, 10021, message)
