"""Reading the directory as those who change it need it, and what they changed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.deadlines.models import Clock, TimeLimit
from app.directory import queries as directory
from app.directory.actions import Register
from app.directory.changes import PRIVATE, DirectoryChange
from app.directory.kinds import Kind
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.kernel.actors import Role
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing

type Entry = Country | FocalPoint | Agreement | Contact | TimeLimit


def find(work: Reading, register: Register, key: str) -> Entry | None:
    """Find a row of the directory as it is now, whatever was read before."""
    found: Entry | None = work.session.scalar(select_row(register, key))
    return found


def lock(work: Writing, register: Register, key: str) -> Entry | None:
    """Find a row and hold it: an office's own word about itself waits meanwhile."""
    held = select_row(register, key).with_for_update(key_share=True)
    found: Entry | None = work.session.scalar(held)
    return found


def select_row(register: Register, key: str) -> Select[Any]:
    """Select the row of a key, afresh."""
    row = select(register.table).where(register.named(key))
    return row.execution_options(populate_existing=True)


def get(work: Reading, register: Register, key: str) -> Entry:
    """Find a row of the directory, or raise NotFound (404)."""
    found = find(work, register, key)
    if found is None:
        raise NotFound("There is no such row in the directory.")
    return found


def values(entry: Entry) -> dict[str, Any]:
    """Spell a row as the values of its columns, but for the private ones."""
    names = entry.__table__.columns.keys()
    return {name: getattr(entry, name) for name in names if name not in PRIVATE}


def list_offices(work: Reading) -> list[Mapping[str, Any]]:
    """List every focal point as the values of its columns."""
    return [values(found) for found in work.session.scalars(select(FocalPoint))]


def get_regions(work: Reading) -> dict[str, str]:
    """Tell the region of each country."""
    return {country.iso2: country.region for country in directory.countries(work)}


def agreements(work: Reading) -> list[Agreement]:
    """List every agreement, by code."""
    found = work.session.scalars(select(Agreement))
    return sorted(found, key=lambda agreement: agreement.code)


def contacts(work: Reading) -> list[Contact]:
    """List the contacts the caller may know of, by code: administrators see all of them.

    A coordinator sees those of its own office. Raises RoleMissing (403).
    """
    statement = select(Contact)
    if Role.ADMINISTRATOR not in work.actor.roles:
        if Role.COORDINATOR not in work.actor.roles:
            raise RoleMissing("This is for administrators, and coordinators of the office.")
        us = directory.by_id(work, work.actor.focal_point_id)
        statement = statement.where(Contact.focal_point == us.code)
    return sorted(work.session.scalars(statement), key=lambda contact: contact.code)


def contact(work: Reading, code: str) -> Contact:
    """Find a contact the caller may know of.

    Raises RoleMissing (403), or NotFound (404) for what is not there or another office's.
    """
    for found in contacts(work):
        if found.code == code:
            return found
    raise NotFound("There is no such contact, or it is not of your office.")


def cases_waiting(work: Reading, focal_point_id: UUID) -> int:
    """Count the cases with a clock that waits for a focal point; which ones it says not."""
    mine = (Clock.waits_on == focal_point_id) & Clock.stopped_at.is_(None)
    found = select(func.count(Clock.case_id.distinct())).where(mine)
    return work.session.scalars(found).one()


def changes(work: Reading) -> Select[DirectoryChange, int]:
    """Select what was changed in the directory, for administrators and for oversight.

    Raises RoleMissing (403).
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    if Role.ADMINISTRATOR not in work.actor.roles and me.kind != Kind.OVERSIGHT:
        raise RoleMissing("This is for administrators and for oversight to read.")
    return select(DirectoryChange, DirectoryChange.number)
