"""An attack on released figures with integer programs, which combine all releases.

The attacker has every release, knows the rules and even the noise of each number, and
computes bounds for each small count. The attack does not use the code that decides which
numbers are shown. It defines the sums between the tables itself.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from app.consents.noise import derive_unlimited_noise
from app.figures.catalogue import (
    NOT_RECORDED,
    TABLES,
    Age,
    Assistance,
    Cell,
    Gender,
    TableName,
)
from app.figures.releases import Figures, build_release
from app.figures.weeks import Quarter

type Counts = dict[tuple[str, TableName], Counter[Cell]]
type Variable = tuple[str, Quarter, TableName, Cell]
type Sum = Mapping[Variable, int]

COUNTRIES = ("KZ", "UZ", "KG", "TJ")
QUARTERS = [Quarter(year, number) for year in (2026, 2027) for number in (1, 2, 3, 4)]
SUBSETS = (TableName.EXPLOITATION, TableName.SERVICES_ASKED, TableName.SERVICES_GIVEN)
TOLERANCE = 1e-6


def derive_test_noise(seed: str) -> Callable[[tuple[str, ...]], int]:
    """Return a function that derives the noise of a number from a seed."""

    def derive(words: tuple[str, ...]) -> int:
        text = "|".join((seed, *words)).encode()
        return derive_unlimited_noise(hashlib.sha256(text).hexdigest())

    return derive


def generate_counts(seed: object) -> dict[Quarter, Counts]:
    """Return counts of invented people in two years, in countries of different sizes."""
    random = Random(f"figures {seed}")
    sizes = {country: random.choice((3, 8, 20, 45, 90)) for country in COUNTRIES}
    found: dict[Quarter, Counts] = {}
    for quarter in QUARTERS:
        counts: Counts = {}
        for country, size in sizes.items():
            for table in TABLES:
                counts[country, table] = Counter()
            for _ in range(random.randint(0, 2 * size)):
                add_person(random, country, counts)
            for table in (TableName.HANDOVERS, TableName.RETURNS):
                for _ in range(random.randint(0, size)):
                    counts[country, table][random.choice(TABLES[table].cells)] += 1
        found[quarter] = counts
    return found


def add_person(random: Random, country: str, counts: Counts) -> None:
    """Add an invented person to the counts of the tables about people."""
    counts[country, TableName.CASES][()] += 1
    age = random.choices(tuple(Age), (5, 1))[0]
    gender = random.choices(tuple(Gender), (60, 30, 1, 5))[0]
    counts[country, TableName.AGE_AND_GENDER][age, gender] += 1
    help_began = random.choices(tuple(Assistance), (30, 20, 10, 2))[0]
    counts[country, TableName.ASSISTANCE][(help_began,)] += 1
    for table in SUBSETS:
        cells = TABLES[table].cells
        weights = [1 / (n + 1) ** 2 for n in range(len(cells))]
        found = set(random.choices(cells, weights, k=random.randint(1, 3)))
        if table is TableName.EXPLOITATION and random.random() < 0.3:
            found = {(NOT_RECORDED,)}
        if table is TableName.EXPLOITATION and len(found) > 1:
            found -= {(NOT_RECORDED,)}
        if table is TableName.SERVICES_ASKED and random.random() < 0.1:
            found = set()
        if table is TableName.SERVICES_GIVEN and help_began == Assistance.LATER:
            found = set()
        for cell in found:
            counts[country, table][cell] += 1


def build_series(
    counts: Mapping[Quarter, Counts], derive_noise: Callable[[tuple[str, ...]], int]
) -> dict[Quarter, list[Figures]]:
    """Return the release of each quarter, given which figures earlier releases showed."""
    shown: set[tuple[str, Quarter]] = set()
    series = {}
    for quarter in counts:
        of_year = {q: found for q, found in counts.items() if q.year == quarter.year}
        until = {q: found for q, found in of_year.items() if q <= quarter}
        released = build_release(
            quarter, until, shown_before=shown, derive_noise=derive_noise
        )
        shown |= {(f.country, q) for f in released if f.country for q in f.quarters}
        series[quarter] = released
    return series


def start_attack(seed: object) -> tuple["Attack", dict[Quarter, list[Figures]]]:
    """Return an attack on the releases of two invented years, and these releases."""
    counts, derive_noise = generate_counts(seed), derive_test_noise(f"noise {seed}")
    attack, series = Attack(counts), build_series(counts, derive_noise)
    for quarter, released in series.items():
        attack.add_release(released, derive_noise, quarter=quarter)
    return attack, series


@dataclass
class Attack:
    """The linear constraints that the attacker knows, and the real counts to check them."""

    counts: Mapping[Quarter, Counts]
    index: dict[Variable, int] = field(default_factory=dict)
    rows: list[tuple[Sum, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create a variable for each cell, and the sums that follow from the method."""
        for quarter, counts in self.counts.items():
            for country, table in counts:
                for cell in TABLES[table].cells:
                    self.index.setdefault((country, quarter, table, cell), len(self.index))
            for country in {country for country, _ in counts}:
                self.add_sums(country, quarter)

    def add_sums(self, country: str, quarter: Quarter) -> None:
        """Add the constraints between the tables that count the same people."""
        people = self.collect_cells(country, quarter, TableName.CASES)
        for table in (TableName.AGE_AND_GENDER, TableName.ASSISTANCE):
            self.add(
                compute_difference(self.collect_cells(country, quarter, table), people),
                0,
                0,
            )
        later = self.collect_cells(country, quarter, TableName.ASSISTANCE, ("later",))
        for table in SUBSETS:
            everybody = self.collect_cells(country, quarter, table)
            some = {v: 1 for v in everybody if NOT_RECORDED in v[3]}
            if table is TableName.EXPLOITATION:
                self.add(compute_difference(everybody, people), 0, math.inf)
            if table is TableName.SERVICES_GIVEN:
                helped = compute_difference(people, later)
                self.add(compute_difference(everybody, helped), 0, math.inf)
            for variable in everybody:
                self.add(compute_difference(people, some | {variable: 1}), 0, math.inf)

    def add_release(
        self,
        released: Iterable[Figures],
        derive_noise: Callable[[tuple[str, ...]], int],
        *,
        quarter: Quarter,
    ) -> None:
        """Add the constraints that follow from a release for the attacker.

        The attacker also knows which numbers and countries are hidden as too small.
        """
        figures = list(released)
        for one in figures:
            over = list_countries(one, figures)
            name = "+".join(map(str, one.quarters))
            for (table, cell), value in one.numbers.items():
                noise = min(8, derive_noise((name, one.country or "", table, *cell)))
                terms = self.collect_over(over, one.quarters, table, cell)
                if value is not None:
                    self.add(terms, value - 2 - noise, value + 2 - noise)
                elif self.compute(terms) + noise <= 12:
                    self.add(terms, 0, 12 - noise)
        for country in {country for country, _ in self.counts[quarter]}:
            if not any(f.country == country and quarter in f.quarters[:1] for f in figures):
                noise = min(8, derive_noise((str(quarter), country, "cases")))
                people = self.collect_cells(country, quarter, TableName.CASES)
                self.add(people, 0, 12 - noise)

    def add(self, terms: Sum, low: float, high: float) -> None:
        """Add a constraint. Raises AssertionError if the real counts do not meet it."""
        real = self.compute(terms)
        assert low <= real <= high, (low, real, high)
        self.rows.append((terms, low, high))

    def compute(self, terms: Sum) -> int:
        """Return the real value of a sum."""
        return sum(
            weight * self.counts[quarter][country, table][cell]
            for (country, quarter, table, cell), weight in terms.items()
        )

    def collect_cells(
        self, country: str, quarter: Quarter, table: TableName, cell: Cell = ()
    ) -> Sum:
        """Return the sum of the cells of a table whose codes begin with those in `cell`."""
        cells = TABLES[table].cells
        return {(country, quarter, table, c): 1 for c in cells if c[: len(cell)] == cell}

    def collect_over(
        self, over: Iterable[str], quarters: Iterable[Quarter], table: TableName, cell: Cell
    ) -> Sum:
        """Return the sum of a cell over countries and quarters."""
        quarters = list(quarters)
        return {
            variable: 1
            for country in over
            for quarter in quarters
            for variable in self.collect_cells(country, quarter, table, cell)
        }

    def list_targets(self, released: Iterable[Sequence[Figures]]) -> Iterator[Sum]:
        """Yield the small counts of all tables, of each quarter and of each release."""
        for quarter, counts in self.counts.items():
            for country, table in counts:
                yield from self.list_table(([country], [quarter], table))
        for release in released:
            for one in release:
                over = list_countries(one, release)
                for table in TABLES:
                    yield from self.list_table((over, list(one.quarters), table))

    def list_table(self, of: tuple[list[str], list[Quarter], TableName]) -> Iterator[Sum]:
        """Yield the small cells and subtotals of a table, and the small complements."""
        over, quarters, table = of
        people = self.collect_over(over, quarters, TableName.CASES, ())
        parts = {cell[:n] for cell in TABLES[table].cells for n in range(len(cell) + 1)}
        for part in sorted(parts):
            if table in SUBSETS and not part:
                continue  # counts pairs of a person and a form or service, not people
            terms = self.collect_over(over, quarters, table, part)
            if self.compute(terms) < 11:
                yield terms
            if (
                table in SUBSETS
                and self.compute(rest := compute_difference(people, terms)) < 11
            ):
                yield rest

    def find_bounded(self, targets: Iterable[Sum]) -> list[tuple[Sum, int, int]]:
        """Return the targets that can have fewer than five values, with their bounds.

        A sum over independent programs has at least as many values as one of its parts, so
        bounds are computed only for sums within one program.
        """
        of, programs = self.split()
        for terms in select_unique(targets):
            parts = {of[self.index[variable]] for variable in terms}
            if len(parts) == 1:
                programs[parts.pop()].add_target(terms, self.index)
        return [found for program in programs.values() for found in program.find_bounded()]

    def split(self) -> "tuple[list[int], dict[int, Program]]":
        """Return the label of the program of each variable, and the programs by label.

        No two programs have a variable in common.
        """
        rows = [
            (
                {self.index[variable]: weight for variable, weight in terms.items()},
                low,
                high,
            )
            for terms, low, high in self.rows
        ]
        pairs = [(next(iter(row)), other) for row, _, _ in rows for other in row]
        size = len(self.index)
        graph = csr_array(
            (np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), shape=(size, size)
        )
        of = [int(label) for label in connected_components(graph, directed=False)[1]]
        members: dict[int, list[int]] = {}
        for column, label in enumerate(of):
            members.setdefault(label, []).append(column)
        programs = {label: Program(columns) for label, columns in members.items()}
        for row, low, high in rows:
            programs[of[next(iter(row))]].add_row(row, low, high)
        return of, programs


