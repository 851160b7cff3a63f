"""Checks before the service starts: database, directory, ledger and key file."""

import secrets
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Final

import structlog
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.access import protection
from app.access.queries import has_active_account
from app.cases import case_protection
from app.cli import mac_samples, row_protection, wrapped_keys
from app.cli.guard_checks import require_bound_login, require_guards
from app.cli.startup import NotReady, require_migrated
from app.cli.transit import build_key_service
from app.cli.unknown_settings import list_unknown
from app.cli.versions import require_supported_database
from app.demo.demo_accounts import DEMO_ACCOUNTS
from app.directory.queries import (
    has_lost_oversight,
    list_active_desks,
    list_countries_without_desk,
    list_fictitious_offices,
    list_unknown_time_zones,
)
from app.kernel import time_zones
from app.kernel.actors import SERVICE, SYSTEM
from app.kernel.keyfile import OTHERS, read_lines
from app.kernel.ledger import Ledger
from app.kernel.stored_keys import StoredKey, encode_keys
from app.kernel.transactions import Runtime, begin_read
from app.kernel.vault import KEY_BYTES, RetiredKey, Unopenable
from app.returns import step_digests
from app.settings import Environment, Settings

RETIRED: Final = (
    "The database needs the retired key {version}. After the restore of a backup, run: "
    "safe-conduct key retire {version} --undo. Otherwise somebody has used this key: see "
    "docs/operations.md."
)
OUTDATED: Final = (
    "Warning: the database has rows of the standby key, which another machine activated. "
    "Copy the key file of that machine."
)


def require_no_demo(session: Session, environment: Environment) -> None:
    """Raise NotReady if the database has demonstration data, except in a drill.

    Otherwise, the made-up offices would receive real cases, and everyone who has a printed
    API key could open these cases.
    """
    if environment == Environment.DRILL:
        return
    made_up = list_fictitious_offices(session)
    if not made_up and not has_active_account(
        session, [part.label for part in DEMO_ACCOUNTS]
    ):
        return
    offices = f"Active made-up offices: {', '.join(made_up) or 'none'}."
    raise NotReady(
        "This database contains the demonstration. Its offices would receive real cases.\n"
        f"{fill(offices, 80)}\n"
        "Use another database, in another folder.\n"
        "If it has no data about real people, set SAFE_CONDUCT_ENVIRONMENT=drill."
    )


def require_desks(session: Session, altered: Iterable[str] = ()) -> None:
    """Raise NotReady if there is a country that no active desk serves.

    `altered` are the warnings about rows that are not used, which can be the reason.
    """
    regions = list_countries_without_desk(session)
    if not regions:
        return
    groups = defaultdict[str, list[str]](list)
    for code, region in sorted(regions.items(), key=lambda one: (one[1], one[0])):
        groups[region].append(code)
    missing = (f"{', '.join(codes)} ({region})" for region, codes in groups.items())
    desks = (
        f"{desk.code} (serves {' '.join(sorted(desk.serves)) or 'no country'})"
        for desk in list_active_desks(session)
    )
    reason = (
        f"No active desk serves {', '.join(missing)}. Active desks: "
        f"{', '.join(desks) or 'none'}. Add these countries to serves of a desk, or add a "
        "focal point of kind desk, in focal_points.csv, then run: "
        "safe-conduct directory load FOLDER"
    )
    raise NotReady("\n".join([reason, *altered]))


def require_key_file(runtime: Runtime, lost: Collection[str]) -> None:
    """Raise NotReady unless the key file opens sample data of each key not in `lost`.

    Without this check, an office would notice a wrong or outdated key file only when it
    needs a case.
    """
    try:
        with begin_read(runtime, SYSTEM) as tx:
            for version, table, rows in wrapped_keys.list_samples(tx):
                if version not in lost:
                    table.require_opened(tx, rows)
    except RetiredKey as error:
        raise NotReady(RETIRED.format(version=version)) from error
    except Unopenable as error:
        raise NotReady(
            f"The key file does not open data sealed with key {version}: it is an older "
            "copy, or another file, or somebody changed this data. Restore the newest "
            "copy, or insert the missing line before that of the current key. Only if no "
            "copy is left, or if the data was changed, so that it is lost: set "
            f"SAFE_CONDUCT_LOST_KEYS={version}"
        ) from error


def require_ready(runtime: Runtime, ledger: Ledger, settings: Settings) -> list[str]:
    """Return warnings, or raise NotReady or LedgerRefused if the service cannot start.

    NotReady is raised, for example, if tables or triggers are missing, a country has no
    desk, the last oversight office is no longer active, or the key file does not open the
    data. LedgerRefused is raised if the ledger and the database do not agree.
    """
    with runtime.database.begin_read() as session:
        require_supported_database(session, settings.database_url)
        require_migrated(session)
        warnings = require_guards(session)
        warnings += require_protected(session, runtime)
        require_no_demo(session, settings.environment)
        warnings += require_bound_login(session, settings.environment)
        if unknown := list_unknown_time_zones(session):
            raise NotReady(
                f"The time zones of {', '.join(unknown)} are not in version "
                f"{time_zones.get_version()} of the IANA database, so deadlines "
                "there cannot be computed. Correct time_zone in countries.csv or "
                "focal_points.csv, then run: safe-conduct directory load FOLDER"
            )
        require_desks(session, report_altered_rows(session))
        if has_lost_oversight(session):
            raise NotReady(
                "No oversight body is active any more. Make one active in "
                "focal_points.csv, then run: safe-conduct directory load --reopen FOLDER"
            )
    ledger.require_agreement(runtime)
    warnings += require_protected_cases(runtime)
    require_key_file(runtime, settings.lost_keys.split())
    return warnings + list_key_warnings(settings)


