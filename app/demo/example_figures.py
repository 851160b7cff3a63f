"""Made-up figures for the last four quarters, which the demonstration releases once.

Without them, the pages of released figures and the report for a meeting would be empty,
because there are too few example cases and all of them are dated today. In the last two
quarters, help in Kazakhstan is faster and legal aid in Kyrgyzstan is less common.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from app.figures import release_actions
from app.figures.catalogue import NOT_RECORDED, Cell, TableName
from app.figures.meeting_report import list_quarters, move_quarter
from app.figures.queries import SETTLING
from app.figures.weekly_counts import store_counts
from app.figures.weeks import WEEK, Quarter, find_quarter, find_week
from app.kernel.actors import SYSTEM
from app.kernel.transactions import Runtime, begin_read, begin_write

QUARTERS: Final = 4
PEOPLE: Final = {"KZ": 236, "KG": 142, "UZ": 187, "TJ": 34}
"""The number of people in the first quarter by country. Tajikistan has a small number."""
AGES: Final[Mapping[Cell, int]] = {
    ("adult", "female"): 55,
    ("adult", "male"): 27,
    ("child", "female"): 11,
    ("child", "male"): 5,
}
"""Shares in per cent. The rest are adults without a recorded gender."""
FORMS: Final = {"ForcedLabour": 44, "SexualExploitation": 31, "ForcedBegging": 8}
"""Shares in per cent. The rest are not recorded."""
HELPED: Final = {"within_24_hours": 38, "within_72_hours": 31, "within_7_days": 17}
"""Shares in per cent. The rest were helped later, or not at all."""
FASTER: Final = {"within_24_hours": 66, "within_72_hours": 19, "within_7_days": 8}
ASKED: Final = {"SHELTER": 71, "LEGAL_AID": 58, "MEDICAL": 33, "PSYCHOSOCIAL": 41}
GIVEN: Final = {"SHELTER": 62, "LEGAL_AID": 49, "MEDICAL": 28, "PSYCHOSOCIAL": 22}
FEWER: Final = {**GIVEN, "LEGAL_AID": 17}

type Counts = dict[tuple[str, TableName], Counter[Cell]]


def release_example_figures(runtime: Runtime, asked_by: UUID, approved_by: UUID) -> None:
    """Store and release the made-up figures of the last four quarters.

    The weeks since then are stored without people, so that the current quarter can be
    released later.
    """
    with begin_read(runtime, SYSTEM) as tx:
        this_week = find_week(tx.now)
        last = find_quarter(find_week(tx.now - SETTLING) - WEEK)
    first = move_quarter(last, -QUARTERS)
    quarters = list_quarters(first, QUARTERS)
    for place, quarter in enumerate(quarters):
        counts = count_example_people(place)
        for number, week in enumerate(quarter.list_weeks()):
            store_counts(runtime, week, {} if number else counts)
    for week in list_weeks(max(quarters[-1].list_weeks()) + WEEK, this_week):
        store_counts(runtime, week, {})
    for quarter in quarters:
        store_example_release(runtime, quarter, asked_by, approved_by)


def store_example_release(
    runtime: Runtime, quarter: Quarter, asked_by: UUID, approved_by: UUID
) -> None:
    """Release the figures of a quarter on behalf of the two given accounts."""
    with begin_write(runtime, SYSTEM) as tx:
        release_actions.store_release(tx, quarter, asked_by, approved_by)


def list_weeks(first: date, end: date) -> list[date]:
    """Return the Mondays from `first` up to, but not including, `end`."""
    return [first + timedelta(weeks=number) for number in range((end - first) // WEEK)]


def count_example_people(place: int) -> Counts:
    """Return the counts of the example quarter whose index, from 0 to 3, is `place`."""
    is_later = place >= QUARTERS // 2
    counts: Counts = {}
    for country, usual in PEOPLE.items():
        people = usual + usual * place // 20
        faster = is_later and country == "KZ"
        fewer = is_later and country == "KG"
        counts |= {
            (country, TableName.CASES): Counter({(): people}),
            (country, TableName.AGE_AND_GENDER): split_people(
                people, AGES, rest=("adult", NOT_RECORDED)
            ),
            (country, TableName.EXPLOITATION): split_people(
                people, add_axis(FORMS), rest=(NOT_RECORDED,)
            ),
            (country, TableName.ASSISTANCE): split_people(
                people, add_axis(FASTER if faster else HELPED), rest=("later",)
            ),
            (country, TableName.SERVICES_ASKED): split_people(people, add_axis(ASKED)),
            (country, TableName.SERVICES_GIVEN): split_people(
                people, add_axis(FEWER if fewer else GIVEN)
            ),
            (country, TableName.RETURNS): Counter(
                {("go",): people // 9, ("no_go",): people // 30}
            ),
        }
    return counts


def add_axis(shares: Mapping[str, int]) -> dict[Cell, int]:
    """Return the shares by the cells of a table with one axis, given the shares by code."""
    return {(code,): share for code, share in shares.items()}


def split_people(
    people: int, shares: Mapping[Cell, int], rest: Cell | None = None
) -> Counter[Cell]:
    """Count people by cell, given the percentage of each cell; `rest` gets all others."""
    found = Counter({cell: people * share // 100 for cell, share in shares.items()})
    if rest is not None:
        found[rest] = people - found.total()
    return found
