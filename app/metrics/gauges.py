"""The gauges of the service, for Prometheus, `worker status` and the documentation.

Every gauge counts over all offices, because the number of cases of an office or a country
is sensitive (A8). `detail` may name the offices at which an operator has to act: it is in
`worker status` and in the log, but not in the metrics. To add a gauge, add it to a
`GaugeGroup` below or in `offices`.
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
from app.metrics.offices import OFFICES, join_codes
from app.outbox import queries as outbox_queries
from app.webhooks import queries as webhook_queries

FAILS_LONG: Final = timedelta(minutes=5)
"""The time for which a webhook may fail before there is an alarm."""
NOTICE_WAITS: Final = timedelta(minutes=2)
"""The time for which a notification may wait before there is an alarm."""
CLOCK_JUMP_LIMIT: Final = 30.0
"""Seconds by which a clock may be set between two measurements without an alarm."""
CLOCK_JUMPED: Final = (
    "The clock of the database was set, or its machine was paused. Deadlines depend on "
    "that clock: compare it with the correct time, and check that NTP runs."
)


@dataclass(frozen=True)
class Counted[C]:
    """Counts, and the time at which they were taken."""

    now: datetime
    counts: C


def load_heartbeat_ages(session: Session, now: datetime) -> Mapping[str, float]:
    """Return the seconds since the last heartbeat of each part of the worker.

    The value is infinity for a part without a heartbeat.
    """
    beats = get_heartbeats(session)
    heard = {part: (now - at).total_seconds() for part, at in beats.items()}
    return {part: heard.get(part, inf) for part in Part}


def count_seconds_since(moment: datetime | None, now: datetime) -> float:
    """Return the seconds since `moment`, or 0 if it is None."""
    return (now - moment).total_seconds() if moment else 0.0


def describe_worst(found: Backlog) -> str:
    """Describe the kind of deadline whose handling failed most often, or return ""."""
    worst = found.worst
    return f"worst: {worst.kind}, failed {worst.failures} times" if worst else ""


HEARTBEATS: Final = GaugeGroup[Mapping[str, float]](
    load_heartbeat_ages,
    (
        Gauge(
            "heartbeat_age_seconds",
            "Seconds since the last heartbeat of this part of the worker.",
            lambda found: found,
            label="part",
            limit=SILENT_AFTER.total_seconds(),
            remedy="No worker completes a round: start a worker, or restart a hanging one.",
        ),
    ),
)
CLOCKS: Final = GaugeGroup[Backlog](
    load_backlog,
    (
        Gauge(
            "clocks_overdue",
            "Missed deadlines that the worker has not handled yet.",
            lambda found: found.overdue,
        ),
        Gauge(
            "clock_oldest_overdue_seconds",
            "Seconds that the oldest missed deadline has waited for the worker.",
            lambda found: count_seconds_since(found.oldest, found.now),
            limit=LATE_AFTER.total_seconds(),
            remedy="The worker is too slow or stuck: read its log, or add another worker.",
        ),
        Gauge(
            "clocks_failing",
            "Missed deadlines that the worker failed to handle and will retry.",
            lambda found: found.failing,
            limit=0,
            remedy="Find `clock.failed` in the worker's log: it says what failed.",
            detail=describe_worst,
        ),
        Gauge(
            "oldest_unacknowledged_seconds",
            "Age of the oldest case or referral that nobody acknowledged.",
            lambda found: count_seconds_since(found.unacknowledged, found.now),
        ),
        Gauge(
            "cases_late_at_a_desk",
            "Cases with a missed deadline of a desk.",
            lambda found: found.late_at_desks,
        ),
    ),
)
OUTBOX: Final = GaugeGroup[Counted[outbox_queries.OutboxCounts]](
    lambda session, now: Counted(now, outbox_queries.count_messages(session, now)),
    (
        Gauge(
            "outgoing_waiting",
            "Notifications that wait to be sent.",
            lambda found: found.counts.waiting,
        ),
        Gauge(
            "outgoing_oldest_waiting_seconds",
            "Age of the oldest notification that waits for this channel.",
            lambda found: {
                way: max(0.0, count_seconds_since(one.oldest, found.now))
                for way, one in found.counts.ways.items()
            },
            label="way",
            limit=NOTICE_WAITS.total_seconds(),
            remedy="Notifications are not sent: `safe-conduct doctor` connects to the mail "
            "server and the SMS gateway; `outgoing.tried` in the log has their answers.",
        ),
        Gauge(
            "outgoing_given_up",
            "Notifications by this channel that were given up within the last day.",
            lambda found: {way: one.given_up for way, one in found.counts.ways.items()},
            label="way",
            limit=0,
            remedy="Call the office: `outgoing.dead` in the log says why its "
            "notification was given up, `GET /v1/contacts` shows its address.",
        ),
        Gauge(
            "outgoing_dead",
            "Notifications that were ever given up.",
            lambda found: found.counts.dead,
        ),
    ),
)
WEBHOOKS: Final = GaugeGroup[Counted[webhook_queries.Failing]](
    lambda session, now: Counted(now, webhook_queries.list_failing(session)),
    (
        Gauge(
            "webhooks_failing",
            "Webhooks whose last attempt failed.",
            lambda found: len(found.counts.failing),
        ),
        Gauge(
            "webhook_longest_failing_seconds",
            "Seconds for which the webhook that failed first has been failing.",
            lambda found: max(
                (count_seconds_since(at, found.now) for _, at in found.counts.failing),
                default=0.0,
            ),
            limit=FAILS_LONG.total_seconds(),
            remedy="Ask the owner of the receiver: `GET /v1/webhooks` shows what fails.",
            detail=lambda found: join_codes(code for code, _ in found.counts.failing),
        ),
        Gauge(
            "webhooks_stalled",
            "Webhooks that get nothing: they failed for a day, or were answered with 410.",
            lambda found: len(found.counts.stalled),
            limit=0,
            remedy="The office must repair the receiver and resume the webhook, or end it.",
            detail=lambda found: join_codes(found.counts.stalled),
        ),
    ),
)
KEYS: Final = GaugeGroup[Sequence[datetime]](
    machine_keys.list_key_endings,
    (
        Gauge(
            "keys_ending",
            "API and public keys that expire within 14 days and have no successor.",
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
            "Seconds by which the clock of the database was set in the last hour.",
            abs,
            limit=CLOCK_JUMP_LIMIT,
            remedy=CLOCK_JUMPED,
            detail=lambda seconds: f"{seconds:+d} s" if seconds else "",
        ),
    ),
)
WATCHES: Final[tuple[GaugeGroup[Any], ...]] = (
    *(HEARTBEATS, CLOCKS, OUTBOX),
    *(WEBHOOKS, KEYS, JUMPS, OFFICES),
)


def measure_missing_space(space: FreeSpace) -> Mapping[str, float]:
    """Return the bytes by which the free space of each place is below the limit, or 0."""
    return {place: max(0, space.low - free) for place, free in space.measure().items()}


SPACE_GAUGES: Final[tuple[Gauge[FreeSpace], ...]] = (
    Gauge(
        "space_missing_bytes",
        "Bytes by which free space is below `SAFE_CONDUCT_LOW_SPACE_MIB`.",
        measure_missing_space,
        label="place",
        limit=0,
        remedy="The disk is nearly full: free space or enlarge it before writes fail.",
    ),
)
CLOCK_GAUGES: Final[tuple[Gauge[float], ...]] = (
    Gauge(
        "clock_difference_seconds",
        "Seconds between the clocks of this machine and of the database.",
        lambda found: found,
        limit=30,
        remedy="A clock is wrong: set it by NTP. Deadlines depend on the clock of the "
        "database, API keys and consents on that of the machine.",
    ),
)
GAUGES: Final[tuple[Gauge[Any], ...]] = (
    *(gauge for watch in WATCHES for gauge in watch.gauges),
    *SPACE_GAUGES,
    *CLOCK_GAUGES,
)
"""All gauges, for the documentation."""


def list_gauge_groups(runtime: Runtime) -> tuple[GaugeGroup[Any], ...]:
    """Return all groups of gauges, including those about the machine of the service."""

    def measure_difference(_: Session, now: datetime) -> float:
        return abs((runtime.clock() - now).total_seconds())

    return (
        *WATCHES,
        GaugeGroup[FreeSpace](lambda _, __: runtime.free_space, SPACE_GAUGES),
        GaugeGroup[float](measure_difference, CLOCK_GAUGES),
    )
