"""The rules that assign cases to the cells of the tables of figures, and count them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.cases.models import AgeClass
from app.cases.sections import ExploitationForm, PersonGender
from app.figures.catalogue import (
    NOT_RECORDED,
    Age,
    Assistance,
    Cell,
    Gender,
    TableName,
)

type Counts = Mapping[tuple[str, TableName], Mapping[Cell, int]]
"""Numbers of people by country and table, and by cell. Cells with nobody are left out."""

GENDERS: Final = {
    PersonGender.FEMININE: Gender.FEMALE,
    PersonGender.TRANSGENDER_FEMININE: Gender.FEMALE,
    PersonGender.MASCULINE: Gender.MALE,
    PersonGender.TRANSGENDER_MASCULINE: Gender.MALE,
    PersonGender.NON_CONFORMING: Gender.OTHER,
    PersonGender.NOT_SPECIFIED: Gender.NOT_RECORDED,
}
"""The gender in figures for each gender that a case can record."""
LONGEST_TIMES: Final = (
    (timedelta(hours=24), Assistance.WITHIN_24_HOURS),
    (timedelta(hours=72), Assistance.WITHIN_72_HOURS),
    (timedelta(days=7), Assistance.WITHIN_7_DAYS),
)


@dataclass(frozen=True)
class SubmittedCase:
    """The values of a case that are counted: codes and times, but no text, office or id.

    `given` are the services that began, and `helped_at` is the time at which the first of
    them began.
    """

    country: str
    age_class: AgeClass | None
    gender: PersonGender | None
    exploitation: Sequence[ExploitationForm]
    asked: Sequence[str]
    given: Sequence[str]
    submitted_at: datetime
    helped_at: datetime | None

    def list_cells(self) -> Iterable[tuple[TableName, Cell]]:
        """Yield each cell in which the person of the case is counted."""
        age = Age.ADULT if self.age_class == AgeClass.ADULT else Age.CHILD
        gender = GENDERS[self.gender] if self.gender else Gender.NOT_RECORDED
        yield TableName.CASES, ()
        yield TableName.AGE_AND_GENDER, (age, gender)
        yield TableName.ASSISTANCE, (self.find_assistance(),)
        for form in dict.fromkeys(self.exploitation) or (NOT_RECORDED,):
            yield TableName.EXPLOITATION, (form,)
        for service in dict.fromkeys(self.asked):
            yield TableName.SERVICES_ASKED, (service,)
        for service in dict.fromkeys(self.given):
            yield TableName.SERVICES_GIVEN, (service,)

    def find_assistance(self) -> Assistance:
        """Return the code of the time from the submission until the first help began."""
        if self.helped_at is None:
            return Assistance.LATER
        waited = self.helped_at - self.submitted_at
        return next(
            (name for longest, name in LONGEST_TIMES if waited <= longest),
            Assistance.LATER,
        )


def count_people(
    cases: Iterable[SubmittedCase],
) -> dict[tuple[str, TableName], Counter[Cell]]:
    """Return the number of people by country and table, and by cell."""
    counts: dict[tuple[str, TableName], Counter[Cell]] = {}
    for case in cases:
        for name, cell in case.list_cells():
            counts.setdefault((case.country, name), Counter())[cell] += 1
    return counts
