"""Counted quarters, and the release of their figures by the oversight office."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from app.figures import weekly_counts
from app.figures.catalogue import Cell, TableName
from app.figures.weeks import Quarter
from app.kernel.actors import Role
from tests.support.account_changes import add_with
from tests.support.request_bodies import BODIES
from tests.support.world import Json, Someone, World, unwrap

PATH: Final = "/figures/releases"
POINTS: Final = "/figures/meeting-points"
QUARTER: Final = Quarter(2026, 1)
COUNTS: Final[Mapping[TableName, Counter[Cell]]] = {
    TableName.CASES: Counter({(): 64}),
    TableName.AGE_AND_GENDER: Counter({("adult", "female"): 41, ("adult", "male"): 23}),
    TableName.ASSISTANCE: Counter({("within_24_hours",): 38, ("within_72_hours",): 26}),
    TableName.SERVICES_ASKED: Counter({("SHELTER",): 47, ("LEGAL_AID",): 29}),
}
"""The counts of people in one country in one quarter."""


def store_quarter(
    world: World,
    quarter: Quarter = QUARTER,
    counts: Mapping[tuple[str, TableName], Counter[Cell]] | None = None,
) -> None:
    """Store the counts of a quarter, all in its first week."""
    own = {("KZ", name): cells for name, cells in COUNTS.items()}
    first, *others = quarter.list_weeks()
    weekly_counts.store_counts(world.runtime, first, own if counts is None else counts)
    for week in others:
        weekly_counts.store_counts(world.runtime, week, {})


def add_overseers(world: World) -> tuple[Someone, Someone]:
    """Add a protection officer and a supervisor to the oversight office; return both."""
    one = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    return one, world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR})


def release_quarter(
    world: World,
    quarter: Quarter = QUARTER,
    counts: Mapping[tuple[str, TableName], Counter[Cell]] | None = None,
) -> str:
    """Store the counts of a quarter, release it, and return the id of the release."""
    store_quarter(world, quarter, counts)
    wanted = {"quarter": str(quarter)}
    return str(add_with(*add_overseers(world), PATH, wanted)["id"])


def release_growing_quarters(world: World) -> None:
    """Release two quarters, of which the second has three times the counts of the first."""
    later = Quarter(QUARTER.year, QUARTER.number + 1)
    counts = {("KZ", name): cells for name, cells in COUNTS.items()}
    more = {
        key: Counter({cell: 3 * count for cell, count in cells.items()})
        for key, cells in counts.items()
    }
    store_quarter(world, QUARTER, counts)
    store_quarter(world, later, more)
    people = add_overseers(world)
    for quarter in (QUARTER, later):
        add_with(*people, PATH, {"quarter": str(quarter)})


def list_points(reader: Someone) -> list[Json]:
    """Return the follow-up points of meetings that a person can read."""
    found: list[Json] = unwrap(reader.get(POINTS))["items"]
    return found


def write_point(world: World, **changes: str) -> str:
    """Write a follow-up point of a meeting as a desk, and return its id."""
    desk = world.add_person("DESK_CENTRAL_ASIA", {Role.COORDINATOR})
    body = BODIES["write_meeting_point"] | changes
    return str(unwrap(desk.create(POINTS, body))["id"])
