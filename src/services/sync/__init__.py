"""The delayed sync: sends form submissions from the outbox in D1 to Pipedrive.

Must never import handlers or bindings; the calls are in `services.pipedrive`. Begin with
`sync_run.py` (one run), then `portion.py` (one portion of leads) and `outbox.py` (the statements).
"""
