"""The steps after a restore, which set a new epoch and repeat the erasures."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from app.cases import case_protection
from app.cases.erasure import KEY_TABLE
from app.casework import erasing
from app.cli.guard_checks import require_guards
from app.cli.startup import (
    NotReady,
    claim_sqlite_file,
    load_runtime,
    require_migrated,
    require_one_database,
)
from app.kernel.actors import SYSTEM
from app.kernel.db import OWNER_ROLE, Database
from app.kernel.erasures import ErasureMark, get_erasure_mark, get_erasures
from app.kernel.file_keys import FileKeys
from app.kernel.journal import create_epoch, renew_epoch
from app.kernel.ledger import Ledger
from app.kernel.problems import Busy
from app.kernel.transactions import Runtime, begin_write
from app.kernel.vault import KEY_BYTES
from app.runtime import build_runtime
from app.settings import Settings

AFTER_RESTORE: Final = """
The database has a new epoch: a cursor from before the restore gets 410, and the client
reads the feed again. Actions after the backup are not in the database. Before you start the
service:
1. Set again every legal hold that was set after the backup; oversight knows which. Nothing
   is erased for 30 days, so that there is time for this.
2. Revoke again what was revoked after the backup, because it is valid again: roles, API
   keys, public keys of machines, accounts and webhooks. A link for an API key that was used
   after the backup can be used again: revoke its key. Use safe-conduct api-key revoke and
   safe-conduct account disable; over HTTP revoke-roles, public-keys/{kid}/revoke and
   webhooks/{id}/end. If the key of a machine was compromised, or an account must not have a
   role even for a minute, disable the account now.
3. Load the directory again: safe-conduct directory load FOLDER. Then deactivate again the
   offices and contacts that were deactivated after the backup.
4. Put the newest key file in its place, and check it: safe-conduct doctor
5. List the affected cases and the offices to inform: safe-conduct affected
6. Tell every office for which time its actions are lost. The office has to repeat them,
   each with a new Idempotency-Key.
