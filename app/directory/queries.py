"""Queries for the directory, which is small and public to every office.

Lists are filtered and sorted in Python, so that routing does not depend on how a database
searches JSON lists and sorts `_`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from app.directory import kinds
from app.directory.addresses import Channel
from app.directory.history import was_ever_active
from app.directory.kinds import (
    Confidence,
    OfficeKind,
    Service,
    StateRouting,
)
from app.directory.models import Contact, Country, FocalPoint
from app.kernel import time_zones
from app.kernel.paging import NOT_OF_THIS_LIST, CursorUnknown, PageQuery
from app.kernel.problems import NotFound, Problem
from app.kernel.protected_rows import was_verified
from app.kernel.recall import load_once
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction


def find_country(tx: ReadTransaction, code: str) -> Country | None:
    """Return the country with the given code, or None if it is not in the directory."""
    return tx.session.get(Country, code)


COUNTRIES: Final = select(Country)
FOCAL_POINTS: Final = select(FocalPoint)
BY_CODE: Final = FOCAL_POINTS.where(FocalPoint.code == bindparam("code"))


@load_once(Country)
def list_countries(tx: ReadTransaction) -> list[Country]:
    """List all countries, sorted by code."""
    return sorted(tx.session.scalars(COUNTRIES), key=lambda found: found.code)


ROUTING: Final = select(Country.code, Country.state_routing, Country.mac)


@load_once(Country)
def list_avoided_countries(tx: ReadTransaction) -> frozenset[str]:
    """Return the countries whose State bodies automatic routing avoids (routing rule 6).

    Whole rows are read only if this process has not verified them yet.
    """
    found: Sequence[Any] = tx.read_columns(ROUTING, {}).all()
    if not all(
        was_verified(tx.session, Country, mac, code=code, state_routing=routing)
        for code, routing, mac in found
    ):
        found = list_countries(tx)
    return frozenset(one.code for one in found if one.state_routing == StateRouting.AVOID)


def get_by_code(tx: ReadTransaction, code: str) -> FocalPoint:
    """Return the office with the given code, or raise NotFound (404)."""
    found = tx.session.scalar(BY_CODE, {"code": code})
    if found is None:
        raise NotFound("There is no such focal point.")
    return found


class FocalPointUnknown(Problem):
    """The request names a focal point that is not in the directory."""

    status = 422


def get_by_code_or_422(tx: ReadTransaction, code: str) -> FocalPoint:
    """Return the office that a request names, or raise FocalPointUnknown (422)."""
    found = tx.session.scalar(BY_CODE, {"code": code})
    if found is None:
        raise FocalPointUnknown("GET /v1/focal-points lists the codes.")
    return found


def get_id(session: Session, code: str) -> UUID:
    """Return the id of the office with the given code, or raise NotFound (404)."""
    found = session.scalar(select(FocalPoint.id).where(FocalPoint.code == code))
    if found is None:
        raise NotFound("The directory has no focal point with this code.")
    return found


def by_id(tx: ReadTransaction, focal_point_id: UUID) -> FocalPoint:
    """Return the office with the given id, or raise NotFound (404)."""
    if found := find_by_id(tx, focal_point_id):
        return found
    raise NotFound("There is no such focal point.")


def find_by_id(tx: ReadTransaction, focal_point_id: UUID) -> FocalPoint | None:
    """Return the office with the given id, or None; the session is searched first."""
    loaded = find_loaded(tx, [focal_point_id])
    return (loaded or by_ids(tx, [focal_point_id])).get(focal_point_id)


HAS_ID: Final = FocalPoint.id.in_(make_list_parameter("ids"))
BY_IDS: Final = FOCAL_POINTS.where(HAS_ID)
KNOWN_CODES: Final = "codes of focal points"
"""The key under which a session keeps the codes that a transaction has read."""
CODES: Final = select(FocalPoint.id, FocalPoint.code).where(HAS_ID)


@load_once(FocalPoint)
def by_ids(tx: ReadTransaction, ids: Iterable[UUID]) -> Mapping[UUID, FocalPoint]:
    """Return the offices with the given ids, as a mapping by id."""
    known = find_loaded(tx, ids)
    missing = [one for one in ids if one not in known]
    if missing:
        found = tx.session.scalars(BY_IDS, {"ids": missing}).all()
        tx.kept_alive.update(found)
        known |= {one.id: one for one in found}
    return known


def get_codes(tx: ReadTransaction, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the codes of the offices with the given ids, as a mapping by id."""
    wanted, known = set(ids), load_known_codes(tx)
    codes = {one: known[one] for one in wanted if one in known}
    codes |= {key: one.code for key, one in find_loaded(tx, wanted - codes.keys()).items()}
    missing = [one for one in wanted if one not in codes]
    if missing:
        codes.update(tx.read_columns(CODES, {"ids": missing}).all())
    return codes


def load_known_codes(tx: ReadTransaction) -> dict[UUID, str]:
    """Return the codes that this transaction has read, by office id. Codes never change."""
    codes: dict[UUID, str] = tx.session.info.setdefault(KNOWN_CODES, {})
    return codes


def find_loaded(tx: ReadTransaction, ids: Iterable[UUID]) -> dict[UUID, FocalPoint]:
    """Return the given offices that this transaction has already loaded, by id."""
    loaded = tx.session.identity_map
    found = ((one, loaded.get(identity_key(FocalPoint, one))) for one in ids)
    return {key: one for key, one in found if one is not None}


