"""Monitoring: health, metrics, and the checks that turn both into findings.

Reads the tables of other packages and writes only its counters and its run in the ledger of jobs;
messages are sent by `services.alerting`. Begin with `checks_run.py`, then `checks.py`.
"""
