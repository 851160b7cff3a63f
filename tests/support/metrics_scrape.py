"""A scrape of the metrics on a real port, as Prometheus does it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from app.kernel.transactions import Runtime
from app.metrics.measurement import GaugeGroup
from app.metrics.server import MetricsServer, run_metrics_server

PREFIX: Final = "safe_conduct_"

type Labels = frozenset[tuple[str, str]]


@dataclass
class Scraper:
    """A client that reads metrics as Prometheus does."""

    port: int

    def ask(self, path: str = "/metrics", method: str = "GET") -> httpx2.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx2.request(method, url, timeout=30, trust_env=False)

    def read_samples(self) -> Mapping[tuple[str, Labels], float]:
        """Return every sample by its name, without the prefix, and by its labels."""
        answer = self.ask()
        assert answer.status_code == 200
        return {
            (
                sample.name.removeprefix(PREFIX),
                frozenset(sample.labels.items()),
            ): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def get_value(self, name: str, **labels: str) -> float | None:
        """Return the value of a sample, or None if there is no such sample."""
        return self.read_samples().get((name, frozenset(labels.items())))


@contextmanager
def serve_metrics(
    runtime: Runtime, watches: Sequence[GaugeGroup[Any]] | None = None
) -> Iterator[Scraper]:
    """Serve metrics on a free port of this machine, and yield a client that reads them."""
    scrapes = MetricsServer("127.0.0.1", 0)
    with run_metrics_server(scrapes, runtime, watches):
        yield Scraper(scrapes.server_port)
