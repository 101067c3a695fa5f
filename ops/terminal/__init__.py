"""The terminal: shared options, output, questions, progress, errors and their exit codes.

The package asks no Worker and no Cloudflare, and imports no other package of ops.
Begin with output.py.
"""
