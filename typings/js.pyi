# What the Worker uses of JavaScript's globals. Values are JavaScript's, so their types are open.
from typing import Any

class _Array:
    def of(self, *values: Any) -> Any: ...

class _Json:
    def parse(self, text: str) -> Any: ...
    def stringify(self, value: Any) -> str: ...

class _Constructor:
    def new(self, *arguments: Any) -> Any: ...

Array: _Array
JSON: _Json
Response: _Constructor
Uint8Array: _Constructor