""".strip()

TRACES: Final = """
Their keys may still be in files of the database; docs/privacy.md says what to do.
""".strip()
NO_LEDGER: Final = """
There is no ledger of erasures at {}. Without it, cases that were erased after the backup
come back. Give its newest copy with --erasures FILE or SAFE_CONDUCT_ERASURE_LEDGER. If
there never was one, or none is left, use --no-erasures.
""".strip().replace("\n", " ")
NO_ERASURES_HELP: Final = """
Continue without a ledger: cases that were erased after the backup come back.
""".strip()
LEDGER_MADE: Final = """
There was no ledger, so it was created from this database. If this database comes from a
backup, the ledger does not have the erasures after that backup.
""".strip().replace("\n", " ")


@dataclass(frozen=True)
class RestoreResult:
    """The result of the steps after a restore.

    `named` counts the erasures that are newer than the backup. `destroyed` counts the cases
    that were erased again. `traceless` is true if no database file contains the destroyed
    keys. `anew` is true if there was no ledger. `spared` counts the cases and drafts that
    would have been deleted within 30 days, and are now kept for 30 days.
    """

    named: int
    destroyed: int
    traceless: bool
    anew: bool = False
    spared: int = 0


def finish_restore(
    settings: Settings, given: Path | None, *, without: bool = False
) -> RestoreResult:
    """Give a restored database a new epoch and repeat the erasures of the ledger.

    The owner role sets the epoch, and the service role repeats the erasures. The function
    can be called again after an interruption. A ledger is required unless `without` is set,
    because a backup does not contain later erasures. Raises NotReady, for example if
    there is no ledger, and LedgerRefused if the ledger belongs to another database.
    """
    if given and without:
        raise NotReady("Use either --erasures or --no-erasures, not both.")
    if given and not given.is_file():
        raise NotReady(f"There is no ledger of erasures at {given}.")
    require_one_database(settings)
    kept = Ledger(settings.erasure_ledger)
    with claim_sqlite_file(settings.database_url):
        database, now = read_mark(settings)
        anew = not given and kept.read() is None
        if anew and not without:
            raise NotReady(NO_LEDGER.format(kept.path))
        runtime = build_keyless_runtime(settings)
        with begin_write(runtime, SYSTEM) as tx:
            spared = erasing.pause_deletions(tx)
        named = rename_database(database, now, Ledger(given or kept.path), kept)
        result = erase_again(runtime, named)
        protect_erased(settings)
        kept.copy_erasures(runtime)
        kept.require_agreement(runtime)
        runtime.database.engine.dispose()
    return replace(result, anew=anew, spared=spared)


def read_mark(settings: Settings) -> tuple[Database, ErasureMark]:
    """Return the database, opened with the owner role, and its `ErasureMark`."""
    url = settings.migration_database_url or settings.database_url
    database = Database(url, OWNER_ROLE)
    with database.begin_read() as session:
        require_migrated(session)
        require_guards(session)
        return database, get_erasure_mark(session)


def rename_database(
    database: Database, now: ErasureMark, ledger: Ledger, kept: Ledger
) -> Mapping[UUID, datetime]:
    """Give the database a new epoch, and return the erasures of the two ledgers combined.

    The new epoch is written to the `kept` ledger first, so that the service never uses an
    epoch that no ledger lists. The given `ledger` need not list the current epoch, if it
    lists an earlier epoch that the `kept` ledger lists too.
    """
    known, epoch = kept.read_for(now), create_epoch()
    given = ledger.read_for(now, known.epochs)
    kept.add_epochs({*given.epochs, *known.epochs, epoch})
    with database.begin_write() as session:
        renew_epoch(session, epoch)
    database.engine.dispose()
    return {**known.erased, **given.erased}


def erase_again(runtime: Runtime, named: Mapping[UUID, datetime]) -> RestoreResult:
    """Erase the cases in `named` that the database does not list as erased.

    Each case is erased in its own transaction. The result contains the numbers of cases.
    """
    with runtime.database.begin_read() as session:
        missing = named.keys() - get_erasures(session).keys()
    destroyed = 0
    for case_id in sorted(missing):
        with begin_write(runtime, SYSTEM) as tx:
            destroyed += erasing.erase_again(tx, case_id, named[case_id])
    traceless = False
    with suppress(Busy):
        traceless = runtime.database.erase_deleted_rows(KEY_TABLE)
    return RestoreResult(named=len(missing), destroyed=destroyed, traceless=traceless)


def build_keyless_runtime(settings: Settings) -> Runtime:
    """Build a runtime without a key file. Its key is random and cannot open any data.

    The runtime removes the MAC of each case that it changes.
    """
    unused = FileKeys({"unused": secrets.token_bytes(KEY_BYTES)})
    runtime = build_runtime(settings.database_url, unused, speed=settings.clock_speed)
    runtime.row_macs.is_disabled = True
    return runtime


def protect_erased(settings: Settings) -> None:
    """Write the MACs of the cases that were erased again, if there is a key file.

    An erased case has no content, so its rows are accepted as they are.
    """
    if settings.key_file.exists():
        for _ in case_protection.protect_erased(load_runtime(settings)):
            pass


def export_erasures(settings: Settings) -> tuple[int, bool]:
    """Add new erasures to the ledger, and create the ledger if it does not exist.

    Returns the number of added erasures and whether the ledger existed. Raises
    LedgerRefused if the ledger and the database do not agree.
    """
    ledger, runtime = Ledger(settings.erasure_ledger), build_keyless_runtime(settings)
    with runtime.database.begin_read() as session:
        require_migrated(session)
    existed = ledger.read() is not None
    added = ledger.copy_erasures(runtime, create=True)
    runtime.database.engine.dispose()
    return added, existed
