"""The load during the drill: clients that submit, answer, discard drafts and poll."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Final

import httpx2

from tests.support.servers import make_client
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_service_consent,
    unwrap,
)

WRITERS: Final = 3
YEAR: Final = timedelta(days=300)


def build_dated_consents(now: datetime) -> Json:
    """Return the consents of a case, which are dated today and end after 300 days."""
    dated = {
        "obtained_on": f"{now:%Y-%m-%d}",
        "expires_at": f"{now + YEAR:%Y-%m-%dT%H:%M:%SZ}",
    }
    return {"consents": [make_consent(**dated), make_service_consent(**dated)]}


@dataclass
class Acknowledged:
    """A case that the service has acknowledged, and the time of the response."""

    code: str
    at: datetime


@dataclass
class Load:
    """An officer who submits and discards cases, and a lead that polls and accepts them."""

    officer: Someone
    lead: Someone
    submitted: list[Acknowledged] = field(default_factory=list)
    drafts: list[Json] = field(default_factory=list)
    discarded: list[Acknowledged] = field(default_factory=list)
    heard: list[Json] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def submits(self) -> None:
        """Submit cases one after another until stopped."""
        while not self.over.is_set():
            case = self.officer.submit(**build_dated_consents(datetime.now(UTC)))
            self.submitted.append(Acknowledged(case["code"], datetime.now(UTC)))

    def drafts_some(self, many: int) -> None:
        """Create `many` drafts, which may be discarded later."""
        for _ in range(many):
            written = self.officer.create_case(**build_dated_consents(datetime.now(UTC)))
            self.drafts.append(unwrap(written))

    def discards(self, many: int) -> None:
        """Discard `many` drafts, which destroys their keys."""
        for _ in range(many):
            draft = self.drafts.pop()
            unwrap(self.officer.does("discard", draft))
            self.discarded.append(Acknowledged(draft["code"], datetime.now(UTC)))

    def answers(self) -> None:
        """Poll for cases, and accept the lead of some of these cases."""
        while not self.over.is_set():
            news = self.lead.poll()
            self.heard += news
            for event in [one for one in news if one["type"] == "case.submitted"][:1]:
                code = str(event["subject"]).removeprefix("cases/")
                self.lead.take_lead({"code": code})
            time.sleep(0.05)

    def grows(self, many: int, patience: float = 60) -> None:
        """Wait until `many` more cases are submitted."""
        due, last = len(self.submitted) + many, time.monotonic() + patience
        while len(self.submitted) < due:
            assert time.monotonic() < last, f"{len(self.submitted)} of {due} cases"
            time.sleep(0.02)


@contextmanager
def working(load: Load, dies: Callable[[], None]) -> Iterator[None]:
    """Run all clients during the block, and kill the service at the end of the block."""
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        acts = [load.submits] * WRITERS + [load.answers]
        each = [pool.submit(partial(run_until_cut_off, act)) for act in acts]
        try:
            yield
        finally:
            dies()
            load.over.set()
        for one in each:
            one.result()


def run_until_cut_off(act: Callable[[], None]) -> None:
    """Run an action, and ignore the error if the connection is cut off."""
    with suppress(httpx2.TransportError):
        act()


def people(world: World, port: int) -> Load:
    """Create the accounts that put load on the service at a port."""
    world.http.close()
    world.http = make_client(port)
    return Load(world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD"))
