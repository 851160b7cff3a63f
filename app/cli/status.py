"""The output of `worker status`, as a table or as JSON for a monitor."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.startup import require_migrated
from app.kernel.heartbeat import Part
from app.kernel.transactions import Runtime
from app.metrics.gauges import HEARTBEATS, list_gauge_groups
from app.metrics.measurement import GaugeValue, measure


@dataclass(frozen=True)
class Status:
    """The values of gauges, and the time of the measurement on the database clock."""

    at: datetime
    measured: Sequence[GaugeValue]

    @property
    def is_well(self) -> bool:
        """Whether every gauge is within its limit."""
        return all(one.is_within_limit for one in self.measured)


def measure_status(runtime: Runtime, parts: Collection[Part] | None = None) -> Status:
    """Return the values of all gauges, or only the heartbeats of `parts` if it is given.

    Raises NotReady if a migration is needed.
    """
    groups = list_gauge_groups(runtime) if parts is None else (HEARTBEATS,)
    with runtime.database.begin_read() as session:
        require_migrated(session)
        now = runtime.time(session)
        measured = measure(groups, session, now)
    if parts is not None:
        measured = [one for one in measured if one.label_value in parts]
    return Status(now, measured)


def as_json(status: Status) -> str:
    """Return the status as JSON, in which an infinite value is null."""
    gauges = [
        {
            "name": one.gauge.name,
            "of": one.label_value,
            "value": one.value if isfinite(one.value) else None,
            "limit": one.gauge.limit,
            "well": one.is_within_limit,
            "detail": one.detail,
        }
        for one in status.measured
    ]
    whole = {"well": status.is_well, "at": status.at.isoformat(), "gauges": gauges}
    return json.dumps(whole | {"to_do": list(list_remedies(status))})


def list_remedies(status: Status) -> Iterator[str]:
    """Yield the remedies of the gauges that exceed their limits, without duplicates."""
    remedies = (one.gauge.remedy for one in status.measured if not one.is_within_limit)
    yield from dict.fromkeys(remedies)


def as_table(status: Status) -> Iterator[RenderableType]:
    """Yield the status as a table, and then the remedies."""
    table = Table("gauge", "now", "too high above", "", box=None, pad_edge=False)
    for one in status.measured:
        about = one.gauge.about.removesuffix(".")
        what = f"{about} ({one.label_value})" if one.label_value else about
        verdict = Text("OK", "green") if one.is_within_limit else Text("ACTION", "bold red")
        silent = one.gauge.limit is None
        limit = "" if one.gauge.limit is None else format_value(one, one.gauge.limit)
        table.add_row(what, format_measured(one), limit, "" if silent else verdict)
    yield table
    yield Text()
    yield from (Text(f"To do: {remedy}") for remedy in list_remedies(status))
    if status.is_well:
        yield Text("No action is needed.")


def format_measured(one: GaugeValue) -> str:
    """Return a measured value as text, with the detail if there is one."""
    value = format_value(one, one.value)
    return f"{value} ({one.detail})" if one.detail else value


def format_value(one: GaugeValue, value: float) -> str:
    """Return a value as text: a number, a duration, or "never" for an infinite duration."""
    if not one.gauge.name.endswith("_seconds"):
        return str(round(value))
    return str(timedelta(seconds=round(value))) if isfinite(value) else "never"
