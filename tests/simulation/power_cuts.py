"""Simulated power failures immediately before or after a commit."""

from typing import Final

from sqlalchemy import Connection, event

from app.kernel.db import Database


class PowerCut(BaseException):
    """A simulated power failure; handlers for Exception do not catch it."""


class Power:
    """A power supply that fails before or after a given commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.left: int | None = None
        self.after = self.is_off = False
        for engine in database.engines:
            event.listen(engine, "commit", self.count_commit)
            event.listen(engine, "begin", self.fail_if_off)

    def fail_at(self, at: int, *, after: bool) -> None:
        """Make the power fail before or after the commit number `at`, counted from now."""
        self.left, self.after, self.is_off = at, after, False

    def reset(self) -> None:
        self.left, self.is_off = None, False

    def count_commit(self, connection: Connection) -> None:
        if self.left is None or connection.get_execution_options().get("query_only"):
            return
        self.left -= 1
        if self.left == 0:
            self.left = None
            self.is_off = True
            if not self.after:
                raise PowerCut

    def fail_if_off(self, _: Connection) -> None:
        """Raise PowerCut for every transaction that begins while the power is off."""
        if self.is_off:
            raise PowerCut

    def close(self) -> None:
        for engine in self.database.engines:
            event.remove(engine, "commit", self.count_commit)
            event.remove(engine, "begin", self.fail_if_off)


MOST: Final = 6
"""The highest number of a commit in a worker run at which the power can fail."""
