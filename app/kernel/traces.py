"""What a deletion leaves on the disk, and getting rid of it as far as a database lets one.

SQLite, with `secure_delete`, overwrites what is deleted in the transaction that deletes it;
but a row that ever moved to another page may have left a copy in the old one, and what was
there before stands in the journal (WAL) until that is emptied. PostgreSQL overwrites
nothing, and a vacuum does not clear what it frees: the bytes stay in their page until
others take their place. What helps on both is to write the table anew. Neither reaches what
is elsewhere: docs/privacy.md says what that is.
"""

from typing import Any, Final

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


def scrub_sqlite(engine: Engine, table: str) -> bool:
    """Write a table of SQLite anew, move all to its place, and empty the journal.

    False: somebody still reads what was there before. Nobody else writes meanwhile.
    """
    connection = engine.raw_connection()
    try:
        cursor: Any = connection.cursor()
        write_anew(cursor, table)
        [(usual,)] = cursor.execute("PRAGMA busy_timeout").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        [(busy, *_)] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
    finally:
        connection.close()  # what was not committed is rolled back
    return not busy


def write_anew(cursor: Any, table: str) -> None:
    """Free every page of a small table, which clears them, and fill others in order."""
    cursor.execute("BEGIN IMMEDIATE")
    every = f"SELECT * FROM {table} ORDER BY rowid"  # noqa: S608 - named by our code
    rows = cursor.execute(every).fetchall()
    cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    if rows:
        values = ", ".join("?" for _ in rows[0])
        cursor.executemany(f"INSERT INTO {table} VALUES ({values})", rows)  # noqa: S608
    cursor.execute("COMMIT")


def scrub_postgresql(connection: Connection, table: str) -> bool:
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
