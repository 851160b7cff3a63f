"""Tests that the metrics and the log of the worker contain no personal data (R71)."""

import json
from collections.abc import Iterator
from typing import Final

import pytest
from fastapi.routing import APIRoute
from prometheus_client.parser import text_string_to_metric_families

from app.api.http.docs_page import build_docs_router
from app.console.application import ROUTES
from app.deadlines.limits import DeadlineKind
from app.kernel.heartbeat import Part
from app.main import CONSOLE_PATH
from app.metrics.counters import METHODS, NO_ROUTE, OTHER_METHOD, SECONDS
from app.outbox.models import MessageChannel
from tests.support.canaries import (
    CODE,
    ENCODED_MARKERS,
    LATIN,
    Journey,
    find_markers,
    list_encodings,
    log_everything,
    send_invalid_requests,
)
from tests.support.databases import ask
from tests.support.metrics_scrape import PREFIX, serve_metrics
from tests.support.worker_process import fail_deadlines
from tests.support.world import World

pytestmark = pytest.mark.slow
PLANTED: Final = ("Wfjzqkxbhv", "Щфъызжэхбю", "ثقظغذشضطز")
"""Markers in the error messages of the database, which must not be logged."""
SPELLED: Final = (
    *ENCODED_MARKERS,
    *(one for word in PLANTED for one in list_encodings(word)),
)


@pytest.fixture
def journey(world: World) -> Journey:
    return Journey(world)


def list_allowed(journey: Journey) -> dict[str, set[str]]:
    """Return all values that each label may have."""
    known = journey.world.app.openapi()["paths"]
    routes = {path.removeprefix("/v1") for path in known}
    shown = {
        route.path for route in build_docs_router().routes if isinstance(route, APIRoute)
    }
    return {
        "method": {*METHODS, OTHER_METHOD},
        "route": {*routes, *shown, *list_console_routes(), NO_ROUTE},
        "status": {"0", *map(str, range(200, 600))},
        "kind": {*DeadlineKind},
        "part": {*Part},
        "way": {*MessageChannel},
        "le": {*map(str, SECONDS), "+Inf"},
    }


def list_console_routes() -> set[str]:
    """Return the templates of the routes of the console."""
    return {f"{CONSOLE_PATH}{route.path_format}" for route in ROUTES}


def list_labels(text: str) -> Iterator[tuple[str, str]]:
    for family in text_string_to_metric_families(text):
        assert family.name.startswith(PREFIX)
        for sample in family.samples:
            yield from sample.labels.items()


@pytest.mark.whole
def test_no_metric_has_a_value_that_is_not_ours(journey: Journey, url: str) -> None:
    with serve_metrics(journey.world.runtime) as scraper:
        earlier = set(list_labels(scraper.ask().text))  # labels of other tests
    case = journey.run()
    list(send_invalid_requests(journey, case))
    journey.world.http.request(CODE, f"/v1/{LATIN}/{LATIN}")
    fail_deadlines(url, PLANTED[0])
    journey.world.wait(days=60)

    with serve_metrics(journey.world.runtime) as scraper:
        text = scraper.ask().text

    found = set(list_labels(text))
    ours = {
        (name, value) for name, those in list_allowed(journey).items() for value in those
    }
    assert found - earlier - ours == set()
    assert {name for name, _ in found} == set(list_allowed(journey))
    assert find_markers(text.encode(), SPELLED) == []
    assert not [one for one in journey.cast if one.code in text or str(one.id) in text]
    assert case["code"] not in text


def read_log(world: World, capfd: pytest.CaptureFixture[str], **time: float) -> str:
    """Advance the time, run the worker, and return the log."""
    capfd.readouterr()
    with log_everything() as heard:
        world.wait(**time)
    return "\n".join([capfd.readouterr().err, *heard.lines])


def test_the_worker_logs_nothing_personal_whatever_fails(
    journey: Journey, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    world = journey.world
    journey.run()
    for _ in "12":
        journey.cast[0].submit(**journey.texts.make_case())

    logged = [read_log(world, capfd, hours=3)]
    fail_deadlines(url, " ".join(PLANTED))
    logged.append(read_log(world, capfd, days=2))
    ask(url, "DROP TRIGGER planted" + (" ON firing" if "postgres" in url else ""))
    ask(url, "UPDATE sealed SET key_version = 'k9'")
    logged.append(read_log(world, capfd, days=60))

    lines = [one for text in logged for one in text.splitlines() if one.startswith("{")]
    failed = [one for one in map(json.loads, lines) if one["event"] == "clock.failed"]
    assert len({one["error"] for one in failed}) >= 2
    assert find_markers("\n".join(logged).encode(), SPELLED) == []
    assert "cases/" not in "\n".join(lines)
