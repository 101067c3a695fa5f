"""The commands of `./ppp`, one module each: options, output and exit code.

Each module registers its commands in its `commands`, which ops/__main__.py puts together. A command
reads its options, calls the other packages and prints; no other package imports one. Begin with
status.py, which is short.
"""
