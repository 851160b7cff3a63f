"""Queries for agreements between countries, which allow data to cross a border (BR07)."""

from typing import Final

from sqlalchemy import bindparam

from app.directory.kinds import DisclosureLevel, is_at_home, list_home_countries
from app.directory.models import Agreement, FocalPoint
from app.kernel.protected_rows import Row, leave_out_altered, select_rows
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction

TODAY: Final = bindparam("today", type_=Agreement.in_force_from.type)
IN_FORCE: Final = (Agreement.in_force_from <= TODAY) & (
    Agreement.in_force_until.is_(None) | (Agreement.in_force_until >= TODAY)
)
"""The condition for agreements that are in force on the day `today` (UTC)."""
AGREEMENTS: Final = select_rows(Agreement).where(IN_FORCE)


@load_once(Agreement)
def list_in_force(tx: ReadTransaction) -> list[Row]:
    """List the agreements that are in force today (UTC).

    Rows that were altered outside the service are left out.
    """
    found = tx.read_columns(AGREEMENTS, {"today": tx.now.date()})
    return leave_out_altered(tx.session, Agreement, map(dict, found.mappings()))


@load_once(Agreement)
def list_agreed_countries(
    tx: ReadTransaction, country: str, level: DisclosureLevel
) -> frozenset[str]:
    """Return the countries to which a country may send data of this level today (UTC).

    Agreements are not combined: a single agreement has to allow the level (BR07).
    """
    allowing = (one for one in list_in_force(tx) if one["level"] >= level)
    groups = (set(one["countries"]) for one in allowing)
    return frozenset().union(*(group for group in groups if country in group)) - {country}


def is_agreed(
    tx: ReadTransaction, country: str, to: FocalPoint, level: DisclosureLevel
) -> bool:
    """Return whether data of this level may be sent from a country to an office (BR07).

    An office of that country needs no agreement. For any other office, agreements in force
    must allow the level for every country that the office belongs to.
    """
    if is_at_home(to, country):
        return True
    homes = set(list_home_countries(to))
    return bool(homes) and homes <= list_agreed_countries(tx, country, level)
