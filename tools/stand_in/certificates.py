"""A certificate for the hosts of routes, with which the front ends TLS on this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

DAYS = "30"


def make_certificate(folder: Path, hosts: tuple[str, ...]) -> dict[str, str]:
    """Make a certificate, once, and return the paths of it and its key."""
    key, certificate = folder / "edge.key", folder / "edge.pem"
    if not certificate.exists():
        names = ",".join(f"DNS:{host}" for host in hosts or ("localhost",))
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS),
                *("-subj", "/CN=stand-in", "-addext", f"subjectAltName={names}"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
    return {"key": str(key), "certificate": str(certificate)}
