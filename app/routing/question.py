"""The input of routing: the known attributes of the person, and the focal points.

The input contains values and no reference to a case. An unknown value neither excludes nor
favours an office.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory.kinds import AgeGroup, OfficeFunction, OfficeKind, Service, Sex


@dataclass(frozen=True)
class Profile:
    """The attributes of a focal point that routing uses.

    If `sexes` or `ages` is empty, or `open` or `capacity` is None, the value is unknown.
    `capacity` is also None if the reader of the ranking may not learn the free places.
    """

    id: UUID
    code: str
    kind: OfficeKind
    function: OfficeFunction
    of_state: str | None
    serves: list[str]
    languages: tuple[str, ...]
    services: frozenset[Service]
    can_lead: bool
    active: bool = True
    sexes: frozenset[Sex] = frozenset()
    ages: frozenset[AgeGroup] = frozenset()
    open: bool | None = None
    capacity: int | None = None
    capacity_as_of: datetime | None = None
    deputy: str | None = None


@dataclass(frozen=True)
class Question:
    """The question for a ranking: the values on which the ranking depends.

    `consented` contains the offices that may be informed about the person on any basis, and
    `named` the offices that a consent covers. `declined` contains the offices that are not
    ranked again: for leads, all offices that were asked; for a service, the offices that
    declined or did not answer. `approached` contains the offices that have an open request
    for the service. `agreed` contains the countries to which agreements allow at least the
    section `needs` to be sent. `home` is the State of the submitter. `ages` includes the
    age group of children who come with an adult.
    """

    now: datetime
    country: str
    language: str
    services: frozenset[Service]
    priority: Priority
    ages: frozenset[AgeGroup]
    sex: Sex | None
    avoided: frozenset[str]
    agreed: frozenset[str]
    origin: str | None
    origin_blocked: bool
    origin_permitted: bool
    unsafe: frozenset[str]
    consented: frozenset[UUID]
    named: frozenset[UUID]
    declined: frozenset[UUID]
    approached: frozenset[UUID]
    holder: UUID | None
    home: str | None
    profiles: tuple[Profile, ...]

    @property
    def is_emergency(self) -> bool:
        """Whether the case is an emergency, in which open offices are ranked first."""
        return self.priority == Priority.EMERGENCY
