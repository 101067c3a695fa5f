"""What `ppp projects` and `ppp pixels` share: reading, changing and printing their entries.

The package knows the fields of a project and a pixel as the API has them. It imports no command.
Begin with entries.py.
"""
