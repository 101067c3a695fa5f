"""The terminal: shared options, output, questions, progress, errors and their exit codes.

The package knows nothing of PPP Pixel and imports no other package of ops. Begin with output.py.
"""
