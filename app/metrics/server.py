"""An HTTP server for Prometheus metrics, on a different port from the API (R77).

The server answers one scrape at a time, so a flood of scrapes does not delay the API.
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
from app.kernel.transactions import Runtime
from app.metrics.counters import COUNTERS, NAMESPACE
from app.metrics.gauges import list_gauge_groups
from app.metrics.measurement import Gauge, GaugeGroup, GaugeValue
from app.metrics.measurement_cache import MeasurementCache

log = structlog.get_logger("safe_conduct.metrics")
PATH: Final = "/metrics"
ABOUT_DATABASE: Final = (
    "1: the database answered within 2 s; 0: it did not, and its gauges are missing."
)
ABOUT_SPACE: Final = (
    "Free bytes for this process on the file systems of the embedded database, the key "
    "file and the ledger of erasures."
)


class DatabaseGauges(Collector):
    """The gauges that are measured in the database. A scrape reads them from a cache."""

    def __init__(self, cache: MeasurementCache) -> None:
        self._cache = cache

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a gauge for the state of the database, and the gauges read from it."""
        measured = self._cache.get_values()
        name = f"{NAMESPACE}_database_up"
        yield GaugeMetricFamily(name, ABOUT_DATABASE, value=measured is not None)
        for gauge, values in groupby(measured or (), lambda value: value.gauge):
            yield build_family(gauge, values)


class SpaceGauge(Collector):
    """The gauge of free disk space on this machine, which works without the database."""

    def __init__(self, free_space: FreeSpace) -> None:
        self._free_space = free_space

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the free space, measured with one system call for each watched file."""
        gauge = GaugeMetricFamily(f"{NAMESPACE}_free_bytes", ABOUT_SPACE, labels=["place"])
        for place, free in self._free_space.measure().items():
            gauge.add_metric([place], free)
        yield gauge


def build_family(gauge: Gauge[Any], measured: Iterator[GaugeValue]) -> GaugeMetricFamily:
    """Return a gauge and its values as a Prometheus metric family."""
    labels = [gauge.label] if gauge.label else []
    metric = GaugeMetricFamily(f"{NAMESPACE}_{gauge.name}", gauge.about, labels=labels)
    for value in measured:
        metric.add_metric([value.label_value] if value.label_value else [], value.value)
    return metric


def build_registry(
    runtime: Runtime, watches: Sequence[GaugeGroup[Any]]
) -> CollectorRegistry:
    """Return a registry of all metrics, without those of the process itself."""
    registry = CollectorRegistry()
    for counter in COUNTERS:
        registry.register(counter)
    registry.register(DatabaseGauges(MeasurementCache(runtime, watches)))
    registry.register(SpaceGauge(runtime.free_space))
    return registry


class ScrapeHandler(BaseHTTPRequestHandler):
    """The handler of scrapes. Responses never repeat the request or reveal a version."""

    timeout = 5
    server: "MetricsServer"

    def do_GET(self) -> None:
        """Send the metrics for the path `/metrics`, and status 404 for any other path."""
        if self.path != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.answer(HTTPStatus.OK, generate_latest(self.server.registry))

    def answer(self, status: int, body: bytes) -> None:
        """Send a response."""
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
        """Log nothing."""


class MetricsServer(HTTPServer):
    """The server that Prometheus scrapes."""

    def __init__(self, host: str, port: int) -> None:
        """Bind the port, or raise OSError."""
        self.registry = CollectorRegistry()
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), ScrapeHandler)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Log that a scrape was interrupted."""
        log.warning("scrape.failed", error=type(sys.exception()).__name__)


@contextmanager
def run_metrics_server(
    scrapes: MetricsServer,
    runtime: Runtime,
    watches: Sequence[GaugeGroup[Any]] | None = None,
) -> Iterator[None]:
    """Serve the metrics while the block runs, then close the port."""
    with scrapes:
        groups = list_gauge_groups(runtime) if watches is None else watches
        scrapes.registry = build_registry(runtime, groups)
        Thread(target=scrapes.serve_forever, daemon=True).start()
        log.info("metrics", port=scrapes.server_port)
        try:
            yield
        finally:
            scrapes.shutdown()
