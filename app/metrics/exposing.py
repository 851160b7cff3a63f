"""Telling Prometheus, on a port of its own: never where the API is served (R77).

One scrape at a time: whoever floods the port keeps out the next scrape, and no case.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import groupby
from socket import AF_INET, AF_INET6
from threading import Thread
from typing import Any, Final, override

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.kernel.free_space import FreeSpace
from app.kernel.work import Ground
from app.metrics.counters import COUNTERS, NAMESPACE
from app.metrics.gauges import watches_of
from app.metrics.looking import Looker
from app.metrics.measuring import Gauge, Measured, Watch

log = structlog.get_logger("safe_conduct.metrics")
PATH: Final = "/metrics"
ABOUT_DATABASE: Final = (
    "1: the database answered within 2 s; 0: it did not, and what it would tell is missing."
)
ABOUT_SPACE: Final = (
    "Bytes that this process may still write beside the embedded database, the key file "
    "and the ledger of erasures."
)


class Gauges(Collector):
    """What the database tells, read when it is asked for."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Say whether the database answers, and what it says."""
        measured = self._looker.measured()
        name = f"{NAMESPACE}_database_up"
        yield GaugeMetricFamily(name, ABOUT_DATABASE, value=measured is not None)
        for gauge, ones in groupby(measured or (), lambda one: one.gauge):
            yield family(gauge, ones)


class SpaceGauge(Collector):
    """How much space is left on the disks of this machine, database or not."""

    def __init__(self, free_space: FreeSpace) -> None:
        self._free_space = free_space

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Measure anew: that costs a system call for each place."""
        gauge = GaugeMetricFamily(f"{NAMESPACE}_free_bytes", ABOUT_SPACE, labels=["place"])
        for place, free in self._free_space.measure().items():
            gauge.add_metric([place], free)
        yield gauge


def family(gauge: Gauge[Any], measured: Iterator[Measured]) -> GaugeMetricFamily:
    """Spell a gauge as Prometheus reads it."""
    labels = [gauge.label] if gauge.label else []
    spelled = GaugeMetricFamily(f"{NAMESPACE}_{gauge.name}", gauge.about, labels=labels)
    for one in measured:
        spelled.add_metric([one.of] if one.of else [], one.value)
    return spelled


def registry_of(ground: Ground, watches: Sequence[Watch[Any]]) -> CollectorRegistry:
    """Bring together all that is exposed; of the process itself nothing is told."""
    registry = CollectorRegistry()
    for counter in COUNTERS:
        registry.register(counter)
    registry.register(Gauges(Looker(ground, watches)))
    registry.register(SpaceGauge(ground.free_space))
    return registry


class Scraped(BaseHTTPRequestHandler):
    """One scrape; it repeats nothing of what it is sent, and says no version."""

    timeout = 5
    server: "Scrapes"

    def do_GET(self) -> None:
        """Answer with everything, or with nothing."""
        if self.path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.answer(HTTPStatus.OK, generate_latest(self.server.registry))

    def answer(self, status: int, body: bytes) -> None:
        """Send an answer."""
        self.send_response_only(status)
        self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        self.answer(code, b"")

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of scrapes."""


class Scrapes(HTTPServer):
    """The port that Prometheus asks."""

    def __init__(self, host: str, port: int) -> None:
        """Take the port; raises OSError."""
        self.registry = CollectorRegistry()
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), Scraped)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Note that a scrape broke off; the scraper knows."""
        log.warning("scrape.failed", error=type(sys.exception()).__name__)


@contextmanager
def exposed(
    scrapes: Scrapes, ground: Ground, watches: Sequence[Watch[Any]] | None = None
) -> Iterator[None]:
    """Answer scrapes as long as the block lasts; then let go of the port."""
    with scrapes:
        scrapes.registry = registry_of(
            ground, watches_of(ground) if watches is None else watches
        )
        Thread(target=scrapes.serve_forever, daemon=True).start()
        log.info("metrics", port=scrapes.server_port)
        try:
            yield
        finally:
            scrapes.shutdown()
