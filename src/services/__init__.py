"""The domain, in packages; none of them knows HTTP, the handlers or Cloudflare.

What a service needs from outside is passed in (`core.ports`). Begin with `tracking`, where events
are stored, then `sync`, which sends leads to Pipedrive.
"""
