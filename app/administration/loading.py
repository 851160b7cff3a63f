"""Bringing the directory up to date from files, with all that is set beside it."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from sqlalchemy import select

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
    with_last_word,
)
from app.directory.changes import Clerk
from app.directory.models import Agreement, Country, FocalPoint
from app.kernel.db import hold

TIME_LIMITS: Final = Register(TimeLimit, ("of", "clock", "priority"), "time-limits")


@dataclass(frozen=True)
class Loaded:
    """What a folder did to the directory."""

    countries: Count
    focal_points: Count
    agreements: Count
    limits: Count
    contacts: Count


def load(clerk: Clerk, folder: Traversable) -> Loaded:
    """Add and change what the files of a folder say (`directory.files.FILES`).

    A folder may hold any of them; a `Path` will do. Rows are known by their codes, and none
    is ever deleted, since cases refer to it: set `active` to false. Raises FilesRefused,
    with every fault, before anything is written.
    """
    hold(clerk.session, ONE_AT_A_TIME)
    limits = files.open_sheet(folder, files.LIMITS, TimeLimitRow)
    found = files.read(folder, known(clerk), limits)
    offices = with_last_word(clerk, spelled(found.focal_points))
    return Loaded(
        countries=store(clerk, COUNTRIES, spelled(found.countries)),
        focal_points=store(clerk, FOCAL_POINTS, offices),
        agreements=store(clerk, AGREEMENTS, spelled(found.agreements)),
        limits=store(clerk, TIME_LIMITS, spelled(files.rows(limits))),
        contacts=store(clerk, CONTACTS, spelled(found.contacts)),
    )


def known(clerk: Clerk) -> files.Known:
    """Read what the directory holds already."""
    columns = (Country.iso2, FocalPoint.code, Agreement.code)
    return files.Known(*(set(clerk.session.scalars(select(one))) for one in columns))
