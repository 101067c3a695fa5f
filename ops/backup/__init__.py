"""Backups as the bucket lists them and as the Worker makes them: index, manifests, chains.

It never imports `ops.restore` nor `ops.commands`. Begin with `index.py`.
"""
