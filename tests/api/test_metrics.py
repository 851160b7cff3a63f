"""Tests of the metrics, and of data that they must not reveal (R57, R71, R77)."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.orm import Session

from app.access.actions import create_key, disable_account
from app.access.credentials import get_prefix
from app.access.models import ApiKey
from app.kernel.actors import Scope
from app.metrics.gauges import WATCHES, list_gauge_groups
from app.metrics.measurement import Gauge, GaugeGroup, measure
from app.metrics.measurement_cache import SCRAPE_TIMEOUT
from app.metrics.server import build_registry
from app.runtime import build_runtime
from tests.support.databases import ask, record_statements
from tests.support.mail_servers import set_addresses
from tests.support.metrics_scrape import PREFIX, Scraper, serve_metrics
from tests.support.world import KEYS, Someone, World, make_consent, unwrap

AWAY = ("sqlite:////nowhere/at-all.db", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")


@pytest.fixture
def scraper(world: World) -> Iterator[Scraper]:
    with serve_metrics(world.runtime) as made:
        yield made


def requests(scraper: Scraper, method: str, route: str, status: int) -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return scraper.get_value("requests_total", **labels) or 0


def read_fresh_metric(world: World, name: str, **labels: str) -> float | None:
    """Return the current value of a metric; a scraped value might be some seconds old."""
    registry = build_registry(world.runtime, WATCHES)
    return registry.get_sample_value(f"{PREFIX}{name}", labels)


def test_a_request_is_counted_under_its_template_and_never_under_its_path(
    scraper: Scraper, officer: Someone
) -> None:
    case = officer.submit()
    before = requests(scraper, "GET", "/cases/{code}", 200)

    unwrap(officer.get(f"/cases/{case['code']}"))
    unwrap(officer.get(f"/cases/{case['code']}"))

    assert requests(scraper, "GET", "/cases/{code}", 200) == before + 2
    assert case["code"] not in scraper.ask().text
    assert scraper.get_value("request_seconds_count", route="/cases/{code}")


@pytest.mark.parametrize(("path", "status"), [("/sign-in", 200), ("/cases", 303)])
def test_a_page_of_the_console_is_counted_apart_from_the_operations(
    path: str, status: int, world: World, scraper: Scraper
) -> None:
    before = requests(scraper, "GET", f"/console{path}", status)

    world.http.get(f"/console{path}", follow_redirects=False)

    assert requests(scraper, "GET", f"/console{path}", status) == before + 1


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/v1/persons/oygul", ("GET", "none", 404)),
        ("OYGUL", "/v1/cases", ("other", "/cases", 405)),
        ("DELETE", "/v1/me", ("DELETE", "/me", 405)),
        ("GET", f"/v1/cases?x={'y' * 9000}", ("GET", "none", 414)),
    ],
)
def test_what_a_caller_makes_up_is_not_a_label(
    method: str, path: str, counted: tuple[str, str, int], world: World, scraper: Scraper
) -> None:
    before = requests(scraper, *counted)

    world.http.request(method, path)

    assert requests(scraper, *counted) == before + 1
    assert "oygul" not in scraper.ask().text.lower()


def test_a_clock_that_is_fired_is_counted_by_its_kind(
    world: World, scraper: Scraper, officer: Someone
) -> None:
    officer.submit()
    before = scraper.get_value("clocks_fired_total", kind="acknowledge")

    world.wait(hours=3)

    assert before is not None
    assert scraper.get_value("clocks_fired_total", kind="acknowledge") == before + 1


def test_a_worker_that_is_silent_shows_and_so_does_one_that_never_was(
    world: World,
) -> None:
    never = read_fresh_metric(world, "heartbeat_age_seconds", part="clocks")
    world.run_worker()

    world.advance(seconds=61)

    assert never == inf
    assert read_fresh_metric(world, "heartbeat_age_seconds", part="clocks") == 61


def test_clocks_that_nobody_looks_at_show(world: World, officer: Someone) -> None:
    officer.submit()
    world.advance(hours=3, minutes=1)
    officer.submit()

    overdue = (
        read_fresh_metric(world, "clocks_overdue"),
        read_fresh_metric(world, "clock_oldest_overdue_seconds"),
    )
    world.run_worker()
    after = (
        read_fresh_metric(world, "clocks_overdue"),
        read_fresh_metric(world, "clock_oldest_overdue_seconds"),
    )

    assert overdue == (1, 60)
    assert after == (0, 0)


def test_clocks_that_cannot_be_fired_show_until_they_can(
    world: World, officer: Someone, url: str
) -> None:
    officer.submit()
    before = read_fresh_metric(world, "clocks_failed_total", kind="acknowledge")
    ask(url, "ALTER TABLE firing RENAME TO firing_away")
    world.wait(hours=3)
    broken = read_fresh_metric(world, "clocks_failing")

    ask(url, "ALTER TABLE firing_away RENAME TO firing")
    world.wait(minutes=15)

    assert broken == 1
    assert read_fresh_metric(world, "clocks_failing") == 0
    assert before is not None
    assert read_fresh_metric(world, "clocks_failed_total", kind="acknowledge") == before + 1


def test_how_long_somebody_waits_to_be_acknowledged_shows(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    world.advance(minutes=10)
    officer.submit()
    world.advance(minutes=5)

    both = read_fresh_metric(world, "oldest_unacknowledged_seconds")
    unwrap(lead.does("acknowledge", case))

    assert both == 15 * 60
    assert read_fresh_metric(world, "oldest_unacknowledged_seconds") == 5 * 60


def test_cases_that_a_desk_lets_wait_show(world: World, officer: Someone) -> None:
    officer.submit()
    officer.submit(consents=[make_consent(focal_point="SANA_SEZIM")])
    world.wait(hours=3)
    at_desk = read_fresh_metric(world, "cases_late_at_a_desk")

    world.wait(hours=3)

    assert at_desk == 0
    assert read_fresh_metric(world, "cases_late_at_a_desk") == 2


@pytest.mark.parametrize("url", AWAY)
def test_without_a_database_a_scrape_says_so_and_still_tells_the_rest(url: str) -> None:
    with serve_metrics(build_runtime(url, KEYS)) as scraper:
        found = scraper.read_samples()

    names = {name for name, _ in found}
    assert found["database_up", frozenset()] == 0
    assert "clocks_fired_total" in names
    assert not {"clocks_overdue", "heartbeat_age_seconds"} & names


def test_a_database_that_hangs_holds_no_scrape_and_is_asked_once(world: World) -> None:
    free, looks = Event(), []

    def hang(session: Session, _: datetime) -> float:
        looks.append(session)
        free.wait(30)
        return 1

    hung = GaugeGroup[float](
        hang, (Gauge("hung", "A look that hangs.", lambda found: found),)
    )
    with serve_metrics(world.runtime, [hung]) as scraper:
        began = time.monotonic()
        answers = [scraper.get_value("database_up") for _ in range(2)]
        took = time.monotonic() - began
        free.set()
        deadline = time.monotonic() + 30
        while scraper.get_value("database_up") == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        mended = scraper.get_value("hung")

    assert answers == [0, 0]
    assert took < 2 * SCRAPE_TIMEOUT + 5
    assert mended == 1
    assert len(looks) == 1


def test_many_scrapes_are_one_short_look(world: World, scraper: Scraper) -> None:
    with record_statements(world.database) as statements:
        for _ in range(5):
            scraper.read_samples()

    assert 1 <= len([one for one in statements if "heartbeat" in one]) <= 2
    assert len(statements) < 20


def test_the_port_tells_metrics_to_those_who_ask_for_them_and_nothing_else(
    scraper: Scraper,
) -> None:
    with socket.create_connection(("127.0.0.1", scraper.port), timeout=5) as wire:
        wire.sendall(b"OYGUL /?name=oygul SPOKEN/9\r\n\r\n")
        garbled = b"".join(iter(lambda: wire.recv(4096), b""))
    posted, elsewhere = scraper.ask(method="POST"), scraper.ask("/oygul")
    samples = scraper.ask()

    assert (posted.status_code, elsewhere.status_code) == (501, 404)
    assert elsewhere.content == posted.content == b""
    assert b"oygul" not in garbled.lower()
    assert "Server" not in samples.headers
    assert samples.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_when_something_first_happened_is_not_told(scraper: Scraper) -> None:
    assert "_created" not in scraper.ask().text


def test_the_api_does_not_tell_metrics(world: World) -> None:
    answers = [world.http.get(path) for path in ("/metrics", "/v1/metrics", "/metrics/")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert "metrics" not in str(world.app.openapi()["paths"])


def test_notices_that_wait_show_without_whom_they_are_for(
    world: World, officer: Someone, tmp_path: Path
) -> None:
    set_addresses(world, tmp_path, KZ_LEAD="duty@lead.example")
    officer.submit(consents=[make_consent(), make_consent(focal_point="SANA_SEZIM")])
    before = read_fresh_metric(world, "outgoing_waiting")

    world.wait(hours=3)
    world.advance(minutes=7)

    assert before == 0
    assert read_fresh_metric(world, "outgoing_waiting") == 1
    assert (
        read_fresh_metric(world, "outgoing_oldest_waiting_seconds", way="email") == 7 * 60
    )
    assert read_fresh_metric(world, "outgoing_oldest_waiting_seconds", way="sms") == 0
    assert read_fresh_metric(world, "outgoing_dead") == 0


def test_a_key_that_ends_soon_is_counted_until_there_is_a_next_one(world: World) -> None:
    ends, goes_on, left = (world.add_person("KZ_LEAD") for _ in "123")
    with world.database.begin_write() as session:
        for one in (ends, goes_on, left):
            key = session.get_one(ApiKey, get_prefix(one.key))
            key.expires_at = world.now + timedelta(days=15)
        create_key(session, goes_on.actor.account_id, [Scope.FEED_READ], world.now)
        create_key(session, ends.actor.account_id, [Scope.FEED_READ], world.now, days=7)
        disable_account(session, left.actor.account_id, world.now)
    counted = [read_fresh_metric(world, "keys_ending")]

    world.advance(days=2)
    counted.append(read_fresh_metric(world, "keys_ending"))
    with world.database.begin_write() as session:
        create_key(session, ends.actor.account_id, [Scope.FEED_READ], world.now)
    counted.append(read_fresh_metric(world, "keys_ending"))
    world.advance(days=80)
    counted.append(read_fresh_metric(world, "keys_ending"))

    assert counted == [0, 1, 0, 2]


@pytest.mark.parametrize(("seconds", "well"), [(30, True), (-30, True), (31, False)])
def test_clocks_that_differ_are_told(world: World, seconds: int, *, well: bool) -> None:
    off = replace(world.runtime, clock=lambda: world.now + timedelta(seconds=seconds))
    with world.database.begin_read() as session:
        found = measure(list_gauge_groups(off), session, world.now)

    [one] = [it for it in found if it.gauge.name == "clock_difference_seconds"]
    assert (one.value, one.is_within_limit) == (abs(seconds), well)
