"""Restores of the database: from a chain of backups, or by D1's Time Travel, and their proof.

It never imports `ops.commands`. Begin with `restore_steps.py`, which calls the other files in the
order of a restore.
"""
