"""When a database counts as lost: it is not the one that was there, or holds less than that did."""

from __future__ import annotations

from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark


def judge_loss(
    mark: HighWaterMark | None, database: DatabaseContents, environment: str = ""
) -> str | None:
    """The reason why the database is lost, as the end of a sentence, or None if it is not.

    Without a mark there is nothing to compare with. The mark of another `environment` says nothing
    of the database, but that both share a bucket; an empty name is that of none.
    """
    if mark is None:
        return None
    if not mark.is_of(environment):
        return (
            f"the bucket is that of another environment ({mark.environment}, not {environment}),"
            " whose backups and waiting events are not this one's: give each a bucket of its own in"
            " wrangler.toml; if it was only renamed: ./ppp accept-database"
        )
    # The mark never falls: an erasure since then took some of them.
    before = (
        f"the one that is meant had at most {mark.events:,} events on {mark.seen_at},"
        f" with ids up to {mark.highest_event:,}"
    )
    if database.missing or database.database_id is None:
        return f"{_missing(database)}; {before}"
    if database.database_id != mark.database_id:
        return (
            f"this is another database ({database.database_id}), whose highest event is"
            f" {database.highest_event:,}; {before} ({mark.database_id})"
        )
    return mark.missing or _judge_copy(mark, database, before) or _judge_entries(mark, database)


def _missing(database: DatabaseContents) -> str:
    """That tables are gone or the identity is, and what brings them back."""
    names = ", ".join(database.missing)
    if not names:
        return "the database has no tables, or a restore into it has not ended"
    noun = f"table {names} is" if len(database.missing) == 1 else f"tables {names} are"
    if database.database_id is None:
        return f"the {noun} missing, or a restore into it has not ended: ./ppp restore"
    return f"the {noun} missing: ./ppp restore brings back what no migration does"


def _judge_copy(mark: HighWaterMark, database: DatabaseContents, before: str) -> str | None:
    """Whether it is the database of an earlier day, or another copy of it."""
    if is_other_copy(mark, database.generation):
        return (
            "this is another copy of the database than the one that is meant: an older one, or one"
            " that was restored and not accepted (./ppp accept-database); its highest event is"
            f" {database.highest_event:,}; {before}"
        )
    if database.highest_event < mark.highest_event or is_set_back(mark, database):
        return (
            f"the database was set back, as Time Travel does: its highest event is"
            f" {database.highest_event:,}, and was {mark.highest_event:,}; its last run of the cron"
            f" is of {database.last_run or 'no time'}, and was of {mark.last_run or 'no time'};"
            f" {before}"
        )
    return None


def _judge_entries(mark: HighWaterMark, database: DatabaseContents) -> str | None:
    for noun, count, highest_count in (
        ("projects", database.projects, mark.projects),
        ("pixels", database.pixels, mark.pixels),
    ):
        if count < highest_count:
            return f"the database has {count:,} {noun}, and had {highest_count:,}"
    return None


def is_other_copy(mark: HighWaterMark, generation: str | None) -> bool:
    """Whether a database of the mark's id is another copy, such as the one before a restore."""
    return bool(mark.generation) and generation != mark.generation


def is_set_back(mark: HighWaterMark | None, database: DatabaseContents) -> bool:
    """Whether the database lacks a run of the cron that it had; events may have come since."""
    if mark is None or database.database_id != mark.database_id:
        return False
    return database.last_run is not None and database.last_run < mark.last_run
