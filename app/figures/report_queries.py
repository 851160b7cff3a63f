"""Queries for the report for a meeting: released figures, and facts of the directory."""

from collections.abc import Collection, Sequence
from datetime import date

from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.kinds import DisclosureLevel, OfficeKind, is_serving
from app.directory.models import Country
from app.figures import point_queries, release_queries
from app.figures.directory_gaps import find_gaps
from app.figures.meeting_report import (
    Comparison,
    ReportPeriods,
    build_figures,
    build_period,
    build_shares,
    move_quarter,
)
from app.figures.release_schemas import CountryFigures, ReleaseContent
from app.figures.report_schemas import (
    DirectoryGaps,
    MeetingReport,
    ReportPoint,
    ReportQuery,
)
from app.figures.weeks import Quarter, find_quarter, find_week
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction


class DeskUnknown(Problem):
    """The request names an office that is no desk of the directory."""

    status = 422


def build_report(tx: ReadTransaction, query: ReportQuery) -> MeetingReport:
    """Return the report of two periods.

    Raises ReportPeriodInvalid or DeskUnknown (422).
    """
    countries = list_countries(tx, query.desk)
    released = load_releases(tx, [country.code for country in countries], query.desk)
    latest = max(released, default=move_quarter(find_quarter(find_week(tx.now)), -1))
    periods = ReportPeriods.build(query, latest)
    comparison = Comparison.build(periods, released)
    return MeetingReport(
        desk=query.desk,
        countries=[country.code for country in countries],
        later=build_period(periods.later, released),
        earlier=build_period(periods.earlier, released),
        points=list_report_points(tx, min(periods.later[0].list_weeks())),
        shares=build_shares(comparison),
        figures=build_figures(comparison),
        gaps=load_gaps(tx, countries),
    )


def list_countries(tx: ReadTransaction, desk: str | None) -> list[Country]:
    """Return the countries that a desk serves, or all countries of the directory.

    Raises DeskUnknown (422) unless the code is that of a desk.
    """
    countries = directory_queries.list_countries(tx)
    if desk is None:
        return countries
    office = tx.session.scalar(directory_queries.BY_CODE, {"code": desk})
    if office is None or office.kind != OfficeKind.DESK:
        raise DeskUnknown("GET /v1/focal-points lists the offices of the kind `desk`.")
    return [country for country in countries if is_serving(office, country.code)]


def load_releases(
    tx: ReadTransaction, countries: Collection[str], desk: str | None
) -> dict[Quarter, list[CountryFigures]]:
    """Return the figures of all releases; for a desk, those of its countries only."""
    return {
        release.of: [
            figures
            for figures in ReleaseContent.model_validate(release.content).figures
            if desk is None or figures.country in countries
        ]
        for release in release_queries.list_releases(tx.session)
    }


def load_gaps(tx: ReadTransaction, countries: Sequence[Country]) -> DirectoryGaps:
    """Return the gaps in the directory today, for the given countries."""
    agreed = {
        country.code: agreement_queries.list_agreed_countries(
            tx, country.code, DisclosureLevel.SUMMARY
        )
        for country in countries
    }
    return find_gaps(countries, directory_queries.list_active(tx), agreed)


def list_report_points(tx: ReadTransaction, since: date) -> list[ReportPoint]:
    """Return the open points, and those that were done since the period began.

    Points whose text cannot be opened are left out.
    """
    return [
        ReportPoint(meeting=one.meeting, text=one.text, completed_at=one.completed_at)
        for one in point_queries.list_points(tx)
        if one.text is not None
        if one.completed_at is None or one.completed_at.date() >= since
    ]
