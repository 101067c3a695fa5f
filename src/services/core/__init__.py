"""What several services share: ports to the outside, errors, logs, cursors, stored times, text.

Of the domain it knows what more than one package must read alike: a pending lead, an event as a
line, a run of a job. It must import no other package of services. Begin with `ports.py`, the types
of everything that `bindings` supplies, and `errors.py`.
"""
