"""What a deletion leaves on the disk, and getting rid of it as far as a database lets one.

SQLite, with `secure_delete`, overwrites what is deleted in the transaction that deletes it;
what was there before stands in the journal (WAL) until that is emptied. PostgreSQL neither
overwrites nor, when it vacuums, clears what it frees: the bytes stay in the page until
others take their place. Only a table that is written anew no longer has them. Neither
reaches what is elsewhere: docs/privacy.md says what that is.
"""

from typing import Final

from sqlalchemy import Connection, Engine, text

PATIENCE: Final = 200
"""Milliseconds to wait for those who still read the journal; writers wait meanwhile."""

# From PostgreSQL 17 on, a right of its own; before, only the owner may.
MAY: Final = text("""SELECT CASE WHEN current_setting('server_version_num')::int >= 170000
    THEN has_table_privilege(:table, 'MAINTAIN') ELSE false END""")
NEXT: Final = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text")

# Whoever began before this moment may still see what was deleted before it, and so keeps
# it: a transaction, a standby that says what it reads, a slot, something prepared.
HELD: Final = text("""SELECT EXISTS (
    SELECT FROM (
        SELECT unnest(ARRAY[backend_xmin, backend_xid]) AS since FROM pg_stat_activity
        WHERE pid != pg_backend_pid()
        AND coalesce(datname, current_database()) = current_database()
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts
        WHERE database = current_database()
    ) AS readers WHERE since IS NOT NULL AND age(since) > age(CAST(:next AS xid)))""")
LIMITS: Final = ("SET lock_timeout = '1s'", "SET statement_timeout = '60s'")


def truncate_wal(engine: Engine) -> bool:
    """Move what the journal of SQLite holds to its place, and empty it.

    False: somebody still reads it.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        [(patience,)] = cursor.execute("PRAGMA busy_timeout").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        [(busy, *_)] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {patience}")
    finally:
        connection.close()
    return not busy


def rewrite(connection: Connection, table: str) -> bool:
    """Write a table of PostgreSQL anew, without what was deleted from it.

    False: somebody may still see that, or it is not ours to do. Outside any transaction;
    the time-outs of the connection are the caller's to set again.
    """
    before = connection.scalars(NEXT).one()
    may = connection.scalars(MAY, {"table": table}).one()
    if not may or connection.scalars(HELD, {"next": before}).one():
        return False
    for limit in LIMITS:
        connection.execute(text(limit))
    connection.execute(text(f"VACUUM (FULL) {table}"))
    return True
