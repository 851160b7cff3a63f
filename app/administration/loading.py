"""Loading the directory from CSV files, with time limits and contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import select

from app.administration.soundness import harm
from app.deadlines.models import TimeLimit
from app.deadlines.rows import TimeLimitRow
from app.directory import files
from app.directory.actions import (
    AGREEMENTS,
    CONTACTS,
    COUNTRIES,
    FOCAL_POINTS,
    ONE_AT_A_TIME,
    Count,
    Register,
    spelled,
    store,
    stored_rows,
    with_last_word,
)
from app.directory.changes import Clerk, Values, shut_by_people
from app.directory.models import Agreement, Country, FocalPoint
from app.directory.rows import CountryRow
from app.kernel.db import hold

TIME_LIMITS: Final = Register(TimeLimit, ("of", "clock", "priority"), "time-limits")


@dataclass(frozen=True)
class Doors:
    """Offices and contacts that a load activated, deactivated, or left inactive."""

    opened: tuple[str, ...] = ()
    shut: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The counts of a load for each table, and the offices and contacts it switched."""

    countries: Count
    focal_points: Count
    agreements: Count
    limits: Count
    contacts: Count
    doors: Doors = Doors()


def load(clerk: Clerk, folder: Traversable, *, reopen: bool = False) -> Loaded:
    """Add and change rows from the files of a folder (`directory.files.FILES`).

    The folder may be a `Path` and may lack files. Rows are identified by code and never
    deleted, because cases refer to them; set `active` to false instead. An office or
    contact that was deactivated over HTTP stays inactive unless `reopen` is set, because
    the file may be older. Raises FilesRefused with all errors before it writes anything.
    """
    hold(clerk.session, ONE_AT_A_TIME)
    limits = files.open_sheet(folder, files.LIMITS, TimeLimitRow)
    found = files.read(folder, load_known(clerk), limits)
    offices = with_last_word(clerk, spelled(found.focal_points))
    contacts = spelled(found.contacts)
    offices, office_changes = plan_activations(clerk, FOCAL_POINTS, offices, reopen=reopen)
    contacts, contact_changes = plan_activations(clerk, CONTACTS, contacts, reopen=reopen)
    require_soundness(clerk, found.countries, offices)
    return Loaded(
        countries=store(clerk, COUNTRIES, spelled(found.countries)),
        focal_points=store(clerk, FOCAL_POINTS, offices),
        agreements=store(clerk, AGREEMENTS, spelled(found.agreements)),
        limits=store(clerk, TIME_LIMITS, spelled(files.rows(limits))),
        contacts=store(clerk, CONTACTS, contacts),
        doors=merge_activations(office_changes, contact_changes),
    )


def plan_activations(
    clerk: Clerk, register: Register, rows: Sequence[Values], *, reopen: bool
) -> tuple[list[Values], Doors]:
    """Return the rows to store, and which of them become active or inactive."""
    rows_now = stored_rows(clerk, register)
    was = {register.subject_of(row): row["active"] for row in rows_now}
    shut = [subject for subject, active in was.items() if not active]
    stays = frozenset() if reopen else shut_by_people(clerk.session, shut)
    wanted = {register.subject_of(row): row for row in rows}
    left = [
        subject for subject, row in wanted.items() if row["active"] and subject in stays
    ]
    wanted |= {subject: {**wanted[subject], "active": False} for subject in left}
    turned = [s for s, row in wanted.items() if was.get(s, row["active"]) != row["active"]]
    opened = [subject for subject in turned if wanted[subject]["active"]]
    closed = [subject for subject in turned if not wanted[subject]["active"]]
    return list(wanted.values()), Doors(tuple(opened), tuple(closed), tuple(left))


def merge_activations(one: Doors, other: Doors) -> Doors:
    """Return the activations of both tables together."""
    return Doors(one.opened + other.opened, one.shut + other.shut, one.left + other.left)


def require_soundness(
    clerk: Clerk, countries: Sequence[CountryRow], offices: Sequence[Values]
) -> None:
    """Raise FilesRefused if a region would lose its desk, or all their oversight.

    A new country may lack a desk; that is checked when the service starts.
    """
    known = {row["iso2"]: row["region"] for row in stored_rows(clerk, COUNTRIES)}
    regions = known | {row.iso2: row.region for row in countries}
    before = stored_rows(clerk, FOCAL_POINTS)
    after = {FOCAL_POINTS.subject_of(row): row for row in (*before, *offices)}
    if lost := harm(regions, before, list(after.values())):
        files.refuse([files.Fault(files.FOCAL_POINTS, 0, "", lost)])


def load_known(clerk: Clerk) -> files.Known:
    """Return the codes that the directory has."""
    columns = (Country.iso2, FocalPoint.code, Agreement.code)
    return files.Known(*(set(clerk.session.scalars(select(one))) for one in columns))
