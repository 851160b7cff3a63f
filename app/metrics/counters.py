"""Counters and histograms for Prometheus, without accounts, offices or cases (R71).

A label has a route template or a member of a closed list as its value, so that a caller
cannot create series. Creation times are disabled, because they reveal the time of a first
event.
"""

from functools import cache, partial
from http import HTTPMethod
from typing import Final

from prometheus_client import Counter, Histogram, disable_created_metrics
from structlog.typing import EventDict

from app.deadlines.limits import DeadlineKind
from app.kernel.file_keys import KEY_FILE_ERROR
from app.kernel.macs import FORGED_ROW

NAMESPACE: Final = "safe_conduct"
NO_ROUTE: Final = "none"
OTHER_METHOD: Final = "other"
METHODS: Final = frozenset(HTTPMethod)
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the only untyped function

create_counter = partial(Counter, namespace=NAMESPACE, registry=None)
REQUESTS: Final = create_counter(
    "requests",
    "Requests answered; status 499: the caller had disconnected.",
    ("method", "route", "status"),
)
REQUEST_SECONDS: Final = Histogram(
    "request_seconds",
    "Seconds to answer a request.",
    ("route",),
    namespace=NAMESPACE,
    registry=None,
    buckets=SECONDS,
)
HANDLED: Final = create_counter(
    "clocks_fired", "Missed deadlines that were handled.", ("kind",)
)
FAILED: Final = create_counter(
    "clocks_failed",
    "Missed deadlines that could not be handled; each attempt counts.",
    ("kind",),
)
FORGED_ROWS: Final = create_counter(
    "forged_rows",
    "Rows that do not match their MAC, or are missing; each request that reads one counts.",
)
KEY_FILE_ERRORS: Final = create_counter(
    "key_file_errors", "Attempts to use a changed key file, or a new key, that failed."
)
COUNTERS: Final = (
    REQUESTS,
    REQUEST_SECONDS,
    HANDLED,
    FAILED,
    FORGED_ROWS,
    KEY_FILE_ERRORS,
)
COUNTED_EVENTS: Final = {FORGED_ROW: FORGED_ROWS, KEY_FILE_ERROR: KEY_FILE_ERRORS}
"""The events of the log that are counted, because an operator has to act at once."""

for kind in DeadlineKind:  # rate() ignores the event that creates a series
    HANDLED.labels(kind)
    FAILED.labels(kind)


def count_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Count the log event if it is one of COUNTED_EVENTS (a processor of structlog)."""
    counter = COUNTED_EVENTS.get(event["event"])
    if counter is not None:
        counter.inc()
    return event


def normalize_method(method: str) -> str:
    """Return the method, or `other` if it is not known: clients can invent methods."""
    return method if method in METHODS else OTHER_METHOD


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request, and record its duration. The caller has to normalise `method`."""
    get_request_counter(method, route or NO_ROUTE, status).inc()
    get_request_histogram(route or NO_ROUTE).observe(seconds)


@cache
def get_request_counter(method: str, route: str, status: int) -> Counter:
    """Return the cached counter of requests with a method, route and status."""
    return REQUESTS.labels(method, route, str(status))


@cache
def get_request_histogram(route: str) -> Histogram:
    """Return the histogram of a route, cached because the lookup is slow."""
    return REQUEST_SECONDS.labels(route)
