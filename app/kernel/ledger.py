"""The erasure ledger: a copy of all erasures outside of the database, for restores.

A backup that was made before an erasure still contains the key that was destroyed later.
The ledger lists the erasures, so that they can be repeated (R34). It also lists the epochs
of the databases to which it belongs. A restored database has an old epoch until the command
`restored` gives it a new epoch. The command adds the new epoch to the ledger first, and
then to the database, so that the ledger always lists the epoch of the database.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from sqlalchemy.orm import Session

from app.kernel import ledger_file
from app.kernel.erasures import ErasureMark, get_erasure_mark, get_erasures
from app.kernel.journal import has_any_case
from app.kernel.keyfile import OTHERS
from app.kernel.ledger_file import Contents, LineUnknown
from app.kernel.transactions import Runtime


class LedgerRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The ledger cannot be used for the database; `brief` contains nothing confidential."""

    brief: ClassVar[str]


class ErasuresDue(LedgerRefused):
    """Erasures are due: a restored backup contains cases that were erased later."""

    brief = "erasures are due: safe-conduct restored"


class LedgerUnusable(LedgerRefused):
    """The ledger is missing or open to other users, or cannot be read or written."""

    brief = "the ledger of erasures cannot be used: safe-conduct doctor"


class LedgerDamaged(LedgerRefused):
    """The ledger contains a malformed line."""

    brief = "the ledger of erasures is damaged: safe-conduct doctor"


class LedgerForeign(LedgerRefused):
    """The ledger belongs to another database."""

    brief = "the ledger of erasures is of another database: safe-conduct doctor"


