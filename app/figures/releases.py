"""Rules for the content of the release of a quarter (ADR 74).

Each person is counted in one release at most, so two releases cannot be subtracted from
each other. Releases go forward in time. If a quarter of a country is too small to be shown,
it is added to the country's other small quarters of the year, in the release of the fourth
quarter.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.figures.catalogue import NOT_RECORDED, TABLES, Cell, TableName
from app.figures.networks import Network, build_networks, get_count, require_equal_sums
from app.figures.numbers import (
    LARGEST_NOISE,
    Number,
    TableCounts,
    compute_rounded,
    is_large_enough,
)
from app.figures.suppression import find_large, remove_revealing
from app.figures.weeks import Quarter

type QuarterCounts = Mapping[tuple[str, TableName], Counter[Cell]]
"""The counts of the weeks of a quarter, by country and table."""
type DeriveNoise = Callable[[tuple[str, ...]], int]
"""A function that returns noise, which is always the same for the same strings."""

LAST_NUMBER: Final = 4


@dataclass(frozen=True)
class Figures:
    """The figures of a country, or of all countries, for the quarters of a period.

    A number is None if it is not shown.
    """

    country: str | None
    quarters: tuple[Quarter, ...]
    numbers: Mapping[tuple[TableName, Cell], int | None]


def build_release(
    quarter: Quarter,
    counts: Mapping[Quarter, QuarterCounts],
    *,
    shown_before: Collection[tuple[str, Quarter]],
    derive_noise: DeriveNoise,
) -> list[Figures]:
    """Return the figures of the release of a quarter.

    `counts` has the quarters of `list_counted_quarters`. `shown_before` has the countries
    and quarters that earlier releases show.
    """
    of_quarter = {
        country: tables
        for country, tables in split_by_country(counts[quarter]).items()
        if is_shown(country, (quarter,), {str(quarter): tables}, derive_noise)
    }
    figures = build_quarter(quarter, of_quarter, derive_noise)
    if quarter.number == LAST_NUMBER:
        taken = {*shown_before, *((country, quarter) for country in of_quarter)}
        for country, quarters in find_small_quarters(quarter, counts, taken):
            parts = {
                str(one): split_by_country(counts.get(one, {})).get(country, {})
                for one in quarters
            }
            if is_shown(country, quarters, parts, derive_noise):
                figures.append(build_rest_of_year(country, quarters, parts, derive_noise))
    return figures


def list_counted_quarters(quarter: Quarter) -> list[Quarter]:
    """Return the quarters whose counts the release of a quarter needs.

    Only the release of a fourth quarter adds up the small quarters of its year.
    """
    if quarter.number < LAST_NUMBER:
        return [quarter]
    return [Quarter(quarter.year, number) for number in range(1, LAST_NUMBER + 1)]


def split_by_country(counts: QuarterCounts) -> dict[str, TableCounts]:
    """Return the tables of each country. Raises ValueError if their sums differ."""
    found: dict[str, dict[TableName, Counter[Cell]]] = {}
    for (country, table), cells in counts.items():
        found.setdefault(country, {})[table] = cells
    require_equal_sums(found)
    return dict(found)


def is_shown(
    country: str,
    quarters: tuple[Quarter, ...],
    parts: Mapping[str, TableCounts],
    derive_noise: DeriveNoise,
) -> bool:
    """Return whether a country has enough people in a period to be shown at all."""
    people = get_count(parts, Number(None, TableName.CASES, ()))
    noise = compute_noise(quarters, Number(country, TableName.CASES, ()), derive_noise)
    return is_large_enough(people, noise)


def compute_noise(
    quarters: tuple[Quarter, ...], number: Number, derive_noise: DeriveNoise
) -> int:
    """Return the noise of a number in a period, for one country or all countries."""
    period = "+".join(map(str, quarters))
    words = (period, number.part or "", number.table, *number.cell)
    return min(LARGEST_NOISE, derive_noise(words))


def find_small_quarters(
    last: Quarter,
    counts: Mapping[Quarter, QuarterCounts],
    taken: Collection[tuple[str, Quarter]],
) -> Iterator[tuple[str, tuple[Quarter, ...]]]:
    """Yield each country with its quarters of a year that are not shown yet, if several.

    A single small quarter is never shown, because it is too small.
    """
    year = list_counted_quarters(last)
    for country in sorted({country for found in counts.values() for country, _ in found}):
        quarters = tuple(quarter for quarter in year if (country, quarter) not in taken)
        if len(quarters) > 1:
            yield country, quarters


def build_quarter(
    quarter: Quarter, counts: Mapping[str, TableCounts], derive_noise: DeriveNoise
) -> list[Figures]:
    """Return the figures of each country and, if there are several, of all together."""
    countries = [*sorted(counts), *([None] if len(counts) > 1 else [])]
    networks = build_networks(counts)
    noise = {
        arc.number: compute_noise((quarter,), arc.number, derive_noise)
        for network in networks
        for arc in network
        if arc.number is not None
    }
    found = choose_shown(networks, noise)
    return [
        Figures(country, (quarter,), list_numbers(country, found)) for country in countries
    ]


def build_rest_of_year(
    country: str,
    quarters: tuple[Quarter, ...],
    parts: Mapping[str, TableCounts],
    derive_noise: DeriveNoise,
) -> Figures:
    """Return the figures of the small quarters of a country, added up.

    `parts` are the counts by quarter. A reader knows only that each quarter is too small.
    """
    networks = build_networks(parts)
    noise = {
        arc.number: compute_noise(quarters, arc.number._replace(part=country), derive_noise)
        for network in networks
        for arc in network
        if arc.number is not None and arc.number.part is None
    }
    for quarter in quarters:
        people = Number(str(quarter), TableName.CASES, ())
        of_quarter = compute_noise((quarter,), people._replace(part=country), derive_noise)
        if not is_large_enough(get_count(parts, people), of_quarter):
            noise[people] = of_quarter
    found = choose_shown(networks, noise)
    return Figures(country, quarters, list_numbers(None, found))


def choose_shown(
    networks: Iterable[Network], noise: Mapping[Number, int]
) -> dict[Number, int]:
    """Return the numbers to show, with noise and rounded.

    If a small count cannot be hidden, the result is empty, so that nothing is revealed.
    """
    found: dict[Number, int] = {}
    for network in networks:
        shown = find_large(network, noise)
        if not remove_revealing(network, noise, shown):
            return {}
        for arc in network:
            if arc.number is not None and arc.number in shown:
                found[arc.number] = compute_rounded(arc.count + noise[arc.number])
    return found


def list_numbers(
    part: str | None, found: Mapping[Number, int]
) -> dict[tuple[TableName, Cell], int | None]:
    """Return all numbers of a part in display order, with None for those not shown."""
    return {
        (table, cell): found.get(Number(part, table, cell))
        for table in TABLES
        for cell in list_cells(table)
    }


def list_cells(table: TableName) -> list[Cell]:
    """Return the cells of a table, each after the subtotal to which it belongs.

    People without a recorded value are left out of a table that is not a partition.
    """
    found = TABLES[table]
    cells = (c for c in found.cells if found.is_partition or NOT_RECORDED not in c)
    return list(dict.fromkeys(cell[:n] for cell in cells for n in (1, len(cell))))