@load_once(FocalPoint)
def list_active(tx: ReadTransaction) -> list[FocalPoint]:
    """List the active offices, sorted by code."""
    found = tx.session.scalars(select(FocalPoint).where(FocalPoint.active))
    return sorted((one for one in found if one.active), key=by_code)


IS_OVERSIGHT: Final = FocalPoint.kind == OfficeKind.OVERSIGHT
OVERSEERS: Final = FOCAL_POINTS.where(FocalPoint.active, IS_OVERSIGHT)


@load_once(FocalPoint)
def list_overseers(tx: ReadTransaction) -> frozenset[UUID]:
    """Return the ids of the active oversight offices."""
    found = tx.session.scalars(OVERSEERS)
    return frozenset(one.id for one in found if one.active)


def list_former_overseers(session: Session) -> frozenset[UUID]:
    """Return the ids of the closed oversight offices.

    Rows that were altered outside the service are left out.
    """
    closed = session.scalars(FOCAL_POINTS.where(IS_OVERSIGHT & ~FocalPoint.active))
    return frozenset(one.id for one in closed if not one.is_altered)


def select_closed() -> Select[UUID]:
    """Return a statement that selects the ids of closed offices."""
    return select(FocalPoint.id).where(~FocalPoint.active)


def list_offices(session: Session) -> list[FocalPoint]:
    """List all offices, whether open or closed."""
    return list(session.scalars(FOCAL_POINTS))


def select_desks() -> Select[UUID]:
    """Return a statement that selects the ids of desks."""
    return select(FocalPoint.id).where(FocalPoint.kind == OfficeKind.DESK)


@load_once(FocalPoint)
def list_all(tx: ReadTransaction) -> list[FocalPoint]:
    """List all offices, including closed offices, sorted by code."""
    found = sorted(tx.session.scalars(FOCAL_POINTS), key=by_code)
    tx.kept_alive.update(found)
    return found


def list_channels(session: Session) -> frozenset[Channel]:
    """Return the channels that active contacts use."""
    return frozenset(session.scalars(select(Contact.channel).where(Contact.active)))


def list_telephones(tx: ReadTransaction, code: str) -> list[str]:
    """List the telephone numbers of the active contacts of an office."""
    is_used = Contact.active & (Contact.channel == Channel.SMS)
    contacts = select(Contact).where(Contact.focal_point == code, is_used)
    found = tx.session.scalars(contacts.order_by(Contact.code))
    return [one.address for one in found if one.active]


def list_unreachable(session: Session) -> list[str]:
    """List the codes of active offices without an active contact."""
    reached = select(Contact.focal_point).where(Contact.active)
    active_codes = select(FocalPoint.code).where(FocalPoint.active)
    return sorted(session.scalars(active_codes.where(FocalPoint.code.not_in(reached))))


def list_countries_without_desk(session: Session) -> dict[str, str]:
    """Return the region of each country that no active desk serves, by country code."""
    regions = dict(session.execute(select(Country.code, Country.region)).all())
    served = {place for desk in list_active_desks(session) for place in desk.serves}
    return {code: regions[code] for code in kinds.find_unserved_countries(regions, served)}


def list_unknown_time_zones(session: Session) -> list[str]:
    """List the codes of countries and offices with an unknown time zone."""
    stored: Iterable[Country | FocalPoint] = chain(
        session.scalars(COUNTRIES), session.scalars(FOCAL_POINTS)
    )
    known = time_zones.list_time_zones()
    return sorted(one.code for one in stored if one.time_zone not in known)


def list_fictitious_offices(session: Session) -> list[str]:
    """List the codes of active fictitious offices, which are allowed only in drills."""
    made_up = FocalPoint.active & (FocalPoint.confidence == Confidence.FICTITIOUS)
    return sorted(session.scalars(select(FocalPoint.code).where(made_up)))


def has_lost_oversight(session: Session) -> bool:
    """Return whether an oversight office was active before, but none is active now."""
    if any(one.active for one in session.scalars(OVERSEERS)):
        return False
    codes = session.scalars(select(FocalPoint.code).where(IS_OVERSIGHT))
    subjects = [f"focal-points/{code}" for code in codes]
    return was_ever_active(session, subjects, OfficeKind.OVERSIGHT)


def list_active_desks(session: Session) -> list[FocalPoint]:
    """List the active desks, sorted by code."""
    statement = select(FocalPoint).where(
        FocalPoint.active, FocalPoint.kind == OfficeKind.DESK
    )
    return sorted((one for one in session.scalars(statement) if one.active), key=by_code)


def list_focal_points(
    tx: ReadTransaction, query: PageQuery, country: str | None, service: Service | None
) -> tuple[list[FocalPoint], str | None]:
    """Return a page of offices, and the cursor of the next page or None.

    Closed offices are included. The cursor is the last code, because codes are public
    and are never deleted. Raises CursorUnknown (422) if the cursor is not a known code.
    """
    known = list_all(tx)
    if query.after is not None and query.after not in map(by_code, known):
        raise CursorUnknown(NOT_OF_THIS_LIST)
    found = [
        focal_point
        for focal_point in known
        if focal_point.code > (query.after or "")
        and (country is None or kinds.is_serving(focal_point, country))
        and (service is None or service in focal_point.services)
    ]
    rows = found[: query.limit]
    return rows, rows[-1].code if len(found) > len(rows) else None


def by_code(focal_point: FocalPoint) -> str:
    """Return the code of an office, as a sort key."""
    return focal_point.code
