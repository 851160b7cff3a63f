"""What a gauge and a look are, and how all gauges are read at the same moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Gauge[T]:
    """One number of a look, or one for each value of a label.

    Above its limit somebody has to look, and `remedy` says at what. `detail` says a little
    more where there is more to say.
    """

    name: str
    about: str
    value: Callable[[T], float | Mapping[str, float]]
    label: str | None = None
    limit: float | None = None
    remedy: str = ""
    detail: Callable[[T], str] = lambda _: ""


@dataclass(frozen=True)
class Measured:
    """What a gauge said; `of` is the value of its label, if it has one."""

    gauge: Gauge[Any]
    of: str | None
    value: float
    detail: str

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look."""
        return self.gauge.limit is None or self.value <= self.gauge.limit


@dataclass(frozen=True)
class Watch[T]:
    """One look at the database, and all that is read off it."""

    look: Callable[[Session, datetime], T]
    gauges: tuple[Gauge[T], ...]

    def measure(self, session: Session, now: datetime) -> Iterator[Measured]:
        """Look once, and read every gauge."""
        found = self.look(session, now)
        for gauge in self.gauges:
            value = gauge.value(found)
            values = value.items() if isinstance(value, Mapping) else [(None, value)]
            detail = gauge.detail(found)
            yield from (Measured(gauge, of, one, detail) for of, one in values)


def measure(
    watches: Sequence[Watch[Any]], session: Session, now: datetime
) -> list[Measured]:
    """Read every gauge, all at the same moment."""
    return [one for watch in watches for one in watch.measure(session, now)]