def describe_key_file(settings: Settings) -> str:
    """Return a line that confirms the key file and, if there is one, the key service.

    Raises KeyServiceFailed if the key service does not encrypt and decrypt a random key.
    """
    valid = f"The key file {settings.key_file} is valid."
    service = build_key_service(settings)
    if service is None:
        return valid
    encode_keys([StoredKey("probe", secrets.token_bytes(KEY_BYTES))], service)
    return f"{valid} The key service works with the key {settings.transit_key}."


def list_key_warnings(settings: Settings) -> list[str]:
    """Return warnings about the use of the key service, if there is one (ADR 87)."""
    if settings.transit_url is None:
        return []
    found, token, name = [], settings.transit_token_file, settings.key_file
    if not all(one.is_encrypted for one in read_lines(name)):
        found.append(
            f"Warning: the keys in {name} are not encrypted. Run: safe-conduct key encrypt"
        )
    if token is not None and token.exists() and token.stat().st_mode & stat.S_IRWXO:
        found.append(f"Warning: other users can read {token}. Run: chmod o= {token}")
    return found


def require_protected(session: Session, runtime: Runtime) -> list[str]:
    """Return warnings about rows of accounts and the directory without a valid MAC.

    Raises NotReady if rows without a MAC are refused, or if the key file does not fit the
    MACs of the rows (ADR 80, 82).
    """
    found = check_key_versions(runtime)
    if not protection.has_fitting_key(session):
        raise NotReady(
            "No key of the key file is the one that protects the accounts. Restore the "
            "newest copy of the key file of this database. If it is right, somebody "
            "changed the accounts in the database: see docs/operations.md."
        )
    if count := protection.count_unprotected(session):
        subject = f"{count} accounts and persons are"
        found += report_missing_macs(runtime, subject, "account")
    if row_protection.is_unprotected(session):
        found += report_missing_macs(
            runtime, "Rows of the directory or webhooks are", "directory"
        )
    found += report_altered_rows(session)
    return found


def check_key_versions(runtime: Runtime) -> list[str]:
    """Return a warning if a table has MACs by the standby key, which is in use elsewhere.

    Raises NotReady if a retired key made the last MACs of a table.
    """
    secrets = runtime.row_macs.secrets
    with runtime.database.begin_read(SERVICE) as session:
        found = mac_samples.find_sample_versions(session)
    for versions in found:
        if versions and not versions & secrets.accepted.keys():
            raise NotReady(RETIRED.format(version=min(versions)))
    standby = secrets.accepted.keys() - {secrets.current_version, *secrets.replaced}
    return [OUTDATED] if standby & frozenset[str]().union(*found) else []


def report_altered_rows(session: Session) -> list[str]:
    """Return a warning if any rows were altered outside the service (ADR 82)."""
    if altered := row_protection.find_altered(session):
        warning = (
            "Warning: these rows were altered outside the service, and are not used: "
            f'{", ".join(altered)}. See "Rows that were changed in the database" in '
            "docs/operations.md."
        )
        return [warning]
    return []


def require_protected_cases(runtime: Runtime) -> list[str]:
    """Return a warning about cases without a MAC, or raise NotReady if refused (ADR 81)."""
    with runtime.database.begin_read(SERVICE) as session:
        has_case = case_protection.has_unprotected(session)
        is_missing = has_case or step_digests.has_unprotected(session)
    return report_missing_macs(runtime, "Some cases are", "case") if is_missing else []


def report_missing_macs(runtime: Runtime, subject: str, command: str) -> list[str]:
    """Return a warning about rows without a MAC, or raise NotReady if they are refused."""
    found = f"{subject} not protected against changes in the database."
    if not runtime.row_macs.accepts_missing():
        raise NotReady(
            f"{found} After an upgrade from a version before 0.2, see "
            "docs/upgrade-0.2.md. Otherwise somebody changed the database."
        )
    return [f"Warning: {found} Run: safe-conduct {command} protect"]


def log_unknown_settings() -> None:
    """Log a warning for each unknown setting. `doctor` prints the same warnings."""
    for warning in list_unknown():
        structlog.get_logger().warning("settings", said=warning)


def log_warnings(warnings: Iterable[str]) -> None:
    """Log the warnings of `require_ready`. `doctor` prints the same warnings."""
    for warning in warnings:
        structlog.get_logger().warning("guards", said=warning)


def find_readable_files(url: str) -> Iterator[str]:
    """Yield a warning for each file of the SQLite database that other users can read."""
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        return
    files = [Path(f"{path}{end}") for end in ("", "-wal", "-shm")]
    for file in files:
        if file.exists() and file.stat().st_mode & OTHERS:
            yield f"Warning: other users can read {file}. Run: chmod 600 {file}"