class Program:
    """An integer program, and the solutions that are already known."""

    def __init__(self, members: Sequence[int]) -> None:
        self.at = {column: n for n, column in enumerate(members)}
        self.rows: list[NDArray[np.float64]] = []
        self.limits: list[float] = []
        self.targets: list[tuple[Sum, NDArray[np.float64]]] = []
        self.solutions: list[NDArray[np.float64]] = []

    def add_row(self, terms: Mapping[int, int], low: float, high: float) -> None:
        """Add a constraint to the program."""
        row = self.make_row(terms)
        if high < math.inf:
            self.rows.append(row)
            self.limits.append(high)
        if low > 0 or low == high or min(terms.values()) < 0:
            self.rows.append(-row)
            self.limits.append(-low)

    def make_row(self, terms: Mapping[int, int]) -> NDArray[np.float64]:
        """Return the terms of a sum as a vector."""
        row = np.zeros(len(self.at))
        for column, weight in terms.items():
            row[self.at[column]] = weight
        return row

    def add_target(self, terms: Sum, index: Mapping[Variable, int]) -> None:
        """Add a sum for which the attacker computes bounds."""
        row = self.make_row({index[variable]: weight for variable, weight in terms.items()})
        self.targets.append((terms, row))

    def find_bounded(self) -> Iterator[tuple[Sum, int, int]]:
        """Yield the targets that can have fewer than five values, with their bounds.

        Each solution is kept, because it bounds the other targets as well.
        """
        random = np.random.default_rng(1)
        for _ in range(4):
            rows = [row for _, row in self.targets if not self.has_values(row)]
            if rows:
                weights = random.uniform(0.5, 1, len(rows))
                self.find_smallest(weights @ np.array(rows))
                self.find_smallest(-weights @ np.array(rows))
        for terms, row in self.targets:
            if not self.has_values(row):
                low = self.find_smallest(row)
                if (
                    not self.has_values(row)
                    and (high := -self.find_smallest(-row)) - low < 4
                ):
                    yield terms, low, high

    def has_values(self, row: NDArray[np.float64]) -> bool:
        """Return whether two known solutions differ by 4 or more in the sum with `row`."""
        if not self.solutions:
            return False
        values = np.array(self.solutions) @ row
        return bool(values.max() - values.min() >= 4)

    def find_smallest(self, row: NDArray[np.float64]) -> int:
        """Return the smallest value of a sum, and keep the solution that has this value.

        Each cell is at most 1,000. Raises AssertionError if there is no solution.
        """
        rows = np.array(self.rows).reshape(-1, len(self.at))
        limits = {"A_ub": csr_array(rows), "b_ub": self.limits}
        found = linprog(row, **limits, bounds=(0, 1000), integrality=1, method="highs")
        assert found.success, found.message
        self.solutions.append(np.round(found.x))
        return math.ceil(float(found.fun) - TOLERANCE)


def list_countries(one: Figures, figures: Iterable[Figures]) -> list[str]:
    """Return the countries that `one` covers, given all figures of its release."""
    same = [f.country for f in figures if f.quarters == one.quarters]
    return [country for country in same if country and one.country in {None, country}]


def compute_difference(one: Sum, other: Sum) -> Sum:
    """Return the difference of two sums."""
    found = dict(one)
    for variable, weight in other.items():
        found[variable] = found.get(variable, 0) - weight
    return found


def select_unique(sums: Iterable[Sum]) -> Iterator[Sum]:
    """Yield sums without repetitions."""
    seen = set()
    for terms in sums:
        key = frozenset(terms.items())
        if key not in seen:
            seen.add(key)
            yield terms
