"""Cloudflare's bindings behind the ports of `services.core.ports`, and HTTP as `web` knows it.

Only here, in the wiring and the entry may `js`, `pyodide` and `workers` be imported. No service
imports this package. Begin with `d1.py`.
"""
