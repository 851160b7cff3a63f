"""The output of `worker status`: a table, or JSON for a monitor."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.grounds import require_migrated
from app.kernel.work import Ground
from app.metrics.gauges import watches_of
from app.metrics.measuring import Measured, measure


@dataclass(frozen=True)
class Status:
    """The measured gauges at one time of the database's clock."""

    at: datetime
    measured: Sequence[Measured]

    @property
    def is_well(self) -> bool:
        """Whether every gauge is within its limit."""
        return all(one.is_well for one in self.measured)


def status_of(runtime: Ground) -> Status:
    """Measure all gauges; raises NotReady and Busy (503)."""
    with runtime.database.reading() as session:
        require_migrated(session)
        now = runtime.time(session)
        return Status(now, measure(watches_of(runtime), session, now))


def as_json(status: Status) -> str:
    """Return the status as JSON; a value is null if there never was one."""
    gauges = [
        {
            "name": one.gauge.name,
            "of": one.of,
            "value": one.value if isfinite(one.value) else None,
            "limit": one.gauge.limit,
            "well": one.is_well,
            "detail": one.detail,
        }
        for one in status.measured
    ]
    whole = {"well": status.is_well, "at": status.at.isoformat(), "gauges": gauges}
    return json.dumps(whole | {"to_do": list(to_do(status))})


def to_do(status: Status) -> Iterator[str]:
    """Return the remedies of the gauges that exceed their limits, each once."""
    remedies = (one.gauge.remedy for one in status.measured if not one.is_well)
    yield from dict.fromkeys(remedies)


def as_table(status: Status) -> Iterator[RenderableType]:
    """Return the status as a table, followed by the remedies."""
    table = Table("gauge", "now", "too high above", "", box=None, pad_edge=False)
    for one in status.measured:
        about = one.gauge.about.removesuffix(".")
        what = f"{about} ({one.of})" if one.of else about
        verdict = Text("OK", "green") if one.is_well else Text("ACTION", "bold red")
        silent = one.gauge.limit is None
        limit = "" if one.gauge.limit is None else format_value(one, one.gauge.limit)
        table.add_row(what, format_measured(one), limit, "" if silent else verdict)
    yield table
    yield Text()
    yield from (Text(f"To do: {remedy}") for remedy in to_do(status))
    if status.is_well:
        yield Text("No action is needed.")


def format_measured(one: Measured) -> str:
    """Return a measured value as text, with its detail if there is one."""
    value = format_value(one, one.value)
    return f"{value} ({one.detail})" if one.detail else value


def format_value(one: Measured, value: float) -> str:
    """Return a number, or a duration in hours, minutes and seconds, as text."""
    if not one.gauge.name.endswith("_seconds"):
        return str(round(value))
    return str(timedelta(seconds=round(value))) if isfinite(value) else "never"
