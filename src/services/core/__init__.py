"""What all services share: ports to the outside, errors, logs, cursors, stored times, text.

It knows no domain: it must import no other package of services. Begin with `ports.py`, the types
of everything that `bindings` supplies, and `errors.py`.
"""
