"""Queries for the rows of the directory, for contacts and for the history of changes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from app.deadlines.models import Clock, TimeLimit
from app.directory import queries as directory_queries
from app.directory.actions import Register
from app.directory.history import UNRECORDED, DirectoryChange
from app.directory.kinds import OfficeKind
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.kernel.actors import Role
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

type Entry = Country | FocalPoint | Agreement | Contact | TimeLimit


def select_row(register: Register, key: str) -> Select[Any]:
    """Return a query that finds a row by its key, and that refreshes the loaded object."""
    row = select(register.table).where(register.matches_key(key))
    return row.execution_options(populate_existing=True)


def get(tx: ReadTransaction, register: Register, key: str) -> Entry:
    """Return a row of the directory, or raise NotFound (404)."""
    found: Entry | None = tx.session.scalar(select_row(register, key))
    if found is None:
        raise NotFound("There is no such row in the directory.")
    return found


def get_values(entry: Entry) -> dict[str, Any]:
    """Return the values of a row by column name, without the columns in UNRECORDED."""
    names = entry.__table__.columns.keys()
    return {name: getattr(entry, name) for name in names if name not in UNRECORDED}


def list_offices(tx: ReadTransaction) -> list[Mapping[str, Any]]:
    """List every focal point, as a mapping from column names to values."""
    return [get_values(found) for found in tx.session.scalars(select(FocalPoint))]


def list_country_codes(tx: ReadTransaction) -> frozenset[str]:
    """Return the codes of the countries in the directory."""
    return frozenset(one.code for one in directory_queries.list_countries(tx))


def list_agreements(tx: ReadTransaction) -> list[Agreement]:
    """List every agreement, sorted by code."""
    found = tx.session.scalars(select(Agreement))
    return sorted(found, key=lambda agreement: agreement.code)


def list_contacts(tx: ReadTransaction) -> list[Contact]:
    """List the contacts that the caller may see, sorted by code.

    Administrators see all contacts; coordinators see only the contacts of their own office.
    Raises RoleMissing (403) if the caller has neither role.
    """
    statement = select(Contact)
    if Role.ADMINISTRATOR not in tx.actor.roles:
        if Role.COORDINATOR not in tx.actor.roles:
            raise RoleMissing("This needs the role administrator or coordinator.")
        office = directory_queries.by_id(tx, tx.actor.focal_point_id)
        statement = statement.where(Contact.focal_point == office.code)
    return sorted(tx.session.scalars(statement), key=lambda contact: contact.code)


def get_contact(tx: ReadTransaction, code: str) -> Contact:
    """Return a contact of `list_contacts`, or raise NotFound (404) or RoleMissing (403)."""
    for found in list_contacts(tx):
        if found.code == code:
            return found
    raise NotFound("There is no such contact, or it belongs to another office.")


def count_waiting_cases(tx: ReadTransaction, focal_point_id: UUID) -> int:
    """Count the cases in which a deadline of the focal point is running."""
    waiting = (Clock.waits_on == focal_point_id) & Clock.stopped_at.is_(None)
    found = select(func.count(Clock.case_id.distinct())).where(waiting)
    return tx.session.scalars(found).one()


def select_changes(tx: ReadTransaction) -> Select[DirectoryChange, int]:
    """Select the directory changes, which only administrators and oversight may read."""
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if Role.ADMINISTRATOR not in tx.actor.roles and office.kind != OfficeKind.OVERSIGHT:
        raise RoleMissing("This needs the role administrator, or an account of oversight.")
    return select(DirectoryChange, DirectoryChange.number)
