"""Queries for released figures, for analysts and oversight."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind
from app.figures.models import CountedWeek
from app.figures.release_models import FigureRelease
from app.figures.release_schemas import ReleaseContent
from app.figures.weeks import Quarter
from app.kernel.actors import Role
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction


def is_of_oversight(tx: ReadTransaction) -> bool:
    """Return whether the office of the caller is an oversight body."""
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    return office.kind == OfficeKind.OVERSIGHT


def require_reader(tx: ReadTransaction) -> None:
    """Raise RoleMissing (403) unless the caller may read released figures."""
    if Role.ANALYST not in tx.actor.roles and not is_of_oversight(tx):
        raise RoleMissing("This needs the role analyst, or an account of oversight.")


def list_releases(session: Session) -> list[FigureRelease]:
    """Return all releases, the latest quarter first."""
    latest = (FigureRelease.year.desc(), FigureRelease.quarter.desc())
    return list(session.scalars(select(FigureRelease).order_by(*latest)))


def get_release(tx: ReadTransaction, release_id: UUID) -> FigureRelease:
    """Return a release, or raise NotFound (404)."""
    release = tx.session.get(FigureRelease, release_id)
    if release is None:
        raise NotFound("There is no such release, or you may not see it.")
    return release


def list_shown(session: Session) -> set[tuple[str, Quarter]]:
    """Return each country and quarter that a release shows."""
    return {
        (figures.country, Quarter.parse(quarter))
        for release in list_releases(session)
        for figures in ReleaseContent.model_validate(release.content).figures
        if figures.country is not None
        for quarter in figures.quarters
    }


def is_counted(session: Session, quarter: Quarter) -> bool:
    """Return whether all weeks of a quarter are counted.

    Weeks before the first counted week need not be, but the last week must be counted.
    """
    counted = set(session.scalars(select(CountedWeek.monday)))
    weeks = set(quarter.list_weeks())
    missing = weeks - counted
    return max(weeks) in counted and all(week < min(counted) for week in missing)
