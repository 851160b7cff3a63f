"""Removal of the remains of deleted rows from the disk, as far as the database allows.

SQLite, with `secure_delete`, overwrites deleted content in the transaction that deletes it.
But if a row moved to another page, its old page may still contain a copy, and the journal
(WAL) contains the old content until it is emptied. PostgreSQL overwrites nothing: after a
plain vacuum, the bytes remain until other rows replace them. Rewriting the table removes
the remains in both databases, but not in other copies, which docs/privacy.md lists.
"""

from typing import Any, Final

from sqlalchemy import Connection, Engine, text

CHECKPOINT_TIMEOUT: Final = 200
"""The milliseconds that a checkpoint waits for readers, while it blocks all writers."""

# PostgreSQL 17 added the privilege MAINTAIN. In earlier versions, only the owner of a table
# can rewrite it.
MAY: Final = text("""SELECT CASE WHEN current_setting('server_version_num')::int >= 170000
    THEN has_table_privilege(:table, 'MAINTAIN') ELSE false END""")
NEXT_TRANSACTION: Final = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text")

# Deleted rows are kept while an older reader may still see them: a transaction, a standby
# with feedback, a replication slot or a prepared transaction. A transaction that writes in
# another database counts as well, because the snapshot of VACUUM FULL includes it.
HAS_OLDER_READER: Final = text("""SELECT EXISTS (
    SELECT FROM (
        SELECT unnest(ARRAY[backend_xmin, backend_xid]) AS since FROM pg_stat_activity
        WHERE pid != pg_backend_pid()
        AND coalesce(datname, current_database()) = current_database()
        UNION ALL SELECT pg_snapshot_xmin(pg_current_snapshot())::xid
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts
        WHERE database = current_database()
    ) AS readers WHERE since IS NOT NULL AND age(since) > age(CAST(:next AS xid)))""")
TIMEOUTS: Final = ("SET lock_timeout = '1s'", "SET statement_timeout = '60s'")


def erase_deleted_sqlite(engine: Engine, table: str) -> bool:
    """Rewrite a table of SQLite and empty the journal; return whether that succeeded.

    This fails while a reader uses older content. Other writers wait in the meantime.
    """
    connection = engine.raw_connection()
    try:
        cursor: Any = connection.cursor()
        replace_rows(cursor, table)
        [(usual,)] = cursor.execute("PRAGMA busy_timeout").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {CHECKPOINT_TIMEOUT}")
        [(busy, *_)] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {usual}")
    finally:
        connection.close()  # rolls back an open transaction
    return not busy


def replace_rows(cursor: Any, table: str) -> None:
    """Delete and reinsert all rows of a small table, to overwrite its free pages."""
    cursor.execute("BEGIN IMMEDIATE")
    select = f"SELECT * FROM {table} ORDER BY rowid"  # noqa: S608 - named by our code
    rows = cursor.execute(select).fetchall()
    cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    if rows:
        values = ", ".join("?" for _ in rows[0])
        cursor.executemany(f"INSERT INTO {table} VALUES ({values})", rows)  # noqa: S608
    cursor.execute("COMMIT")


def erase_deleted_postgresql(connection: Connection, table: str) -> bool:
    """Rewrite a PostgreSQL table to erase its deleted rows; return whether that succeeded.

    This fails if a transaction may still see deleted rows, or if the privilege is missing.
    Call this function outside a transaction, and restore the timeouts afterwards.
    """
    before = connection.scalars(NEXT_TRANSACTION).one()
    may = connection.scalars(MAY, {"table": table}).one()
    if not may or connection.scalars(HAS_OLDER_READER, {"next": before}).one():
        return False
    for limit in TIMEOUTS:
        connection.execute(text(limit))
    connection.execute(text(f"VACUUM (FULL) {table}"))
    return True
