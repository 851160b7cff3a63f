"""Functions that load the directory, time limits and contacts from CSV files."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import select

from app.administration.soundness_checks import describe_loss
from app.deadlines.models import TimeLimit
from app.deadlines.rows import TimeLimitRow
from app.directory import files
from app.directory.actions import (
    AGREEMENTS,
    CONTACTS,
    COUNTRIES,
    FOCAL_POINTS,
    WRITE_LOCK,
    Count,
    Register,
    count_changes,
    load_rows,
    lock_entry,
    store,
    to_values,
    with_stored_values,
)
from app.directory.file_rows import CountryRow
from app.directory.history import ChangeAuthor, Values, find_deactivated_by_accounts
from app.directory.models import Agreement, Country, FocalPoint
from app.kernel.db import lock_name

TIME_LIMITS: Final = Register(TimeLimit, ("of", "deadline", "priority"), "time-limits")


@dataclass(frozen=True)
class Activations:
    """The offices and contacts that a load activated, deactivated or left inactive."""

    activated: tuple[str, ...] = ()
    deactivated: tuple[str, ...] = ()
    left_inactive: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The result of a load: the row counts of each table, and the activations."""

    countries: Count
    focal_points: Count
    agreements: Count
    limits: Count
    contacts: Count
    activations: Activations = Activations()


def load(
    author: ChangeAuthor,
    folder: Traversable,
    *,
    reopen: bool = False,
    dry_run: bool = False,
) -> Loaded:
    """Add and change rows from the files of a folder (`directory.files.FILES`).

    At least one file is required. Rows are never deleted, because cases refer to them. An
    office or contact that was deactivated through the API stays inactive unless `reopen` is
    set, because the file may be older. If the files have errors, FilesRefused is raised
    before any change. A dry run checks the files, writes nothing, and returns the result
    that a load would have. A read-only transaction is enough for it.
    """
    if not dry_run:
        lock_name(author.session, WRITE_LOCK)
    write = count_changes if dry_run else store
    limits = files.load_sheet(folder, files.LIMITS, TimeLimitRow)
    found = files.read_folder(folder, load_known(author), limits)
    offices = with_stored_values(author, to_values(found.focal_points))
    contacts = to_values(found.contacts)
    offices, office_changes = plan_activations(author, FOCAL_POINTS, offices, reopen=reopen)
    contacts, contact_changes = plan_activations(author, CONTACTS, contacts, reopen=reopen)
    require_soundness(author, found.countries, offices)
    if not dry_run:
        record_deactivations(author, FOCAL_POINTS)
        record_deactivations(author, CONTACTS)
    return Loaded(
        countries=write(author, COUNTRIES, to_values(found.countries)),
        focal_points=write(author, FOCAL_POINTS, offices),
        agreements=write(author, AGREEMENTS, to_values(found.agreements)),
        limits=write(author, TIME_LIMITS, to_values(files.get_rows(limits))),
        contacts=write(author, CONTACTS, contacts),
        activations=merge_activations(office_changes, contact_changes),
    )


def plan_activations(
    author: ChangeAuthor, register: Register, rows: Sequence[Values], *, reopen: bool
) -> tuple[list[Values], Activations]:
    """Return the rows to store, and the activations that result from them."""
    rows_now = load_rows(author, register)
    was = {register.get_subject(row): row["active"] for row in rows_now}
    stays = frozenset() if reopen else find_deactivated(author, register, rows_now)
    wanted = {register.get_subject(row): row for row in rows}
    left = [s for s, row in wanted.items() if row["active"] and s in stays]
    wanted |= {subject: {**wanted[subject], "active": False} for subject in left}
    turned = [s for s, row in wanted.items() if was.get(s, row["active"]) != row["active"]]
    opened = [subject for subject in turned if wanted[subject]["active"]]
    closed = [subject for subject in turned if not wanted[subject]["active"]]
    return list(wanted.values()), Activations(tuple(opened), tuple(closed), tuple(left))


def find_deactivated(
    author: ChangeAuthor, register: Register, rows: Sequence[Values]
) -> frozenset[str]:
    """Return the subjects of inactive rows that an account, and not a file, deactivated.

    The history is read only for rows without a value in `deactivated_by_account`, because
    its entries can be deleted outside the service (ADR 88).
    """
    unknown = [register.get_subject(row) for row in list_unrecorded(rows)]
    known = {
        register.get_subject(row)
        for row in rows
        if not row["active"] and row["deactivated_by_account"]
    }
    return find_deactivated_by_accounts(author.session, unknown) | known


def list_unrecorded(rows: Sequence[Values]) -> list[Values]:
    """Return the inactive rows without a value in `deactivated_by_account`."""
    return [
        row for row in rows if not row["active"] and row["deactivated_by_account"] is None
    ]


def record_deactivations(author: ChangeAuthor, register: Register) -> None:
    """Set `deactivated_by_account` in the inactive rows that have no value yet (ADR 88).

    The values are read from the history. A row that does not match its MAC is not changed.
    """
    rows = list_unrecorded(load_rows(author, register))
    by_accounts = find_deactivated(author, register, rows)
    for row in rows:
        entry = lock_entry(author.session, register, register.get_key(row))
        if not entry.is_altered:
            entry.deactivated_by_account = register.get_subject(row) in by_accounts
    author.session.flush()


def merge_activations(one: Activations, other: Activations) -> Activations:
    """Return the activations of two tables combined."""
    return Activations(
        one.activated + other.activated,
        one.deactivated + other.deactivated,
        one.left_inactive + other.left_inactive,
    )


def require_soundness(
    author: ChangeAuthor, countries: Sequence[CountryRow], offices: Sequence[Values]
) -> None:
    """Raise FilesRefused if a load makes the directory unsound.

    It does so if a country loses its last active desk, or if the last active oversight body
    is lost.
    """
    codes = {row["code"] for row in load_rows(author, COUNTRIES)}
    codes |= {row.code for row in countries}
    before = load_rows(author, FOCAL_POINTS)
    after = {FOCAL_POINTS.get_subject(row): row for row in (*before, *offices)}
    if lost := describe_loss(codes, before, list(after.values())):
        files.require_no_faults([files.Fault(files.FOCAL_POINTS, 0, "", lost)])


def load_known(author: ChangeAuthor) -> files.Known:
    """Return the codes of the countries, offices and agreements in the directory."""
    columns = (Country.code, FocalPoint.code, Agreement.code)
    return files.Known(*(set(author.session.scalars(select(one))) for one in columns))
