"""The input of routing: the person, as far as known, and every focal point.

It holds values and no case. What is not known excludes no office and favours none.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory.kinds import AgeGroup, Function, Kind, Service, Sex


@dataclass(frozen=True)
class Profile:
    """A focal point as routing sees it; empty or None means not known.

    `answered` counts the recent requests that are over, `late` those answered late.
    """

    id: UUID
    code: str
    kind: Kind
    function: Function
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
    answered: int = 0
    late: int = 0


@dataclass(frozen=True)
class Question:
    """Everything that a ranking depends on.

    `consented` are the offices that may be told about the person on any basis, and `named`
    those that the person allowed; `declined` said no or did not answer, `approached` are
    asked already. `agreed` are the countries to which at least the needs may cross, and
    `home` is the State of the submitter, whose desk comes second. `ages` includes the
    children who come with an adult; they and the sex are known in a preview alone.
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
        """Whether offices that are open now come first."""
        return self.priority == Priority.EMERGENCY
