"""Whether a database may be served: real, whole, and opened by the key file."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import structlog
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.access.queries import plays
from app.cases import queries as cases
from app.cli.grounds import NotReady, must_be_migrated
from app.cli.guarding import must_be_bound, must_be_guarded
from app.cli.unknown_settings import list_unknown
from app.cli.versions import must_be_supported
from app.demo.cast import CAST
from app.directory.queries import (
    lost_oversight,
    made_up_offices,
    regions_without_desk,
    unknown_time_zones,
)
from app.kernel import time_zones
from app.kernel.actors import SYSTEM
from app.kernel.keyfile import OTHERS
from app.kernel.ledger import Ledger
from app.kernel.vault import Unopenable
from app.kernel.work import Ground, reading
from app.settings import Environment, Settings
from app.webhooks import queries as webhooks
from app.webhooks.actions import place_of


def must_be_real(session: Session, environment: Environment) -> None:
    """Raise NotReady where the demonstration is in the database, but for a drill.

    Its desks, shelters and overseers would be given real cases, and its keys, which it
    prints, would open them.
    """
    if environment == Environment.DRILL:
        return
    made_up = made_up_offices(session)
    if not made_up and not plays(session, [part.label for part in CAST]):
        return
    offices = ", ".join(made_up[:3]) or "none"
    raise NotReady(
        f"The demonstration is in this database (active offices that do not exist: "
        f"{offices}): real cases would go to it. Use another database, in another folder. "
        "Where no real person is in it, set SAFE_CONDUCT_ENVIRONMENT=drill."
    )


def must_open(ground: Ground, lost: Collection[str]) -> None:
    """Raise NotReady unless the key file opens what the database holds, but what is lost.

    One of each: with an older copy of the file, or another, cases cannot be opened, and
    nobody would notice before the one who needs them.
    """
    try:
        with reading(ground, SYSTEM) as work:
            for key in cases.keys_to_try(work):
                if (version := key.version) not in lost:
                    work.vault.must_open(key)
            for secret in webhooks.secrets_to_try(work):
                if (version := secret.version) not in lost:
                    place = place_of(secret.id)
                    work.vault.bring_out(version, secret.wrapped, *place)
    except Unopenable as error:
        raise NotReady(
            f"The key file does not open what the database has under its key {version}: it "
            "is an older copy, or another file. Put the newest one back, or the line that "
            "is missing. Only if no copy is left anywhere, and that is lost for good: "
            f"SAFE_CONDUCT_LOST_KEYS={version}"
        ) from error


def must_be_ready(ground: Ground, ledger: Ledger, settings: Settings) -> list[str]:
    """Return warnings about a database that may be served.

    Raises NotReady unless the tables and their guards are there, every region has a desk,
    an oversight body is active if there was one, and the key file opens the cases. Raises
    LedgerRefused if the database holds what was erased, or nobody can tell.
    """
    with ground.database.reading() as session:
        must_be_supported(session, settings.database_url)
        must_be_migrated(session)
        warnings = must_be_guarded(session)
        must_be_real(session, settings.environment)
        warnings += must_be_bound(session, settings.environment)
        if unknown := unknown_time_zones(session):
            raise NotReady(
                f"The time zones of {', '.join(unknown)} are not in version "
                f"{time_zones.version()} of the IANA database: their deadlines cannot be "
                "computed. Correct time_zone in countries.csv or focal_points.csv, then: "
                "safe-conduct directory load FOLDER"
            )
        if orphans := regions_without_desk(session):
            regions = ", ".join(orphans)
            raise NotReady(
                f"No desk serves every country of {regions}: add one of kind desk to a "
                "focal_points.csv, then: safe-conduct directory load FOLDER"
            )
        if lost_oversight(session):
            raise NotReady(
                "No oversight body is active, though there was one: nobody would watch. "
                "Make one active in a focal_points.csv, then: safe-conduct directory load "
                "--reopen FOLDER"
            )
    ledger.must_agree(ground)
    must_open(ground, settings.lost_keys.split())
    return warnings


def log_unknown_settings() -> None:
    """Log each setting that does not exist; `doctor` prints them too."""
    for warning in list_unknown():
        structlog.get_logger().warning("settings", said=warning)


def log_warnings(warnings: Iterable[str]) -> None:
    """Log the warnings of `must_be_ready`, which `doctor` prints."""
    for warning in warnings:
        structlog.get_logger().warning("guards", said=warning)


def open_to_others(url: str) -> Iterator[str]:
    """Warn of files of the embedded database that others than their owner can read."""
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        return
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm")]
    for file in files:
        if file.exists() and file.stat().st_mode & OTHERS:
            yield f"Warning: others can read {file}. Close it: chmod 600 {file}"