class Ledger:
    """The ledger at a path, with a cache of its content and of the last comparisons."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, ...], Contents] | None = None
        self._agreed: tuple[Contents, ErasureMark] | None = None
        self._copied: tuple[Contents, ErasureMark] | None = None

    def read(self) -> Contents | None:
        """Return the content of the file, or None if there is no file.

        Raises LedgerRefused if the file cannot be read, is damaged or open to other users.
        """
        with self._raise_unusable("read"):
            try:
                now = self.path.stat()
            except FileNotFoundError:
                return None
            require_owner_only(self.path, now)
            signature = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
            cached = self._read
            if cached is None or cached[0] != signature:
                cached = self._read = (signature, self._parse(self.path.read_bytes()))
        return cached[1]

    def require_agreement(self, runtime: Runtime) -> None:
        """Raise LedgerRefused unless the database contains all erasures of its ledger.

        A missing ledger is accepted only if the database never had a case.

        The file is read before the database, because each erasure is committed before it is
        written to the file. Both are compared again only if the file has changed, or if the
        database has another epoch or fewer erasures.
        """
        contents = self.read()
        with runtime.database.begin_read() as session:
            now = get_erasure_mark(session)
            if contents is None:
                return self._require_no_cases(session, now)
            if is_still_agreed(self._agreed, contents, now):
                return None
            erased = self._require_own(contents, now).erased
            missing = erased.keys() - get_erasures(session).keys()
        if missing:
            raise ErasuresDue(
                f"{len(missing)} erasures of {self.path} are not in this database, which "
                "was restored from an older backup. Run: safe-conduct restored"
            )
        self._agreed = (contents, now)
        return None

    def copy_erasures(self, runtime: Runtime, *, create: bool = False) -> int:
        """Append the erasures that only the database has, and return their number.

        On return, the added erasures are on the disk. If the process is killed earlier, the
        next call in any process adds them. A missing ledger is created if the database
        never had a case, or if `create` is true. Raises LedgerRefused or Busy (503).
        """
        contents = self.read()
        with runtime.database.begin_read() as session:
            now = get_erasure_mark(session)
            if contents and self._copied == (contents, now):
                return 0
            erased = get_erasures(session)
            if contents is None and not create:
                self._require_no_cases(session, now)
        if contents is None:
            self._make([now.epoch])
        with self._open() as file:
            known = self._require_own(self._parse(ledger_file.read_all(file)), now)
            new = {id_: at for id_, at in erased.items() if id_ not in known.erased}
            ledger_file.append(file, known, ledger_file.format_erasures(new))
        if (contents := self.read()) is not None:
            self._copied = (contents, now)
        return len(new)

    def start(self, runtime: Runtime) -> None:
        """Create a missing ledger. Raises LedgerUnusable if the database has had cases."""
        if self.read() is None:
            self.copy_erasures(runtime)

    def read_for(self, now: ErasureMark, earlier_epochs: Collection[str] = ()) -> Contents:
        """Return the content of the ledger for the database with this mark.

        If there is no ledger, the content is the epoch of the mark. Raises LedgerRefused if
        the ledger is unusable, or lists neither this epoch nor one of `earlier_epochs`.
        """
        contents = self.read()
        if contents is None:
            return Contents(frozenset({now.epoch}), {}, b"")
        return self._require_own(contents, now, earlier_epochs)

    def add_epochs(self, epochs: Iterable[str]) -> None:
        """Add epochs to the ledger, which is created if needed. Raises LedgerRefused."""
        if self.read() is None:
            self._make(epochs)
        with self._open() as file:
            known = self._parse(ledger_file.read_all(file))
            new = ledger_file.format_epochs(set(epochs) - known.epochs)
            ledger_file.append(file, known, new)

    def _make(self, epochs: Iterable[str]) -> None:
        with self._raise_unusable("created"):
            ledger_file.create(self.path, epochs)

    @contextmanager
    def _open(self) -> Iterator[int]:
        with self._raise_unusable("written"), ledger_file.open_locked(self.path) as file:
            yield file

    @contextmanager
    def _raise_unusable(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{self.path} cannot be {verb}: {error.strerror}."
            raise LedgerUnusable(message) from error

    def _parse(self, data: bytes) -> Contents:
        try:
            return ledger_file.parse(data)
        except LineUnknown as unknown:
            raise LedgerDamaged(
                f"Line {unknown} of {self.path} is malformed. Restore the file from its "
                "copy. Or, if the database has not been restored since, move the file away "
                "and run: safe-conduct erasures export"
            ) from unknown

    def _require_own(
        self, contents: Contents, now: ErasureMark, earlier_epochs: Collection[str] = ()
    ) -> Contents:
        if contents.epochs.isdisjoint({now.epoch, *earlier_epochs}):
            raise LedgerForeign(
                f"{self.path} is the ledger of another database; nothing was changed. "
                "Check SAFE_CONDUCT_DATABASE_URL and SAFE_CONDUCT_ERASURE_LEDGER. If the "
                "database is new, move the file away."
            )
        return contents

    def _require_no_cases(self, session: Session, now: ErasureMark) -> None:
        if now.count or has_any_case(session):
            raise LedgerUnusable(
                f"There is no ledger of erasures at {self.path}, but the database has had "
                "cases. Put its newest copy back; after a restore of the database, run: "
                "safe-conduct restored. If there never was a ledger, or it is lost and the "
                "database has not been restored since, run: safe-conduct erasures export"
            )


def require_owner_only(path: Path, found: os.stat_result) -> None:
    """Raise LedgerUnusable if a user other than this user and root can access the ledger.

    A line that another user added would erase a case at the next restore.
    """
    if found.st_mode & OTHERS:
        raise LedgerUnusable(f"Other users can access {path}. Run: chmod 600 {path}")
    if found.st_uid not in {0, os.geteuid()}:
        raise LedgerUnusable(
            f"{path} belongs to another user. Change its owner to the user that runs the "
            "service."
        )


def is_still_agreed(
    agreed: tuple[Contents, ErasureMark] | None, contents: Contents, now: ErasureMark
) -> bool:
    """Return whether the last successful comparison, `agreed`, still holds.

    The comparison holds if the file and the epoch of the database are unchanged, and the
    database has no fewer erasures than at the comparison.
    """
    if agreed is None:
        return False
    same = agreed[0] is contents and agreed[1].epoch == now.epoch
    return same and now.count >= agreed[1].count
