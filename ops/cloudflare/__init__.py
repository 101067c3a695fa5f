"""Cloudflare as `ppp` reaches it: D1, R2 and the Worker's versions, all through wrangler.

The package knows the environments of wrangler.toml, the local database of `make dev` (from tools/)
and how to run and print a wrangler command. Of ops it imports the terminal only: what a database or
a bucket holds is the business of the packages above. Begin with target.py, which says what a
command works on, and wrangler_command.py.
"""
