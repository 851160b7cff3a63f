"""The floor on SQLite, with one connection. Every commit is written to the disk."""

import sqlite3
from typing import override

from tests.bench.floor_tables import (
    READER,
    TABLES,
    WAITING,
    Act,
    Row,
    Submission,
    Tables,
    get_now,
)

BEGIN = "BEGIN IMMEDIATE"
CASE = """INSERT INTO "case" VALUES (?, 1, 'submitted', ?, ?)"""
PARTY = "INSERT INTO party VALUES (?, ?, 'candidate')"
ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?, 'UZ_CONSULATE_ALMATY', '{}')"
ADVANCE = "UPDATE mailbox SET head = head + 1 WHERE focal_point_id = ? RETURNING head"
DELIVERY = "INSERT INTO delivery VALUES (?, ?, ?)"
VERSION = """SELECT version FROM "case" WHERE id = ?"""
MOVE = """UPDATE "case" SET version = version + 1, state = 'under_review' WHERE id = ?"""
HEAD = "SELECT head FROM mailbox WHERE focal_point_id = ?"
EVENTS = """
    SELECT position, hex(id), at, type, subject, by, facts
    FROM delivery JOIN entry ON id = entry_id
    WHERE focal_point_id = ? AND position > ? ORDER BY position LIMIT ?"""
WORKLIST = """
    SELECT subject, kind, due_at, set_at
    FROM clock WHERE waits_on = ? ORDER BY due_at, number LIMIT ?"""


def make(path: str) -> None:
    """Create the tables, and the deadlines that the worklist shows."""
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES.format(id="BLOB", bytes="BLOB"))
        rows = [
            (n, f"cases/{n}", "accept_lead", READER, get_now(), get_now())
            for n in range(WAITING)
        ]
        connection.executemany("INSERT INTO clock VALUES (?, ?, ?, ?, ?, ?)", rows)


class Sqlite(Tables):
    """The implementation of the tables on SQLite, with one connection to one file."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")

    def deliver(self, entry: bytes, at: str, kind: str, subject: str) -> None:
        """Write an entry, and deliver it at the next position of the feed."""
        run = self.connection.execute
        run(ENTRY, (entry, at, kind, subject))
        [position] = run(ADVANCE, (READER,)).fetchone()
        run(DELIVERY, (READER, position, entry))

    @override
    def submit(self, new: Submission) -> None:
        run = self.connection.execute
        run(BEGIN)
        run(CASE, (new.case.bytes, new.summary, new.sealed))
        run(PARTY, (new.case.bytes, READER))
        self.deliver(new.entry.bytes, new.at, "case.submitted", new.subject)
        run("COMMIT")

    @override
    def apply_act(self, act: Act) -> bool:
        run, case = self.connection.execute, bytes.fromhex(act.code)
        run(BEGIN)
        [version] = run(VERSION, (case,)).fetchone()
        if version != act.version:
            run("ROLLBACK")
            return False
        run(MOVE, (case,))
        self.deliver(act.entry.bytes, act.at, "case.acknowledged", act.subject)
        run("COMMIT")
        return True

    @override
    def get_head(self) -> int:
        [head] = self.connection.execute(HEAD, (READER,)).fetchone()
        return int(head)

    @override
    def list_events(self, after: int, limit: int) -> list[Row]:
        return self.connection.execute(EVENTS, (READER, after, limit)).fetchall()

    @override
    def list_work(self, limit: int) -> list[Row]:
        return self.connection.execute(WORKLIST, (READER, limit)).fetchall()
