"""A time limit of a country, for tests of stored time limits."""

from app.deadlines.limit_bounds import LimitPriority
from app.deadlines.limits import DeadlineKind, TimeUnit
from app.deadlines.models import TimeLimit
from app.directory.kinds import Confidence


def build_time_limit() -> TimeLimit:
    """Return a time limit of Kazakhstan to acknowledge a case."""
    return TimeLimit(
        of="KZ",
        deadline=DeadlineKind.ACKNOWLEDGE,
        priority=LimitPriority.NORMAL,
        amount=30,
        unit=TimeUnit.HOURS,
        confidence=Confidence.HIGH,
    )
