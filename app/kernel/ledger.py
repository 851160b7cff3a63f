"""The ledger: a copy of all erasures outside of the database, for the day of a restore.

A backup from before an erasure holds the key that was destroyed since, and knows nothing of
it: this file does (R34). It names its databases by their epochs, for a restored one has an
old epoch, or the one that `restored` announced here before it gave it.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from sqlalchemy.orm import Session

from app.kernel.erasures import Mark, mark, recorded
from app.kernel.journal import knows_a_case
from app.kernel.keyfile import OTHERS
from app.kernel.ledger_file import (
    Contents,
    LineUnknown,
    alone,
    append,
    create,
    parse,
    read_all,
    spell,
    spell_epochs,
)
from app.kernel.work import Ground


class LedgerRefused(Exception):  # noqa: N818 - it says what is the matter, as Problem does
    """The ledger and the database do not go together; `brief` may be shown to anybody."""

    brief: ClassVar[str]


class ErasuresDue(LedgerRefused):
    """The database comes from an older backup: it holds what was erased since."""

    brief = "erasures are due: safe-conduct restored"


class LedgerUnusable(LedgerRefused):
    """The ledger is not there, or cannot be read or written."""

    brief = "the ledger of erasures cannot be used: safe-conduct doctor"


class LedgerDamaged(LedgerRefused):
    """A line of the ledger is none."""

    brief = "the ledger of erasures is damaged: safe-conduct doctor"


class LedgerForeign(LedgerRefused):
    """The ledger is of another database."""

    brief = "the ledger of erasures is of another database: safe-conduct doctor"


class Ledger:
    """A ledger at its place; it remembers what it read, and what agreed with what."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], Contents] | None = None
        self._agreed: tuple[Contents, Mark] | None = None
        self._copied: tuple[Contents, Mark] | None = None

    def found(self) -> Contents | None:
        """Read it, once for each time that it changed; None: there is none.

        Raises LedgerUnusable or LedgerDamaged.
        """
        with self._honestly("read"):
            try:
                now = self.path.stat()
            except FileNotFoundError:
                return None
            must_be_closed(self.path, now)
            signature = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
            kept = self._read
            if kept is None or kept[0] != signature:
                kept = self._read = (signature, self._parsed(self.path.read_bytes()))
        return kept[1]

    def must_agree(self, ground: Ground) -> None:
        """Raise LedgerRefused if this database holds what was erased, or nobody can tell.

        The file first: what it names was committed before. It is read anew when it has
        changed, and compared anew then or when the database has another epoch or fewer
        erasures; at all other times this costs one stat and one count. Raises Busy (503).
        """
        contents = self.found()
        with ground.database.reading() as session:
            now = mark(session)
            if contents is None:
                return self._may_be_missing(session, now)
            if goes_on(self._agreed, contents, now):
                return None
            lacking = self._ours(contents, now).erased.keys() - recorded(session).keys()
        if lacking:
            raise ErasuresDue(
                f"{len(lacking)} erasures of {self.path} are not in this database, which "
                "comes from an older backup. Erase again: safe-conduct restored"
            )
        self._agreed = (contents, now)
        return None

    def copy_out(self, ground: Ground, *, anew: bool = False) -> int:
        """Name here what the database has erased and this does not; says how much.

        It is on the disk when this returns; whoever is killed before is made up for by the
        next, here or in another process of this machine. The first ledger of a database
        without a case is made by itself, one that should be there only if it is to be made
        `anew`. Raises LedgerRefused, Busy (503).
        """
        contents = self.found()
        with ground.database.reading() as session:
            now = mark(session)
            if contents and self._copied == (contents, now):
                return 0
            erased = recorded(session)
            if contents is None and not anew:
                self._may_be_missing(session, now)
        if contents is None:
            self._make([now.epoch])
        with self._open() as file:
            known = self._ours(self._parsed(read_all(file)), now)
            new = {one: at for one, at in erased.items() if one not in known.erased}
            append(file, known, spell(new))
        if (contents := self.found()) is not None:
            self._copied = (contents, now)
        return len(new)

    def start(self, ground: Ground) -> None:
        """Make the first ledger of a database that has no case yet.

        Raises LedgerRefused, Busy (503).
        """
        if self.found() is None:
            self.copy_out(ground)

    def of(self, now: Mark, had: Collection[str] = ()) -> Contents:
        """Read what a database with this mark, which `had` other names, has to obey.

        A ledger that is not there names nothing: that it may be missing, somebody has to
        say who knows it. Raises LedgerRefused.
        """
        contents = self.found()
        if contents is None:
            return Contents(frozenset({now.epoch}), {}, b"")
        return self._ours(contents, now, had)

    def announce(self, epochs: Iterable[str]) -> None:
        """Say that it is the ledger of databases with these epochs too.

        Raises LedgerDamaged.
        """
        if self.found() is None:
            self._make(epochs)
        with self._open() as file:
            known = self._parsed(read_all(file))
            append(file, known, spell_epochs(set(epochs) - known.epochs))

    def _make(self, epochs: Iterable[str]) -> None:
        with self._honestly("made"):
            create(self.path, epochs)

    @contextmanager
    def _open(self) -> Iterator[int]:
        with self._honestly("written"), alone(self.path) as file:
            yield file

    @contextmanager
    def _honestly(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = f"{self.path} cannot be {what}: {error.strerror}."
            raise LedgerUnusable(said) from error

    def _parsed(self, data: bytes) -> Contents:
        try:
            return parse(data)
        except LineUnknown as unknown:
            raise LedgerDamaged(
                f"Line {unknown} of {self.path} is none of a ledger of erasures. Put its "
                "copy back; or, if this database was not restored since, move the file "
                "away, then: safe-conduct erasures export"
            ) from unknown

    def _ours(self, contents: Contents, now: Mark, had: Collection[str] = ()) -> Contents:
        if contents.epochs.isdisjoint({now.epoch, *had}):
            raise LedgerForeign(
                f"{self.path} is the ledger of another database; nothing was changed. Look "
                "at SAFE_CONDUCT_DATABASE_URL and SAFE_CONDUCT_ERASURE_LEDGER; if the "
                "database is a new one, move that file away."
            )
        return contents

    def _may_be_missing(self, session: Session, now: Mark) -> None:
        if now.count or knows_a_case(session):
            raise LedgerUnusable(
                f"There is no ledger of erasures at {self.path}, and the database has had "
                "cases: put its newest copy back; after a restore: safe-conduct restored. "
                "If there never was one, or it is lost and the database was not restored "
                "since: safe-conduct erasures export"
            )


def must_be_closed(path: Path, found: os.stat_result) -> None:
    """Raise LedgerUnusable if anybody but this user or root can read or change a ledger.

    One line that somebody adds destroys the key of a case at the next restore.
    """
    if found.st_mode & OTHERS:
        said = f"Others can read or change {path}. Close it: chmod 600 {path}"
        raise LedgerUnusable(said)
    if found.st_uid not in {0, os.geteuid()}:
        raise LedgerUnusable(
            f"{path} belongs to another user, who can change it. Give it to the user that "
            "runs the service."
        )


def goes_on(agreed: tuple[Contents, Mark] | None, contents: Contents, now: Mark) -> bool:
    """Say whether both are what agreed before, or the database has erased more since."""
    if agreed is None:
        return False
    same = agreed[0] is contents and agreed[1].epoch == now.epoch
    return same and now.count >= agreed[1].count
