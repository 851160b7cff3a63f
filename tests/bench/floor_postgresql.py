"""The floor on PostgreSQL. It uses psycopg, with one connection for each thread."""

from threading import local
from typing import LiteralString, override

import psycopg

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

CASE: LiteralString = """INSERT INTO "case" VALUES (%s, 1, 'submitted', %s, %s)"""
PARTY: LiteralString = "INSERT INTO party VALUES (%s, %s, 'candidate')"
ENTRY: LiteralString = (
    "INSERT INTO entry VALUES (%s, %s, %s, %s, 'UZ_CONSULATE_ALMATY', '{}')"
)
ADVANCE: LiteralString = (
    "UPDATE mailbox SET head = head + 1 WHERE focal_point_id = %s RETURNING head"
)
DELIVERY: LiteralString = "INSERT INTO delivery VALUES (%s, %s, %s)"
VERSION: LiteralString = """SELECT version FROM "case" WHERE id = %s FOR UPDATE"""
MOVE: LiteralString = (
    """UPDATE "case" SET version = version + 1, state = 'under_review' WHERE id = %s"""
)
HEAD: LiteralString = "SELECT head FROM mailbox WHERE focal_point_id = %s"
EVENTS: LiteralString = """
    SELECT position, id, at, type, subject, by, facts
    FROM delivery JOIN entry ON id = entry_id
    WHERE focal_point_id = %s AND position > %s ORDER BY position LIMIT %s"""
WORKLIST: LiteralString = """
    SELECT subject, kind, due_at, set_at
    FROM clock WHERE waits_on = %s ORDER BY due_at, number LIMIT %s"""


def make(url: str) -> None:
    """Create the tables and the deadlines of the worklist."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for statement in TABLES.format(id="UUID", bytes="BYTEA").split(";"):
            cursor.execute(statement.encode())
        rows = [
            (n, f"cases/{n}", "accept_lead", READER, get_now(), get_now())
            for n in range(WAITING)
        ]
        cursor.executemany("INSERT INTO clock VALUES (%s, %s, %s, %s, %s, %s)", rows)


class Postgresql(Tables):
    """The tables on a PostgreSQL server. A write is one transaction; a read begins none."""

    def __init__(self, url: str) -> None:
        self.url, self.local = url, local()

    @property
    def connection(self) -> psycopg.Connection:
        """The connection of this thread. It prepares repeated statements."""
        if not hasattr(self.local, "connection"):
            self.local.connection = psycopg.connect(self.url, autocommit=True)
            self.local.connection.execute("SET synchronous_commit = 'on'")
        connection: psycopg.Connection = self.local.connection
        return connection

    def deliver(self, run: psycopg.Cursor, act: Act | Submission, kind: str) -> None:
        """Write an entry, and deliver it at the next position of the feed."""
        run.execute(ENTRY, (act.entry, act.at, kind, act.subject))
        [position] = run.execute(ADVANCE, (READER,)).fetchall()[0]
        run.execute(DELIVERY, (READER, position, act.entry))

    @override
    def submit(self, new: Submission) -> None:
        with self.connection.transaction(), self.connection.cursor() as run:
            run.execute(CASE, (new.case, new.summary, new.sealed))
            run.execute(PARTY, (new.case, READER))
            self.deliver(run, new, "case.submitted")

    @override
    def apply_act(self, act: Act) -> bool:
        with self.connection.transaction(), self.connection.cursor() as run:
            [version] = run.execute(VERSION, (act.code,)).fetchall()[0]
            if version != act.version:
                return False
            run.execute(MOVE, (act.code,))
            self.deliver(run, act, "case.acknowledged")
        return True

    @override
    def get_head(self) -> int:
        [head] = self.connection.execute(HEAD, (READER,)).fetchall()[0]
        return int(head)

    @override
    def list_events(self, after: int, limit: int) -> list[Row]:
        return self.connection.execute(EVENTS, (READER, after, limit)).fetchall()

    @override
    def list_work(self, limit: int) -> list[Row]:
        return self.connection.execute(WORKLIST, (READER, limit)).fetchall()
