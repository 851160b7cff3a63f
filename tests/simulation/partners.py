"""Offices as state machines: when they poll, what they do, and how they misbehave."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from httpx2 import Response

from tests.simulation.deciding import ENDED, Look, Wish, assessing, choose
from tests.simulation.lying import lie, must_be_out, pries
from tests.simulation.world import Deed, Scene
from tests.support.world import Json, Someone

ENOUGH: Final = 4
"""Most actions on one record at one time."""
CURIOUS: Final = 0.1
"""Probability that an office tries to open a section of any case."""
VAIN: Final = 0.1
"""Probability of a poll without news, which finds nothing and costs time."""
PAGE: Final = 20
RECORDS: Final = ("cases/", "referrals/", "handovers/")


@dataclass(frozen=True)
class Temper:
    """How an office behaves: how late it answers, and how often it misbehaves."""

    name: str
    soonest: float
    latest: float
    lies: float = 0.0
    doubles: float = 0.0
    away: float = 0.0
    declines: float = 0.1
    answers: bool = True


PROMPT: Final = Temper("prompt", 0.05, 1.5)
SILENT: Final = Temper("silent", 0, 0, answers=False)
TEMPERS: Final = (
    PROMPT,
    Temper("slow", 2, 70, declines=0.2),
    SILENT,
    Temper("lying", 0.1, 12, lies=0.7),
    Temper("duplicating", 0.1, 6, doubles=0.8),
    Temper("offline", 0.5, 8, away=0.35),
)


class Partner:
    """One office with its accounts, and what it has received."""

    def __init__(self, scene: Scene, office: str, temper: Temper) -> None:
        self.scene, self.office, self.temper = scene, office, temper
        self.worker = scene.someone_of(scene.stage.workers[office])
        self.heard: list[str] = []
        """The ids of the events that it received, in their order."""
        self.positions = self.head = 0
        self.todo: dict[str, None] = {}
        self.remembers: dict[str, Json] = {}
        self.waits_for: datetime | None = None
        self.unsure: dict[str, Deed] = {}

    @property
    def now(self) -> Temper:
        """Its temper, which is prompt once all is calm."""
        return replace(PROMPT, declines=0.02) if self.scene.calm else self.temper

    @property
    def second(self) -> Someone:
        return self.scene.someone_of(self.scene.stage.seconds[self.office])

    # When it acts.

    def is_called(self, head: int) -> None:
        """Schedule a look if there is any news."""
        temper, self.head = self.now, head
        busy = self.todo or head > self.positions
        if not (temper.answers and busy) or self.waits_for:
            return
        delay = self.scene.hours(temper.soonest, temper.latest)
        if self.scene.likely(temper.away):
            delay += timedelta(days=self.scene.chance.uniform(1, 9))
        self.waits_for = self.scene.now + delay
        self.scene.later(delay, f"{self.office} looks", self.wakes)

    def wakes(self) -> None:
        """Poll, and act on the records that are new or were left over."""
        self.waits_for = None
        if self.head > self.positions or self.scene.likely(VAIN):
            self.polls()
        for subject in list(self.todo):
            self.looks_at(subject)
        if self.heard and self.scene.likely(CURIOUS):
            pries(self.scene, self.worker)
        if self.scene.likely(self.now.lies):
            lie(self.scene, self.worker, self.remembers)

    def polls(self) -> None:
        """Read the feed from its own cursor to the end."""
        more = True
        while more:
            query: Json = {"limit": PAGE}
            if self.worker.cursor:
                query["after"] = self.worker.cursor
            answer = self.scene.asks(self.worker, "GET", "/events", params=query)
            if answer is None or answer.is_error:
                return
            page = answer.json()
            for event in page["items"]:
                self.hears(event)
            self.worker.cursor, more = page["next"], page["more"]

    def hears(self, event: Json) -> None:
        self.heard.append(event["id"])
        self.positions += 1
        if event["subject"].startswith(RECORDS) and event["by"] != self.office:
            self.todo[event["subject"]] = None

    def looks_at(self, subject: str) -> None:
        """Read a record, and act on it; an unfinished record is kept for later."""
        del self.todo[subject]
        answer = self.scene.asks(self.worker, "GET", f"/{subject}")
        if answer is None or answer.is_error:
            return
        record = answer.json()
        if record["state"] in ENDED and "case" in record:
            must_be_out(self.scene, self.worker, record["case"])
        for _ in range(ENOUGH):
            self.remembers[subject] = record
            look = Look(self.scene, self.worker, self.now.declines, subject, record)
            wish = choose(look)
            if wish is None:
                return
            done = self.does(wish, look)
            if done is None:
                return
            record = done
            if not self.scene.calm and self.scene.likely(0.4):
                break
        self.todo[subject] = None

    # Requests.

    def does(self, wish: Wish, look: Look) -> Json | None:
        """Send a request; return the record as it is then, or None to look again later."""
        answer = self.sends(self.deed(wish))
        if answer is None:
            return None
        if answer.status_code == 409 and "risk_current" in answer.text:
            self.sends(self.deed(assessing(look)))
        if answer.status_code == 202:
            return self.does_with_second(wish, answer.json()["id"])
        if not answer.is_success or not answer.content:
            return None
        shown: Json = answer.json()
        return shown if shown.keys() == look.record.keys() else None

    def deed(self, wish: Wish, approval: str | None = None) -> Deed:
        tag = f'"{wish.version}.{"0" * 16}"' if wish.version is not None else None
        key = str(self.scene.ids())
        event, about = wish.event, wish.about
        return Deed(self.worker, wish.path, wish.body, key, tag, approval, event, about)

    def does_with_second(self, wish: Wish, asked: str) -> Json | None:
        """Let a second person decide, and repeat the request if it was approved."""
        word = "approve" if self.scene.calm or self.scene.likely(0.8) else "refuse"
        said = self.scene.asks(self.second, "POST", f"/approvals/{asked}/{word}")
        if said is None or said.is_error or word == "refuse":
            return None
        answer = self.sends(self.deed(wish, asked))
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def sends(self, deed: Deed) -> Response | None:
        """Send a request; repeat it if no answer came, or if the temper is to repeat."""
        answer = self.scene.sends(deed)
        if answer is None:
            self.unsure[deed.key] = deed
            self.scene.later(self.scene.hours(0.01, 1), "a retry", self.again(deed))
            return None
        if answer.is_success:
            self.unsure.pop(deed.key, None)
        if answer.is_success and self.scene.likely(self.now.doubles):
            self.repeats(deed)
        return answer

    def again(self, deed: Deed) -> Callable[[], None]:

        def retry() -> None:
            self.sends(deed)

        return retry

    def repeats(self, deed: Deed) -> None:
        """Repeat a request at once and much later, and reuse its key for another body."""
        scene = self.scene
        scene.tally.counts["sent twice"] += 1
        scene.sends(deed)
        scene.later(scene.hours(1, 200), "a late repetition", self.again(deed))
        if scene.likely(0.3):
            before, other = scene.entries(), {"note": "another body"}
            headers = deed.headers()
            answer = scene.asks(self.worker, "POST", deed.path, body=other, headers=headers)
            refused = answer is not None and answer.status_code in {401, 403, 404, 422}
            scene.must(refused, f"{deed.path}: a key was accepted for two requests")
            scene.must(
                scene.entries() == before, f"{deed.path}: the second request had an effect"
            )

    def opens(self, path: str) -> Response | None:
        """Open a sealed document."""
        headers = {"Purpose": "assistance"}
        return self.scene.asks(self.worker, "GET", path, headers=headers)


def tempers(scene: Scene) -> dict[str, Temper]:
    """Draw the temper of each office; in some seeds only the desks ever answer."""
    offices = scene.watched
    if scene.likely(0.12):
        scene.say("only the desks answer")
        desks = {one for one in offices if one.startswith("DESK")}
        return {one: TEMPERS[1] if one in desks else SILENT for one in offices}
    weights: list[Any] = [8, 3, 2, 3, 3, 2]
    return {one: scene.chance.choices(TEMPERS, weights)[0] for one in offices}
