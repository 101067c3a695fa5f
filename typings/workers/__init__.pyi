# What entry.py uses of the SDK (workers-runtime-sdk), which cannot be imported outside workerd.
from typing import Any

class WorkerEntrypoint:
    env: Any
    ctx: Any

class DurableObject:
    env: Any
    ctx: Any
    def __init__(self, ctx: Any, env: Any) -> None: ...
