"""Alerts: the problems that there are, which of them were notified, and messages to a webhook.

Knows nothing of how a problem is detected (`services.monitoring`, `services.sync`). Begin with
`notifier.py`; the list of problems is `problems.py`.
"""
