"""The report for a meeting: two periods of released figures, side by side (ADR 75).

The functions are pure. They read only released numbers, so a report cannot contain a number
that was not released.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

from app.directory.kinds import Service
from app.figures.catalogue import TABLES, Assistance, Cell, TableName
from app.figures.comparison import (
    Share,
    ShownSum,
    compare_counts,
    compare_shares,
)
from app.figures.release_schemas import CountryFigures
from app.figures.releases import LAST_NUMBER, list_cells
from app.figures.report_schemas import (
    ComparedCell,
    ComparedCountry,
    ComparedShare,
    ComparedTable,
    Measure,
    ReportPeriod,
    ReportQuery,
    ShareOut,
    SumOut,
)
from app.figures.weeks import Quarter
from app.kernel.problems import Problem

MAX_QUARTERS: Final = 8
"""The maximum number of quarters of a period. It limits the cost of a report."""
USUAL_LENGTH: Final = 2
"""The number of quarters of a period if the caller gives no first quarter."""
type Period = tuple[Quarter, ...]
type Released = Mapping[Quarter, Sequence[CountryFigures]]
"""The figures of all releases, keyed by quarter."""
type Key = tuple[str | None, TableName, Cell]
"""The key of a number of a release: its country, its table and its cell."""
type Sums = Mapping[Key, ShownSum]

WITHIN_24_HOURS, WITHIN_72_HOURS, WITHIN_7_DAYS, _ = Assistance
HELPED: Final = {
    Measure.HELPED_WITHIN_24_HOURS: (WITHIN_24_HOURS,),
    Measure.HELPED_WITHIN_72_HOURS: (WITHIN_24_HOURS, WITHIN_72_HOURS),
    Measure.HELPED_WITHIN_7_DAYS: (WITHIN_24_HOURS, WITHIN_72_HOURS, WITHIN_7_DAYS),
}
"""The cells of the table `assistance` that each measure adds up."""


class ReportPeriodInvalid(Problem):
    """The periods of the report are reversed, too long, or overlap."""

    status = 422


@dataclass(frozen=True)
class ReportPeriods:
    """The period of a report, and the earlier period of the same length."""

    earlier: Period
    later: Period

    @classmethod
    def build(cls, query: ReportQuery, latest: Quarter) -> Self:
        """Return the periods of a request. By default the later one ends with `latest`.

        Raises ReportPeriodInvalid (422).
        """
        last = Quarter.parse(query.last) if query.last else latest
        usual = move_quarter(last, 1 - USUAL_LENGTH)
        first = Quarter.parse(query.first) if query.first else usual
        length = count_quarters(first, last) + 1
        if length < 1:
            raise ReportPeriodInvalid(
                "The first quarter (`from`) must not be after the last one (`to`)."
            )
        if length > MAX_QUARTERS:
            raise ReportPeriodInvalid(f"A period has at most {MAX_QUARTERS} quarters.")
        usual = move_quarter(first, -length)
        start = Quarter.parse(query.compare) if query.compare else usual
        if start > usual:
            raise ReportPeriodInvalid(
                f"Compare with `{usual}` or earlier quarters (`compare`), because the two "
                "periods must have as many quarters and must not overlap."
            )
        return cls(list_quarters(start, length), list_quarters(first, length))


def count_quarters(first: Quarter, last: Quarter) -> int:
    """Return the number of quarters from `first` up to, but not including, `last`."""
    return (last.year - first.year) * LAST_NUMBER + last.number - first.number


def move_quarter(quarter: Quarter, by: int) -> Quarter:
    """Return the quarter that is `by` quarters later, or earlier if `by` is negative."""
    year, place = divmod(quarter.year * LAST_NUMBER + quarter.number - 1 + by, LAST_NUMBER)
    return Quarter(year, place + 1)


def list_quarters(first: Quarter, length: int) -> Period:
    """Return `length` consecutive quarters, beginning with `first`."""
    return tuple(move_quarter(first, more) for more in range(length))


def build_period(period: Period, released: Released) -> ReportPeriod:
    """Return the quarters of a period, and those whose figures are not released."""
    return ReportPeriod(
        quarters=[str(quarter) for quarter in period],
        missing=[str(quarter) for quarter in period if quarter not in released],
    )


def add_numbers(period: Period, released: Released) -> dict[Key, ShownSum]:
    """Return the sums of all numbers that releases show for the quarters of a period.

    Quarters that a release adds up count only if all of them belong to the period.
    """
    sums: dict[Key, ShownSum] = {}
    for figures in (one for content in released.values() for one in content):
        quarters = frozenset(map(Quarter.parse, figures.quarters))
        if not quarters <= set(period):
            continue
        for table in figures.tables:
            for cell in table.cells:
                if cell.people is not None:
                    key = figures.country, table.table, tuple(cell.codes)
                    more = ShownSum(cell.people, 1, quarters)
                    sums[key] = sums.get(key, ShownSum()) + more
    return sums


def has_same_countries(periods: ReportPeriods, released: Released) -> bool:
    """Return whether the totals of all quarters count people in the same countries.

    Otherwise, a total could be higher only because another country has enough people.
    """
    countries = {
        frozenset(
            one.country
            for one in released.get(quarter, ())
            if one.quarters == [str(quarter)]
        )
        for quarter in (*periods.earlier, *periods.later)
    }
    return len(countries) == 1


@dataclass(frozen=True)
class Comparison:
    """The sums of the two periods of a report."""

    periods: ReportPeriods
    earlier: Sums
    later: Sums
    has_totals: bool
    """Whether the totals of all countries can be compared."""

    @classmethod
    def build(cls, periods: ReportPeriods, released: Released) -> Self:
        """Return the sums of both periods."""
        return cls(
            periods,
            add_numbers(periods.earlier, released),
            add_numbers(periods.later, released),
            has_same_countries(periods, released),
        )

    def find_pair(self, key: Key) -> tuple[ShownSum, ShownSum] | None:
        """Return both sums of a number, or None if one is incomplete or not comparable."""
        pair = self.earlier.get(key, ShownSum()), self.later.get(key, ShownSum())
        periods = self.periods.earlier, self.periods.later
        shown = all(
            one.quarters == set(period) for one, period in zip(pair, periods, strict=True)
        )
        return pair if shown and (key[0] is not None or self.has_totals) else None

    def add_pairs(self, keys: Iterable[Key]) -> tuple[ShownSum, ShownSum] | None:
        """Add up the sums of the given numbers, or return None if one is not comparable."""
        earlier, later = ShownSum(), ShownSum()
        for key in keys:
            pair = self.find_pair(key)
            if pair is None:
                return None
            earlier, later = earlier + pair[0], later + pair[1]
        return earlier, later


def list_countries(comparison: Comparison) -> list[str | None]:
    """Return the codes of the countries with a number, sorted. None (all) comes last."""
    found = {country for country, *_ in (*comparison.earlier, *comparison.later)}
    return sorted(found, key=lambda country: (country is None, country))


def build_figures(comparison: Comparison) -> list[ComparedCountry]:
    """Return the tables of each country, with the cells that have a number."""
    return [
        ComparedCountry(country=country, tables=build_tables(comparison, country))
        for country in list_countries(comparison)
    ]


def build_tables(comparison: Comparison, country: str | None) -> list[ComparedTable]:
    """Return the tables of a country (None for all), with the cells that have a number."""
    by_table = groupby(list_keys(comparison, country), lambda key: key[1])
    return [
        ComparedTable(table=table, cells=[build_cell(comparison, key) for key in keys])
        for table, keys in by_table
    ]


def list_keys(comparison: Comparison, country: str | None) -> Iterator[Key]:
    """Yield the keys of the numbers of a country that a release shows, in display order."""
    for table in TABLES:
        for cell in list_cells(table):
            key = country, table, cell
            if key in comparison.earlier or key in comparison.later:
                yield key


def build_cell(comparison: Comparison, key: Key) -> ComparedCell:
    """Return a number in both periods, and its change if the sums are comparable."""
    pair = comparison.find_pair(key)
    periods = comparison.periods
    return ComparedCell(
        codes=list(key[2]),
        earlier=build_sum(periods.earlier, comparison.earlier.get(key)),
        later=build_sum(periods.later, comparison.later.get(key)),
        change=compare_counts(*pair) if pair else None,
    )


def build_sum(period: Period, found: ShownSum | None) -> SumOut:
    """Return a sum, with the quarters that it leaves out."""
    shown = found.quarters if found else ()
    return SumOut(
        people=found.people if found else None,
        not_shown=[str(quarter) for quarter in period if quarter not in shown],
    )


def build_shares(comparison: Comparison) -> list[ComparedShare]:
    """Return, for each country, the shares whose numbers are all comparable."""
    return [
        share
        for country in list_countries(comparison)
        for measure, service, part, whole in list_measures(country)
        if (share := build_share(comparison, (country, measure, service), part, whole))
    ]


def list_measures(
    country: str | None,
) -> Iterator[tuple[Measure, Service | None, Sequence[Key], Sequence[Key]]]:
    """Yield each measure, its service or None, and its numerator and denominator keys."""
    people: Key = (country, TableName.CASES, ())
    for measure, cells in HELPED.items():
        yield (
            measure,
            None,
            [(country, TableName.ASSISTANCE, (it,)) for it in cells],
            [people],
        )
    for service in Service:
        given: Key = (country, TableName.SERVICES_GIVEN, (service,))
        asked: Key = (country, TableName.SERVICES_ASKED, (service,))
        yield Measure.SERVICE_GIVEN, service, [given], [asked]


def build_share(
    comparison: Comparison,
    subject: tuple[str | None, Measure, Service | None],
    part: Sequence[Key],
    whole: Sequence[Key],
) -> ComparedShare | None:
    """Return a share in both periods, or None if one of its numbers is not comparable."""
    parts, wholes = comparison.add_pairs(part), comparison.add_pairs(whole)
    if parts is None or wholes is None:
        return None
    earlier, later = map(Share, parts, wholes)
    country, measure, service = subject
    return ComparedShare(
        country=country,
        measure=measure,
        service=service,
        earlier=describe_share(earlier),
        later=describe_share(later),
        change=compare_shares(earlier, later),
    )


def describe_share(share: Share) -> ShareOut:
    """Return the response for a share."""
    return ShareOut(part=share.part.people, whole=share.whole.people, percent=share.percent)
