"""What is counted as it happens, for Prometheus: never who, where or which case (R71).

A label is a template of ours or a member of a closed list, so that no caller can make a
series, and the time of the first of a kind is not told.
"""

from functools import cache
from http import HTTPMethod
from typing import Final

from prometheus_client import Counter, Histogram, disable_created_metrics

from app.deadlines.limits import ClockKind

NAMESPACE: Final = "safe_conduct"
NO_ROUTE: Final = "none"
OTHER_METHOD: Final = "other"
METHODS: Final = frozenset(HTTPMethod)
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # all else in there is typed

REQUESTS: Final = Counter(
    "requests",
    "Requests answered; status 0: the caller had gone.",
    ("method", "route", "status"),
    namespace=NAMESPACE,
    registry=None,
)
REQUEST_SECONDS: Final = Histogram(
    "request_seconds",
    "How long they took.",
    ("route",),
    namespace=NAMESPACE,
    registry=None,
    buckets=SECONDS,
)
FIRED: Final = Counter(
    "clocks_fired",
    "Clocks that ran out and had their effect.",
    ("kind",),
    namespace=NAMESPACE,
    registry=None,
)
FAILED: Final = Counter(
    "clocks_failed",
    "Tries to fire a clock that failed.",
    ("kind",),
    namespace=NAMESPACE,
    registry=None,
)
COUNTERS: Final = (REQUESTS, REQUEST_SECONDS, FIRED, FAILED)

for each in ClockKind:  # a series that appears with its first event hides it from rate()
    FIRED.labels(each)
    FAILED.labels(each)


def method_of(said: str) -> str:
    """Name a method as it may be told: a caller can make up any other."""
    return said if said in METHODS else OTHER_METHOD


def count_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request; its method by `method_of`, its route as a template."""
    requests_of(method, route or NO_ROUTE, status).inc()
    seconds_of(route or NO_ROUTE).observe(seconds)


@cache
def requests_of(method: str, route: str, status: int) -> Counter:
    """Find a series once: looking it up costs more than counting."""
    return REQUESTS.labels(method, route, str(status))


@cache
def seconds_of(route: str) -> Histogram:
    """Find a series once."""
    return REQUEST_SECONDS.labels(route)
