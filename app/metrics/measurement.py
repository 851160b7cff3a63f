"""Gauges, and a function that measures all of them at the same time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Gauge[T]:
    """A metric with one value, or with one value for each value of its label.

    The function `value` computes the metric from the result of a query, and `detail`
    returns a description of the result. If the metric exceeds `limit`, an operator has to
    take the action in `remedy`.
    """

    name: str
    about: str
    value: Callable[[T], float | Mapping[str, float]]
    label: str | None = None
    limit: float | None = None
    remedy: str = ""
    detail: Callable[[T], str] = lambda _: ""


@dataclass(frozen=True)
class GaugeValue:
    """The value of a gauge, with the value of its label if it has one."""

    gauge: Gauge[Any]
    label_value: str | None
    value: float
    detail: str

    @property
    def is_within_limit(self) -> bool:
        """Whether the value is within the limit of the gauge."""
        return self.gauge.limit is None or self.value <= self.gauge.limit


@dataclass(frozen=True)
class GaugeGroup[T]:
    """A query of the database, and the gauges that are computed from its result."""

    query: Callable[[Session, datetime], T]
    gauges: tuple[Gauge[T], ...]

    def measure(self, session: Session, now: datetime) -> Iterator[GaugeValue]:
        """Run the query once, and yield the value of every gauge."""
        found = self.query(session, now)
        for gauge in self.gauges:
            value = gauge.value(found)
            values = value.items() if isinstance(value, Mapping) else [(None, value)]
            detail = gauge.detail(found)
            yield from (GaugeValue(gauge, of, number, detail) for of, number in values)


def measure(
    watches: Sequence[GaugeGroup[Any]], session: Session, now: datetime
) -> list[GaugeValue]:
    """Return the values of all gauges, measured with the same session and time."""
    return [value for watch in watches for value in watch.measure(session, now)]
