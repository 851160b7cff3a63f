"""A check that the counted weeks agree with the ledger of a simulation, cell by cell.

The ledger consists of the requests that the service acknowledged, and of the values that
the officers entered in them. Each week is counted before its cases are erased, and compared
after all cases are erased.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from random import Random
from typing import Final

from sqlalchemy import select

from app.cases.models import AgeClass
from app.cases.sections import ExploitationForm, PersonGender
from app.figures import weekly_counts
from app.figures.catalogue import Cell, TableName
from app.figures.counting import SubmittedCase, count_people
from app.figures.models import CountedWeek
from app.figures.queries import find_counting_end
from app.figures.weeks import find_week
from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_read
from app.worker.figures_job import WeekCounter
from tests.simulation.world import Deed, Person, Scene
from tests.support.world import NOTICE, Json

COMPARED: Final = frozenset(TableName) - {TableName.HANDOVERS, TableName.RETURNS}

type Counts = Mapping[tuple[str, TableName], Counter[Cell]]


def draw_recorded(seed: int, number: int) -> tuple[PersonGender | None, list[str]]:
    """Draw the gender and the forms of exploitation that an officer records for a person.

    A separate generator draws them, so that other random numbers stay the same.
    """
    chance = Random(f"{seed} figures {number}")
    gender = chance.choice([None, *PersonGender])
    return gender, sorted(chance.sample(list(ExploitationForm), chance.choice([0, 1, 2])))


def count_weeks(scene: Scene) -> None:
    """Count all finished weeks, as the worker does."""
    counter = WeekCounter()
    while counter.run(scene.runtime):
        pass


def check_counted_weeks(scene: Scene, unsure: Iterable[Deed]) -> None:
    """Check every cell of the tables in `COMPARED`.

    A request whose response was lost may have been executed, and changes up to two cells.
    """
    submitted = find_submissions(scene)
    shown = read_all(scene)
    lost = sum(1 for deed in unsure if deed.event in {"case.submitted", "referral.started"})
    lost += sum(deed.tries > 1 for deed in find_started(scene).values())
    expected = count_people(
        describe_case(scene, scene.persons[code], at) for code, at in submitted.items()
    )
    for key in {*expected, *(key for key in shown if key[1] in COMPARED)}:
        least, found = expected.get(key, Counter()), shown.get(key, Counter())
        off = sum(abs(found[cell] - least[cell]) for cell in {*least, *found})
        scene.require(off <= 2 * lost, f"{key}: counted {found}, ledger {least}")
    scene.tally.counts["people counted"] += sum(
        cells[()] for (_, name), cells in shown.items() if name == TableName.CASES
    )


def find_submissions(scene: Scene) -> dict[str, datetime]:
    """Return the time at which each case was submitted, by the code of the case."""
    return {
        deed.about.removeprefix("cases/"): deed.acknowledged_at
        for deed, _, _ in scene.acknowledged.values()
        if deed.event == "case.submitted" and deed.acknowledged_at
    }


def find_started(scene: Scene) -> dict[str, Deed]:
    """Return the acknowledged requests with which offices began to help, by their keys."""
    return {
        key: deed
        for key, (deed, _, _) in scene.acknowledged.items()
        if deed.event == "referral.started"
    }


def describe_case(scene: Scene, person: Person, at: datetime) -> SubmittedCase:
    """Return the values that are counted for a person, from the ledger alone."""
    gender, forms = draw_recorded(scene.seed, person.number)
    begun: list[tuple[datetime, str]] = []
    end = find_counting_end(find_week(at))
    for key, deed in find_started(scene).items():
        shown: Json = scene.acknowledged[key][2]
        began = deed.acknowledged_at
        if shown["case"] == person.code and began and began < end:
            begun.append((began, shown["service"]))
    begun.sort()
    return SubmittedCase(
        country=person.corridor.country,
        age_class=AgeClass.CHILD if person.is_child else AgeClass.ADULT,
        gender=gender,
        exploitation=[ExploitationForm(form) for form in forms],
        asked=NOTICE["services"],
        given=[service for _, service in begun],
        submitted_at=at,
        helped_at=begun[0][0] if begun else None,
    )


def read_all(scene: Scene) -> Counts:
    """Return the stored numbers of all weeks."""
    with begin_read(scene.runtime, SYSTEM) as tx:
        weeks = list(tx.session.scalars(select(CountedWeek.monday)))
        return weekly_counts.read_counts(tx, weeks)
