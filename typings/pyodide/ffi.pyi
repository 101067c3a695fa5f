from typing import Any

class JsException(Exception): ...

def create_proxy(callable: object) -> Any: ...  # noqa: A002  # named by Pyodide
