"""Queries for consents, and counts of refusals."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cases.case_loading import group_by_case, require_all_loaded
from app.cases.lifecycle import State
from app.cases.models import Case
from app.cases.statements import CASES
from app.consents.coverage import matches_recipient
from app.consents.models import Consent, Refusal
from app.consents.noise import SMALLEST_COUNT, derive_noise
from app.consents.schemas import RefusalsOut
from app.directory.models import FocalPoint
from app.kernel.actors import Relation, Role
from app.kernel.instants import get_monday
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction

CONSENTS: Final = (
    select(Consent)
    .where(Consent.case_id.in_(CASES))
    .order_by(Consent.recorded_at, Consent.id)
)


@load_once(Consent)
def list_for_cases(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, list[Consent]]:
    """Return the consents of several cases by the id of the case, oldest first.

    Raises NotAuthentic if a consent was deleted outside the service.
    """
    cases = list(case_ids)
    found = tx.session.scalars(CONSENTS, {"cases": cases}).all()
    require_all_loaded(tx.session, cases, Consent.list_labels())
    return group_by_case(found)


def list_for_case(tx: ReadTransaction, case_id: UUID) -> list[Consent]:
    """Return all consents of a case, oldest first, including withdrawn ones."""
    return list_for_cases(tx, [case_id]).get(case_id, [])


def list_known_to(
    case: Case, given: Iterable[Consent], reader: FocalPoint, *, helps: bool
) -> list[Consent]:
    """Return those consents of a case that an office may see.

    The lead, and a candidate that has acknowledged the case, may see all consents. Any
    other office may see the consents that it recorded and, if `helps` is true, the consents
    that name the office. A new candidate could otherwise infer which office the person
    fears.
    """
    mine = case.list_relations(reader.id)
    reviews = Relation.CANDIDATE in mine and case.state == State.UNDER_REVIEW
    if Relation.LEAD in mine or reviews:
        return list(given)
    return [
        one
        for one in given
        if one.recorded_by == reader.id or (helps and matches_recipient(one, reader))
    ]


def count_valid(session: Session, now: datetime) -> Mapping[UUID, int]:
    """Return how many consents of each case are neither withdrawn nor expired."""
    stands = Consent.withdrawn_at.is_(None) & (Consent.expires_at > now)
    rows = select(Consent.case_id, func.count()).where(stands)
    return dict(session.execute(rows.group_by(Consent.case_id)).all())


def get(tx: ReadTransaction, case_id: UUID, consent_id: UUID) -> Consent:
    """Return a consent of this case, or raise NotFound (404)."""
    consent = tx.session.get(Consent, consent_id)
    if consent is None or consent.case_id != case_id:
        raise NotFound("There is no such consent in this case.")
    return consent


def count_refusals(tx: ReadTransaction) -> list[RefusalsOut]:
    """Return the numbers of refusals by country and past quarter, for analysts.

    Each number contains noise, and is left out if it is below `SMALLEST_COUNT`. Totals and
    the current quarter are left out, because hidden counts could be computed from them.
    Raises RoleMissing (403) if the caller is not an analyst.
    """
    if Role.ANALYST not in tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {Role.ANALYST}.")
    rows = select(Refusal.country, Refusal.week, func.count())
    found = Counter[tuple[str, int, int]]()
    latest = get_quarter(get_monday(tx.now.date()))
    by_week = rows.group_by(Refusal.country, Refusal.week)
    for country, week, count in tx.session.execute(by_week):
        if get_quarter(week) < latest:
            found[country, *get_quarter(week)] += count
    noisy = {key: count + compute_noise(tx, *key) for key, count in sorted(found.items())}
    return [
        RefusalsOut(country=country, year=year, quarter=quarter, refusals=count)
        for (country, year, quarter), count in noisy.items()
        if count >= SMALLEST_COUNT
    ]


def compute_noise(tx: ReadTransaction, country: str, year: int, quarter: int) -> int:
    """Return the noise of a count, which is the same for one country and quarter.

    It changes when the oldest key is retired (ADR 84).
    """
    parts = ("refusals", country, str(year), str(quarter))
    lasting = tx.vault.compute_lasting_fingerprint(*(part.encode() for part in parts))
    return derive_noise(lasting)


def get_quarter(day: date) -> tuple[int, int]:
    """Return the year and the quarter of a day."""
    return day.year, (day.month + 2) // 3
