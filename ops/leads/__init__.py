"""Form submissions in D1 and Pipedrive's custom fields, as the commands for leads need them.

It knows the states of a submission and the field map, and never imports `ops.commands`. Begin with
`lead_states.py`, or with `field_map_check.py` for the fields.
"""
