"""The rows of `limits.csv`: limits that a country or an agreement sets."""

from collections.abc import Iterator
from typing import Annotated, Final, override

from pydantic import Field, ValidationInfo, field_validator

from app.deadlines.limit_bounds import (
    FIXED,
    LimitPriority,
    find_fault,
    list_priorities,
)
from app.deadlines.limits import DeadlineKind, Limit, TimeUnit
from app.directory.cell_types import OptionalCell, Prose, make_error
from app.directory.file_rows import Row
from app.directory.kinds import Confidence
from app.kernel.text import Code, SafeLine

ISO2: Final = 2
"""The length of a country's code; the code of an agreement is longer."""

Amount = Annotated[int, Field(ge=1, le=10_000)]


def is_of_country(of: str) -> bool:
    """Return whether a code is the code of a country, and not of an agreement."""
    return len(of) == ISO2


class TimeLimitRow(Row):
    """A limit that a country or an agreement sets. Without an amount, no limit is set."""

    key = "of"

    of: Code
    deadline: DeadlineKind
    priority: LimitPriority
    amount: OptionalCell[Amount]
    unit: OptionalCell[TimeUnit]
    confidence: Confidence
    source: OptionalCell[Prose]
    as_of: OptionalCell[SafeLine]

    @field_validator("deadline")
    @classmethod
    def require_settable_limit(cls, deadline: DeadlineKind) -> DeadlineKind:
        """Return the deadline, or raise a validation error if its limit cannot be set."""
        if deadline in FIXED:
            raise make_error(
                f"cannot be {deadline}, because its limit is fixed: {FIXED[deadline]}"
            )
        return deadline

    @field_validator("priority")
    @classmethod
    def require_useful_priority(
        cls, priority: LimitPriority, info: ValidationInfo
    ) -> LimitPriority:
        """Return the priority, or raise an error if the deadline has no limit for it."""
        able = list_priorities(info.data["deadline"]) if "deadline" in info.data else ()
        if able and priority not in able:
            raise make_error(f"must be {' or '.join(able)} for this deadline")
        return priority

    @field_validator("unit")
    @classmethod
    def is_within_bounds(
        cls, unit: TimeUnit | None, info: ValidationInfo
    ) -> TimeUnit | None:
        """Return the unit, or raise an error if the limit is incomplete or not allowed."""
        if not {"deadline", "priority", "amount"} <= info.data.keys():
            return unit
        deadline, priority, amount = (
            info.data[n] for n in ("deadline", "priority", "amount")
        )
        if (amount is None) != (unit is None):
            raise make_error("must be given if, and only if, amount is given")
        if unit and (fault := find_fault(deadline, priority, Limit(amount, unit))):
            raise make_error(fault)
        return unit

    @property
    @override
    def reference(self) -> str:
        """The key of this row, such as `KZ/acknowledge/urgent`."""
        return f"{self.of}/{self.deadline}/{self.priority}"

    @override
    def list_countries(self) -> Iterator[tuple[str, str]]:
        """Yield the column and country of the limit, unless an agreement sets the limit."""
        if is_of_country(self.of):
            yield "of", self.of

    @override
    def list_agreements(self) -> Iterator[tuple[str, str]]:
        """Yield the column and code of the agreement, unless a country sets the limit."""
        if not is_of_country(self.of):
            yield "of", self.of
