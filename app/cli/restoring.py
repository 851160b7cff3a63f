"""After a restore: the database gets a new name, and what was erased is erased again."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from app.cases.erasing import KEYS
from app.casework import erasing
from app.cli.grounds import NotReady, alone, must_be_migrated, must_be_one
from app.cli.guarding import must_be_guarded
from app.ground import lay_ground
from app.kernel.actors import SYSTEM
from app.kernel.db import OWNER_ROLE, Database
from app.kernel.erasures import Mark, mark, recorded
from app.kernel.journal import new_epoch, renew_epoch
from app.kernel.keyfile import FileKeys
from app.kernel.ledger import Ledger
from app.kernel.problems import Busy
from app.kernel.vault import KEY_BYTES
from app.kernel.work import Ground, writing
from app.settings import Settings

AFTER_RESTORE: Final = """
The database has a new name: a cursor of before is answered 410, and its holder reads anew.
What was done after the backup is not in it. Before you serve:
1. Set every legal hold again that was set since: oversight knows which. Nothing is
   destroyed for 30 days, whose time is up or not, so that this can be done.
2. End again who and what was ended since, before you serve: roles that were taken, keys
   of accounts and of machines, accounts, webhooks: safe-conduct api-key revoke,
   safe-conduct account disable; over HTTP revoke-roles, public-keys/{kid}/revoke, and
   webhooks/{id}/end. All of them are in force again. If the key of a machine was burnt, or
   somebody lost a role who must not have it for a minute, disable the account now.
3. Load the directory again: safe-conduct directory load FOLDER. Then shut again which
   offices and contacts were shut since: the backup and the files do not know of it.
4. Check that the key file is the newest: safe-conduct doctor.
5. Say case by case what can no longer be honoured, and whom to tell: safe-conduct affected
6. Tell every focal point of which time the acts are lost: they have to do them again,
   each with a new Idempotency-Key.
""".strip()

TRACES: Final = """
Their keys may still stand in files of the database: docs/privacy.md says what to do.
""".strip()
NO_LEDGER: Final = """
There is no ledger of erasures at {}: without it what was erased after the backup comes
back. Bring its newest copy, and name it: --erasures FILE, or SAFE_CONDUCT_ERASURE_LEDGER.
If there never was one, or none is left: --no-erasures
""".strip().replace("\n", " ")
WITHOUT: Final = """
There never was a ledger, or none is left: what was erased after the backup comes back.
""".strip()
LEDGER_MADE: Final = """
There was none: it is made anew, from this database. Should this database come from a
backup, what was erased after that backup is not in it: nobody knows of it any more.
""".strip().replace("\n", " ")


@dataclass(frozen=True)
class Restored:
    """What the ledger named and the backup did not know, and what of it was there.

    `traceless`: no file of the database keeps the keys that were destroyed. `anew`: there
    was no ledger. `spared`: what would have been destroyed soon, and is kept for 30 days.
    """

    named: int
    destroyed: int
    traceless: bool
    anew: bool = False
    spared: int = 0


def restored(settings: Settings, given: Path | None, *, without: bool = False) -> Restored:
    """Name a restored database anew, and destroy again what the ledger says was erased.

    The name is the owner's to give; the rest is done as the service does it. Killed at any
    point, it is run again and goes on. `without` any ledger only where the operator says
    so: the backup cannot tell whether something was erased after it. Raises NotReady,
    LedgerRefused, Busy (503).
    """
    if given and without:
        raise NotReady("Either --erasures or --no-erasures, not both.")
    if given and not given.is_file():
        raise NotReady(f"There is no ledger of erasures at {given}.")
    must_be_one(settings)
    kept = Ledger(settings.erasure_ledger)
    with alone(settings.database_url):
        database, now = as_owner(settings)
        anew = not given and kept.found() is None
        if anew and not without:
            raise NotReady(NO_LEDGER.format(kept.path))
        ground = keyless(settings)
        with writing(ground, SYSTEM) as work:
            spared = erasing.spare(work)
        named = rename(database, now, Ledger(given or kept.path), kept)
        done = erase_again(ground, named)
        kept.copy_out(ground)
        kept.must_agree(ground)
        ground.database.engine.dispose()
    return replace(done, anew=anew, spared=spared)


def as_owner(settings: Settings) -> tuple[Database, Mark]:
    """Look which database this is, as who may name it; raises NotReady without tables."""
    url = settings.migration_database_url or settings.database_url
    database = Database(url, OWNER_ROLE)
    with database.reading() as session:
        must_be_migrated(session)
        must_be_guarded(session)
        return database, mark(session)


def rename(
    database: Database, now: Mark, ledger: Ledger, kept: Ledger
) -> Mapping[UUID, datetime]:
    """Give the database another epoch; says what the ledgers name.

    Only once they know it: nothing must be served under an epoch that no ledger knows. One
    that is brought later may know the database by a name it had, as the kept one tells.
    """
    ours, epoch = kept.of(now), new_epoch()
    told = ledger.of(now, ours.epochs)
    kept.announce({*told.epochs, *ours.epochs, epoch})
    with database.writing() as session:
        renew_epoch(session, epoch)
    database.engine.dispose()
    return {**ours.erased, **told.erased}


def erase_again(ground: Ground, named: Mapping[UUID, datetime]) -> Restored:
    """Destroy what this database still has of it, each case in a transaction of its own."""
    with ground.database.reading() as session:
        lacking = named.keys() - recorded(session).keys()
    destroyed = 0
    for case_id in sorted(lacking):
        with writing(ground, SYSTEM) as work:
            destroyed += erasing.erase_again(work, case_id, named[case_id])
    traceless = False
    with suppress(Busy):
        traceless = ground.database.scrub(KEYS)
    return Restored(len(lacking), destroyed, traceless)


def keyless(settings: Settings) -> Ground:
    """Lay a ground on which nothing is opened or sealed: no key file is needed."""
    unused = FileKeys({"unused": secrets.token_bytes(KEY_BYTES)})
    return lay_ground(settings.database_url, unused, speed=settings.clock_speed)


def export(settings: Settings) -> tuple[int, bool]:
    """Bring the ledger up to date, and make it if it is not there.

    Says how many erasures were added, and whether it was there. Raises LedgerRefused, Busy.
    """
    ledger, ground = Ledger(settings.erasure_ledger), keyless(settings)
    with ground.database.reading() as session:
        must_be_migrated(session)
    there = ledger.found() is not None
    added = ledger.copy_out(ground, anew=True)
    ground.database.engine.dispose()
    return added, there
