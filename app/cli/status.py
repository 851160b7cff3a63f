"""What an operator sees of the worker: a table, or JSON for whoever watches by program."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.grounds import must_be_migrated
from app.kernel.work import Ground
from app.metrics.gauges import watches_of
from app.metrics.measuring import Measured, measure


@dataclass(frozen=True)
class Status:
    """How the service is kept, at one moment by the clock of the database."""

    at: datetime
    measured: Sequence[Measured]

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look."""
        return all(one.is_well for one in self.measured)


def status_of(ground: Ground) -> Status:
    """Look how the service is kept; raises NotReady, Busy (503)."""
    with ground.database.reading() as session:
        must_be_migrated(session)
        now = ground.time(session)
        return Status(now, measure(watches_of(ground), session, now))


def as_json(status: Status) -> str:
    """Spell it for programs; a value that is null was never there, as a beat of nobody."""
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
    """Say what to do, each thing once."""
    remedies = (one.gauge.remedy for one in status.measured if not one.is_well)
    yield from dict.fromkeys(remedies)


def as_table(status: Status) -> Iterator[RenderableType]:
    """Spell it for people, with what to do at the end."""
    table = Table("what", "now", "too much above", "", box=None, pad_edge=False)
    for one in status.measured:
        about = one.gauge.about.removesuffix(".")
        what = f"{about} ({one.of})" if one.of else about
        verdict = Text("well", "green") if one.is_well else Text("LOOK", "bold red")
        silent = one.gauge.limit is None
        limit = "" if one.gauge.limit is None else spelled(one, one.gauge.limit)
        table.add_row(what, said(one), limit, "" if silent else verdict)
    yield table
    yield Text()
    yield from (Text(f"To do: {remedy}") for remedy in to_do(status))
    if status.is_well:
        yield Text("Nobody has to look.")


def said(one: Measured) -> str:
    """Spell a value, with what else there is to say of it."""
    value = spelled(one, one.value)
    return f"{value} ({one.detail})" if one.detail else value


def spelled(one: Measured, value: float) -> str:
    """Spell a number or a time for people."""
    if not one.gauge.name.endswith("_seconds"):
        return str(round(value))
    return str(timedelta(seconds=round(value))) if isfinite(value) else "never"
