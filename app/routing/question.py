"""What routing is asked: a person as far as known, and every focal point there is.

Values, never a case. What is not known filters nobody out and speaks for nobody.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.deadlines.limits import Priority
from app.directory.kinds import AgeGroup, Function, Kind, Service, Sex


@dataclass(frozen=True)
class Profile:
    """A focal point as routing looks at it; empty or None: not known.

    `answered` counts what it was asked lately, `late` how much of it was late.
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
    """All that the answer depends on.

    `consented` names who may be told of the person, on whichever ground, and `named` whom
    the person let be told by their own word; `declined` who said no or nothing,
    `approached` who is asked already; `agreed` the countries to which at least the needs
    may cross; `home` the State of whoever submits, whose desk comes second. `ages` holds
    the children who come with an adult; they and the sex are known to a dry run alone,
    since no notice says either.
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
        """Whether it counts who is open now."""
        return self.priority == Priority.EMERGENCY
