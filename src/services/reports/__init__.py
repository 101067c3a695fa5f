"""Reports and exports: what pixels and projects recorded over a span of time, read only.

The package knows how events are counted and credited in SQL, how spans of time and pages of rows
are requested, and how an export continues in the archive. It must not import privacy, sync or
backup, and writes nothing. Begin with `spans` and `pixel_statistics`; an export begins in
`export_with_archive`.
"""
