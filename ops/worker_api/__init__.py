"""The client side of the Worker's HTTP API: which Worker, which key, paging and retries.

It knows nothing of single commands and never imports `ops.commands`, nor a package that builds on
it (`backup`, `restore`, `leads`, `projects`, `reports`, `checks`, `deploy`).

Begin with `client.py`.
"""
