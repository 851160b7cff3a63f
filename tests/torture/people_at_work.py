"""People who work with the service while its keys are replaced."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

import httpx2

from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER
from tests.bench.servers import Keys
from tests.bench.sides import BODY, NEEDS

REAL: Final = 200
"""The number of cases that are submitted before the copies are made."""
PAUSE: Final = 0.02
"""Seconds between two requests of a person."""


@dataclass
class Load:
    """People who submit, read and open cases, and poll a feed."""

    port: int
    keys: Keys
    codes: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def make_client(self, account: Any) -> httpx2.Client:
        """Return an HTTP client for an account."""
        headers = {"Authorization": f"Bearer {self.keys[account]}"}
        return httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}/v1", headers=headers, timeout=60
        )

    def record(self, what: str, answer: httpx2.Response) -> bool:
        """Count a response, store it if it is an error, and return whether it succeeded."""
        self.done[what] += 1
        if not answer.is_success:
            self.errors.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return bool(answer.is_success)

    def submit(self, client: httpx2.Client) -> str | None:
        """Submit a case, and return its code, or None if the response is an error."""
        key = {"Idempotency-Key": f"{random.getrandbits(96):024x}"}
        answer = client.post("/cases", json=BODY, headers=key)
        return str(answer.json()["code"]) if self.record("submit", answer) else None

    def open_case(self, client: httpx2.Client, code: str) -> None:
        """Open the section `needs` of a case, and record an error if its text is wrong."""
        purpose = {"Purpose": "assistance"}
        answer = client.get(f"/cases/{code}/sections/needs", headers=purpose)
        if not self.record("open", answer):
            return
        if answer.json()["content"]["summary"].strip() != NEEDS.strip():
            self.errors.append(f"open: another text in {code}")

    def run_officer(self) -> None:
        """Submit cases until the load ends, so that some cases use each new key."""
        with self.make_client(UZ_OFFICER) as client:
            while not self.over.is_set():
                if code := self.submit(client):
                    self.codes.append(code)
                time.sleep(PAUSE)

    def run_lead(self) -> None:
        """Until the load ends, open an old case and the newest one, and read any case."""
        chance = random.Random(1)
        with self.make_client(KZ_LEAD) as client:
            while not self.over.is_set():
                self.open_case(client, chance.choice(self.codes[:REAL]))
                self.open_case(client, self.codes[-1])
                code = chance.choice(self.codes)
                self.record("read", client.get(f"/cases/{code}"))
                time.sleep(PAUSE)

    def run_poller(self) -> None:
        """Poll the feed page by page until the load ends."""
        with self.make_client(KZ_LEAD) as client:
            query: dict[str, Any] = {"limit": 200}
            while not self.over.is_set():
                answer = client.get("/events", params=query)
                if self.record("poll", answer):
                    query["after"] = answer.json()["cursor"]
                time.sleep(PAUSE)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Let all people work while the context is open."""
        parts = (self.run_officer, self.run_lead, self.run_poller)
        with ThreadPoolExecutor(len(parts)) as pool:
            working = [pool.submit(part) for part in parts]
            try:
                yield
            finally:
                self.over.set()
            for one in working:
                one.result()
