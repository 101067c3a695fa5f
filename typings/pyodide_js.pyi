# The interpreter as JavaScript sees it.
from typing import Any

_module: Any
