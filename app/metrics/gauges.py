"""How the service is kept, in numbers: for Prometheus, `worker status` and the docs alike.

What is counted is counted over all: how many cases an office or a country has is itself
worth hiding (A8). A room that has something to tell writes a `Watch` and enters it below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any, Final

from sqlalchemy.orm import Session

from app.access import machine_keys
from app.deadlines.worker_health import LATE_AFTER, SILENT_AFTER, Backlog, load_backlog
from app.kernel.clock_jumps import get_recent_jump
from app.kernel.free_space import FreeSpace
from app.kernel.heartbeat import Part, get_heartbeats
from app.kernel.transactions import Runtime
from app.metrics.measurement import Gauge, GaugeGroup
from app.metrics.offices import (
    Offices,
    list_countries_without_lead,
    list_unattended,
    list_without_second_person,
    load_offices,
)
from app.outbox import queries as outbox_queries
from app.webhooks import queries as webhook_queries

FAILS_LONG: Final = timedelta(minutes=5)
"""How long nothing may arrive at a receiver."""
NOTICE_WAITS: Final = timedelta(minutes=2)
"""How long a notice that may leave may wait: some tries that failed, or no worker."""
CLOCK_JUMP_LIMIT: Final = 30.0
"""Seconds by which a clock may be set between two looks without an alarm."""
CLOCK_JUMPED: Final = (
    "The clock of the database was set, or its machine was paused. Deadlines go by that "
    "clock: compare it with the time, and see that NTP runs."
)


@dataclass(frozen=True)
class Counted[C]:
    """What was counted, and when."""

    now: datetime
    counts: C


def ages(session: Session, now: datetime) -> Mapping[str, float]:
    """Say how many seconds ago each part was last heard of; infinity: never."""
    beats = get_heartbeats(session)
    heard = {part: (now - at).total_seconds() for part, at in beats.items()}
    return {part: heard.get(part, inf) for part in Part}


def seconds_since(moment: datetime | None, now: datetime) -> float:
    """Say how long ago it was; 0: it was not."""
    return (now - moment).total_seconds() if moment else 0.0


def worst_of(found: Backlog) -> str:
    """Name the kind of clock that failed most often."""
    worst = found.worst
    return f"worst: {worst.kind}, failed {worst.failures} times" if worst else ""


HEARTBEATS: Final = GaugeGroup[Mapping[str, float]](
    ages,
    (
        Gauge(
            "heartbeat_age_seconds",
            "Since this part of the worker was last heard of.",
            lambda found: found,
            label="part",
            limit=SILENT_AFTER.total_seconds(),
            remedy="No worker finishes its looks: start one, or restart it if it hangs.",
        ),
    ),
)
CLOCKS: Final = GaugeGroup[Backlog](
    load_backlog,
    (
        Gauge(
            "clocks_overdue",
            "Clocks that ran out and wait for the worker.",
            lambda found: found.overdue,
        ),
        Gauge(
            "clock_oldest_overdue_seconds",
            "How long the oldest of them has waited.",
            lambda found: seconds_since(found.oldest, found.now),
            limit=LATE_AFTER.total_seconds(),
            remedy="The worker is too slow or gets nowhere: read its log, add a worker.",
        ),
        Gauge(
            "clocks_failing",
            "Clocks that failed, and are tried again ever later.",
            lambda found: found.failing,
            limit=0,
            remedy="Find `clock.failed` in the worker's log: it says what failed.",
            detail=worst_of,
        ),
        Gauge(
            "oldest_unacknowledged_seconds",
            "Oldest case or referral that nobody acknowledged.",
            lambda found: seconds_since(found.unacknowledged, found.now),
        ),
        Gauge(
            "cases_late_at_a_desk",
            "Cases that a desk has not answered in time.",
            lambda found: found.late_at_desks,
        ),
    ),
)
OUTBOX: Final = GaugeGroup[Counted[outbox_queries.OutboxCounts]](
    lambda session, now: Counted(now, outbox_queries.count_messages(session, now)),
    (
        Gauge(
            "outgoing_waiting",
            "Notices that wait to leave.",
            lambda found: found.counts.waiting,
        ),
        Gauge(
            "outgoing_oldest_waiting_seconds",
            "How long the oldest notice has waited that may leave by this way.",
            lambda found: {
                way: max(0.0, seconds_since(one.oldest, found.now))
                for way, one in found.counts.ways.items()
            },
            label="way",
            limit=NOTICE_WAITS.total_seconds(),
            remedy="Notices do not leave: `safe-conduct doctor` connects to the mail "
            "server and the SMS gateway, `outgoing.tried` in the log says what they say.",
        ),
        Gauge(
            "outgoing_given_up",
            "Notices by this way that were given up within the last day.",
            lambda found: {way: one.given_up for way, one in found.counts.ways.items()},
            label="way",
            limit=0,
            remedy="Ring the office up: `outgoing.dead` in the log says why its notice was "
            "given up, `GET /v1/contacts` where it should have gone.",
        ),
        Gauge(
            "outgoing_dead",
            "Notices that were given up, ever.",
            lambda found: found.counts.dead,
        ),
    ),
)
WEBHOOKS: Final = GaugeGroup[Counted[webhook_queries.Counts]](
    lambda session, now: Counted(now, webhook_queries.count_failing(session)),
    (
        Gauge(
            "webhooks_failing",
            "Webhooks whose last try failed.",
            lambda found: found.counts.failing,
        ),
        Gauge(
            "webhook_longest_failing_seconds",
            "How long nothing has arrived at one of them.",
            lambda found: seconds_since(found.counts.failing_since, found.now),
            limit=FAILS_LONG.total_seconds(),
            remedy="Ask whose receiver it is: GET /v1/webhooks says what fails.",
        ),
        Gauge(
            "webhooks_stalled",
            "Webhooks at which nothing arrived for a day: nothing is sent there any more.",
            lambda found: found.counts.stalled,
            limit=0,
            remedy="Its office has to mend its receiver and resume it, or end it.",
        ),
    ),
)
KEYS: Final = GaugeGroup[Sequence[datetime]](
    machine_keys.list_key_endings,
    (
        Gauge(
            "keys_ending",
            "Keys that end within 14 days, of accounts that have none to go on with.",
            len,
            detail=lambda found: f"first: {found[0]:%Y-%m-%d}" if found else "",
        ),
    ),
)
JUMPS: Final = GaugeGroup[int](
    get_recent_jump,
    (
        Gauge(
            "clock_jump_seconds",
            "By how much the clock of the database was last set, in the last hour.",
            abs,
            limit=CLOCK_JUMP_LIMIT,
            remedy=CLOCK_JUMPED,
            detail=lambda seconds: f"{seconds:+d} s" if seconds else "",
        ),
    ),
)
OFFICES: Final = GaugeGroup[Offices](
    load_offices,
    (
        Gauge(
            "offices_unattended",
            "Offices that something waits for, and where nobody can sign in any more.",
            lambda found: len(list_unattended(found)),
            limit=0,
            remedy="Open an account there: oversight hears where `accounts_left` is 0.",
        ),
        Gauge(
            "offices_without_second_person",
            "Desks, and offices that have an open case, at which one person works alone.",
            lambda found: len(list_without_second_person(found)),
            limit=0,
            remedy="Two people confirm some steps, closing for instance: open an account "
            "at the offices where `safe-conduct account list` shows one person.",
        ),
        Gauge(
            "countries_without_lead",
            "Countries whose offices that can lead a case are all closed or empty.",
            lambda found: len(list_countries_without_lead(found)),
            limit=0,
            remedy="Open one of them or an account there; or set `can_lead` to false.",
        ),
        Gauge(
            "closed_office_drafts",
            "Drafts of offices that are closed; after 14 days they are thrown away.",
            lambda found: found.drafts,
            limit=0,
            remedy="Call the office: its people can sign in, and submit or discard them.",
        ),
    ),
)
WATCHES: Final[tuple[GaugeGroup[Any], ...]] = (
    *(HEARTBEATS, CLOCKS, OUTBOX),
    *(WEBHOOKS, KEYS, JUMPS, OFFICES),
)


def measure_missing_space(space: FreeSpace) -> Mapping[str, float]:
    """Return by how many bytes the free space beside each file is too small."""
    return {place: max(0, space.low - free) for place, free in space.measure().items()}


SPACE_GAUGES: Final[tuple[Gauge[FreeSpace], ...]] = (
    Gauge(
        "space_missing_bytes",
        "How much less is free beside this file than `SAFE_CONDUCT_LOW_SPACE_MIB`.",
        measure_missing_space,
        label="place",
        limit=0,
        remedy="The disk is nearly full: make room, or give it more, before writes fail.",
    ),
)
CLOCK_GAUGES: Final[tuple[Gauge[float], ...]] = (
    Gauge(
        "clock_difference_seconds",
        "Between the clocks of this machine and of the database.",
        lambda found: found,
        limit=30,
        remedy="A clock is wrong: set it by NTP. Deadlines go by that of the database, "
        "keys and consents by that of the machine.",
    ),
)
GAUGES: Final[tuple[Gauge[Any], ...]] = (
    *(gauge for watch in WATCHES for gauge in watch.gauges),
    *SPACE_GAUGES,
    *CLOCK_GAUGES,
)
"""All that is measured, for the docs."""


def watches_of(runtime: Runtime) -> tuple[GaugeGroup[Any], ...]:
    """Return all watches, with those of the machine that the service runs on."""

    def measure_difference(_: Session, now: datetime) -> float:
        return abs((runtime.clock() - now).total_seconds())

    return (
        *WATCHES,
        GaugeGroup[FreeSpace](lambda _, __: runtime.free_space, SPACE_GAUGES),
        GaugeGroup[float](measure_difference, CLOCK_GAUGES),
    )
