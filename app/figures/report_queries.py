"""Reads of the report for a meeting: released figures, and facts of the directory."""

from datetime import date

from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.kinds import DisclosureLevel
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
from app.figures.release_schemas import ReleaseContent
from app.figures.report_schemas import (
    DirectoryGaps,
    MeetingReport,
    ReportPoint,
    ReportQuery,
)
from app.figures.weeks import find_quarter, find_week
from app.kernel.transactions import ReadTransaction


def build_report(tx: ReadTransaction, query: ReportQuery) -> MeetingReport:
    """Return the report of two periods. Raises ReportPeriodInvalid (422)."""
    released = {
        release.of: ReleaseContent.model_validate(release.content).figures
        for release in release_queries.list_releases(tx.session)
    }
    latest = max(released, default=move_quarter(find_quarter(find_week(tx.now)), -1))
    periods = ReportPeriods.build(query, latest)
    comparison = Comparison.build(periods, released)
    return MeetingReport(
        later=build_period(periods.later, released),
        earlier=build_period(periods.earlier, released),
        points=list_report_points(tx, min(periods.later[0].list_weeks())),
        shares=build_shares(comparison),
        figures=build_figures(comparison),
        gaps=load_gaps(tx),
    )


def load_gaps(tx: ReadTransaction) -> DirectoryGaps:
    """Return what the directory lacks today."""
    countries = directory_queries.list_countries(tx)
    agreed = {
        country.code: agreement_queries.list_agreed_countries(
            tx, country.code, DisclosureLevel.SUMMARY
        )
        for country in countries
    }
    return find_gaps(countries, directory_queries.list_active(tx), agreed)


def list_report_points(tx: ReadTransaction, since: date) -> list[ReportPoint]:
    """Return the open points, and those that were done since the period began."""
    return [
        ReportPoint(meeting=one.meeting, text=one.text, completed_at=one.completed_at)
        for one in point_queries.list_points(tx)
        if one.text is not None
        if one.completed_at is None or one.completed_at.date() >= since
    ]
