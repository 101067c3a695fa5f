# What the Worker uses of JavaScript's globals. Values are JavaScript's, so their types are open.
from typing import Any

class _Array:
    def of(self, *values: Any) -> Any: ...

class _Json:
    def parse(self, text: str) -> Any: ...
    def stringify(self, value: Any) -> str: ...

class _Object:
    def fromEntries(self, entries: Any) -> Any: ...  # noqa: N802  # named by JavaScript

class _Constructor:
    def new(self, *arguments: Any) -> Any: ...

class _Intl:
    DateTimeFormat: _Constructor

class _AbortSignal:
    def timeout(self, milliseconds: int) -> Any: ...

class _Promise:
    withResolvers: Any  # noqa: N815  # named by JavaScript

class _Console:
    log: Any

async def fetch(url: str, options: Any) -> Any: ...

AbortSignal: _AbortSignal
Array: _Array
Error: _Constructor
IdentityTransformStream: _Constructor
Intl: _Intl
JSON: _Json
Object: _Object
Promise: _Promise
Response: _Constructor
TextEncoder: _Constructor
Uint8Array: _Constructor
console: _Console
globalThis: Any  # noqa: N816  # named by JavaScript
