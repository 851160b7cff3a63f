"""The offices on which the choice of a lead depends, a small part of the directory."""

from typing import Final

from sqlalchemy import Text, bindparam, cast, or_, select

from app.directory import queries as directory_queries
from app.directory.kinds import EVERYWHERE, Described, OfficeKind, is_serving
from app.directory.models import FocalPoint
from app.kernel.recall import load_once, store_result
from app.kernel.transactions import ReadTransaction

SERVES: Final = cast(FocalPoint.serves, Text)
"""The stored JSON list as text, in which each code has quotation marks."""
LEAD_OFFICES: Final = select(FocalPoint).where(
    or_(
        FocalPoint.kind.in_([OfficeKind.DESK, OfficeKind.OVERSIGHT]),
        FocalPoint.of_state == bindparam("country"),
        SERVES.contains(bindparam("quoted", type_=Text)),
        SERVES.contains(f'"{EVERYWHERE}"'),
        FocalPoint.id == bindparam("me"),
    )
)


@load_once(FocalPoint)
def list_lead_offices(tx: ReadTransaction, country: str) -> list[FocalPoint]:
    """List the offices that may matter to the choice of a lead, sorted by code.

    The statement also loads the caller's office and the oversight offices, which a
    submission needs too.
    """
    wanted = {
        "country": country,
        "quoted": f'"{country}"',
        "me": tx.actor.focal_point_id,
    }
    found = tx.session.scalars(LEAD_OFFICES, wanted).all()
    tx.kept_alive.update(found)
    oversight = (one for one in found if one.kind == OfficeKind.OVERSIGHT)
    overseers = frozenset(one.id for one in oversight if one.active)
    store_result(tx, directory_queries.list_overseers, overseers)
    relevant = (one for one in found if may_matter_to_lead(one, country))
    return sorted(relevant, key=directory_queries.by_code)


def may_matter_to_lead(focal_point: Described, country: str) -> bool:
    """Return whether the ranking of leads for a country may depend on an office.

    It depends on all desks, and on the offices that are based or work in the country.
    """
    is_desk = focal_point.kind == OfficeKind.DESK
    return is_desk or is_relevant_to(focal_point, country)


def is_relevant_to(focal_point: Described, country: str) -> bool:
    """Return whether an office is relevant to a country: based there or working there."""
    return country == focal_point.of_state or is_serving(focal_point, country)
