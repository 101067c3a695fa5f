"""Exports and reports that the Worker's API answers: joined to files, and shown as tables.

It never opens a database and never imports `ops.commands`. Begin with `export_parts.py` for
exports and `report_tables.py` for reports.
"""
