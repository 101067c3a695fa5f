"""Deployments: the checks before one, its steps, and the rollback of its code.

The package knows what makes a deployment safe: the database is the right one and complete, a backup
exists, and a version is healthy before it gets more traffic. It imports no command.
Begin with deployment.py for the steps and preflight_checks.py for the checks; facts.py reads what
the checks compare, database_checks.py and readiness_checks.py are pure functions.
"""
