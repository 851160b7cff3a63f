"""Simulated offices, which poll their feeds, act and misbehave."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from httpx2 import Response

from tests.simulation.decisions import (
    ENDED,
    PlannedRequest,
    RecordView,
    assess_risk,
    choose_request,
)
from tests.simulation.forbidden_requests import (
    open_any_section,
    require_no_access,
    send_forbidden,
)
from tests.simulation.world import Deed, Scene
from tests.support.world import Json, Someone

ENOUGH: Final = 4
"""Maximum number of actions of an office on one record at a time."""
CURIOUS: Final = 0.1
"""Probability that an office tries to open a section of any case."""
VAIN: Final = 0.1
"""Probability of a poll without new events; it is low, because such a poll takes time."""
PAGE: Final = 20
RECORDS: Final = ("cases/", "referrals/", "handovers/")


@dataclass(frozen=True)
class Temper:
    """The behaviour of an office: its delays in hours, and its rates of misbehaviour."""

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
    """An office with its accounts and the events that it has received."""

    def __init__(self, scene: Scene, office: str, temper: Temper) -> None:
        self.scene, self.office, self.temper = scene, office, temper
        self.worker = scene.get_person(scene.stage.workers[office])
        self.received: list[str] = []
        """The ids of the received events, in order of receipt."""
        self.positions = self.head = 0
        self.todo: dict[str, None] = {}
        self.known_records: dict[str, Json] = {}
        self.next_look_at: datetime | None = None
        self.unanswered: dict[str, Deed] = {}

    @property
    def now(self) -> Temper:
        """The current behaviour of the office. In the final phase, it responds promptly."""
        return replace(PROMPT, declines=0.02) if self.scene.calm else self.temper

    @property
    def second(self) -> Someone:
        return self.scene.get_person(self.scene.stage.seconds[self.office])

    # When it acts.

    def schedule_look(self, head: int) -> None:
        """Schedule a poll if the office has new events or an unfinished record."""
        temper, self.head = self.now, head
        busy = self.todo or head > self.positions
        if not (temper.answers and busy) or self.next_look_at:
            return
        delay = self.scene.draw_hours(temper.soonest, temper.latest)
        if self.scene.is_likely(temper.away):
            delay += timedelta(days=self.scene.chance.uniform(1, 9))
        self.next_look_at = self.scene.now + delay
        self.scene.schedule(delay, f"{self.office} looks", self.run)

    def run(self) -> None:
        """Poll, act on new and unfinished records, and perhaps misbehave."""
        self.next_look_at = None
        if self.head > self.positions or self.scene.is_likely(VAIN):
            self.poll()
        for subject in list(self.todo):
            self.handle_record(subject)
        if self.received and self.scene.is_likely(CURIOUS):
            open_any_section(self.scene, self.worker)
        if self.scene.is_likely(self.now.lies):
            send_forbidden(self.scene, self.worker, self.known_records)

    def poll(self) -> None:
        """Read the feed to the end, starting from the cursor of the office."""
        more = True
        while more:
            query: Json = {"limit": PAGE}
            if self.worker.cursor:
                query["after"] = self.worker.cursor
            answer = self.scene.send(self.worker, "GET", "/events", params=query)
            if answer is None or answer.is_error:
                return
            page = answer.json()
            for event in page["items"]:
                self.receive(event)
            self.worker.cursor, more = page["cursor"], page["more"]

    def receive(self, event: Json) -> None:
        self.received.append(event["id"])
        self.positions += 1
        if event["subject"].startswith(RECORDS) and event["by"] != self.office:
            self.todo[event["subject"]] = None

    def handle_record(self, subject: str) -> None:
        """Read a record and act on it. An unfinished record is handled again later."""
        del self.todo[subject]
        answer = self.scene.send(self.worker, "GET", f"/{subject}")
        if answer is None or answer.is_error:
            return
        record = answer.json()
        if record["state"] in ENDED and "case" in record:
            require_no_access(self.scene, self.worker, record["case"])
        for _ in range(ENOUGH):
            self.known_records[subject] = record
            look = RecordView(self.scene, self.worker, self.now.declines, subject, record)
            wish = choose_request(look)
            if wish is None:
                return
            done = self.does(wish, look)
            if done is None:
                return
            record = done
            if not self.scene.calm and self.scene.is_likely(0.4):
                break
        self.todo[subject] = None

    # Requests.

    def does(self, wish: PlannedRequest, look: RecordView) -> Json | None:
        """Send a request. Return the changed record, or None if no response contains it."""
        answer = self.send(self.make_deed(wish))
        if answer is None:
            return None
        if answer.status_code == 409 and "risk_current" in answer.text:
            self.send(self.make_deed(assess_risk(look)))
        if answer.status_code == 202:
            return self.does_with_second(wish, answer.json()["id"])
        if not answer.is_success or not answer.content:
            return None
        shown: Json = answer.json()
        return shown if shown.keys() == look.record.keys() else None

    def make_deed(self, wish: PlannedRequest, approval: str | None = None) -> Deed:
        tag = f'"{wish.version}.{"0" * 16}"' if wish.version is not None else None
        key = str(self.scene.ids())
        event, about = wish.event, wish.subject
        return Deed(self.worker, wish.path, wish.body, key, tag, approval, event, about)

    def does_with_second(self, wish: PlannedRequest, asked: str) -> Json | None:
        """Let a second person decide. If that person approves, repeat the request."""
        word = "approve" if self.scene.calm or self.scene.is_likely(0.8) else "refuse"
        said = self.scene.send(self.second, "POST", f"/approvals/{asked}/{word}")
        if said is None or said.is_error or word == "refuse":
            return None
        answer = self.send(self.make_deed(wish, asked))
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def send(self, deed: Deed) -> Response | None:
        """Send a request. Retry later if no response comes. Sometimes send a duplicate."""
        answer = self.scene.send_deed(deed)
        if answer is None:
            self.unanswered[deed.key] = deed
            self.scene.schedule(
                self.scene.draw_hours(0.01, 1), "a retry", self.make_retry(deed)
            )
            return None
        if answer.is_success:
            self.unanswered.pop(deed.key, None)
        if answer.is_success and self.scene.is_likely(self.now.doubles):
            self.send_again(deed)
        return answer

    def make_retry(self, deed: Deed) -> Callable[[], None]:

        def retry() -> None:
            self.send(deed)

        return retry

    def send_again(self, deed: Deed) -> None:
        """Repeat a request now and later, and sometimes reuse its key for another body."""
        scene = self.scene
        scene.tally.counts["sent twice"] += 1
        scene.send_deed(deed)
        scene.schedule(scene.draw_hours(1, 200), "a late repetition", self.make_retry(deed))
        if scene.is_likely(0.3):
            before, other = scene.count_entries(), {"note": "another body"}
            headers = deed.make_headers()
            answer = scene.send(self.worker, "POST", deed.path, body=other, headers=headers)
            refused = answer is not None and answer.status_code in {401, 403, 404, 422}
            scene.require(refused, f"{deed.path}: a key was accepted for two requests")
            scene.require(
                scene.count_entries() == before,
                f"{deed.path}: the second request had an effect",
            )


def draw_tempers(scene: Scene) -> dict[str, Temper]:
    """Draw the behaviour of each office. In some seeds only the desks answer."""
    offices = scene.watched
    if scene.is_likely(0.12):
        scene.log("only the desks answer")
        desks = {one for one in offices if one.startswith("DESK")}
        return {one: TEMPERS[1] if one in desks else SILENT for one in offices}
    weights: list[Any] = [8, 3, 2, 3, 3, 2]
    return {one: scene.chance.choices(TEMPERS, weights)[0] for one in offices}
