"""A scrape of the metrics, as Prometheus does it, on a real port."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from app.kernel.work import Ground
from app.metrics.exposing import Scrapes, exposed
from app.metrics.measuring import Watch

PREFIX: Final = "safe_conduct_"

type Labels = frozenset[tuple[str, str]]


@dataclass
class Scraper:
    """The part of Prometheus that reads metrics."""

    port: int

    def ask(self, path: str = "/metrics", method: str = "GET") -> httpx2.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx2.request(method, url, timeout=30, trust_env=False)

    def scrapes(self) -> Mapping[tuple[str, Labels], float]:
        """Return every sample by its name without the prefix, and its labels."""
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

    def value(self, name: str, **labels: str) -> float | None:
        """Return one sample, or None."""
        return self.scrapes().get((name, frozenset(labels.items())))


@contextmanager
def scraped(
    ground: Ground, watches: Sequence[Watch[Any]] | None = None
) -> Iterator[Scraper]:
    """Expose metrics on a free port of this machine, and yield a scraper."""
    scrapes = Scrapes("127.0.0.1", 0)
    with exposed(scrapes, ground, watches):
        yield Scraper(scrapes.server_port)
