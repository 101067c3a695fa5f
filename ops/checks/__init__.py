"""What `ppp status`, `logs`, `capacity` and `security-check` measure and conclude.

The package knows the Worker's answers and log lines, and what a healthy or safe Worker answers. It
imports no command. Begin with status_lines.py, or with security_probes.py for the security check.
"""
