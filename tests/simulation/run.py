"""One seed: a storm, then calm, then years without new cases; and the checks in each."""

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select

from app.webhooks.models import Webhook
from tests.simulation import endings
from tests.simulation.cast import Stage
from tests.simulation.invariants import check
from tests.simulation.network import Postmen, Receiver
from tests.simulation.partners import SILENT, Partner, tempers
from tests.simulation.people import Administrators, Officer
from tests.simulation.worker import Worker
from tests.simulation.world import Broken, Scene
from tests.support.webhook_receivers import hooked

STEPS: Final = 60
"""Most steps of a storm."""
PATIENCE: Final = timedelta(days=250)
"""Time in which every case ends once all offices answer."""
LAST: Final = 30
"""Lines of the trace that are shown for a failed seed."""
HEADS: Final = """
    SELECT f.code, m.head FROM mailbox m JOIN focal_point f ON f.id = m.focal_point_id
"""


@dataclass
class Result:
    """The result of a seed."""

    seed: int
    digest: str = ""
    steps: int = 0
    days: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    crashes: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    broken: str = ""
    at: str = ""
    """When it failed, by the clock of the seed."""
    whole: list[str] = field(default_factory=list)
    """The trace: one line for each thing that happened."""

    @property
    def trace(self) -> list[str]:
        """The end of the trace."""
        return self.whole[-LAST:]


class Play:
    """All actors of a seed, and the order of their steps."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.steps = scene, 0
        drawn = tempers(scene)
        self.silent = sum(one is SILENT for one in drawn.values()) > len(drawn) - 3
        self.partners = {one: Partner(scene, one, how) for one, how in drawn.items()}
        self.postmen = Postmen(scene, scene.chance.choice([0, 0, 0.3, 0.6]))
        self.receiver = Receiver(scene, scene.chance.choice([0, 0.4, 0.9]))
        self.worker = Worker(scene, self.postmen, self.receiver)
        self.administrators = Administrators(scene, self.partners, self.worker_is_poked)
        self.hook = self.opens_webhook()

    def worker_is_poked(self) -> None:
        self.worker.poked = True

    def opens_webhook(self) -> str:
        """Open a webhook for one office in some seeds."""
        office = self.scene.chance.choice(["KZ_LEAD", "KZ_SHELTER_KOGERSHIN"])
        if self.scene.likely(0.25):
            hooked(self.scene, office)
        return office

    def runs(self) -> None:
        """Play the seed to its end."""
        Officer(self.scene, self.partners).plans()
        if not self.silent:
            self.administrators.plans()
        self.storms()
        self.calms()
        self.outlasts()
        self.ends()

    # Steps.

    def steps_once(self) -> bool:
        """Perform the next step; return False if there is none."""
        scene, worker_at = self.scene, self.worker.next_at()
        agenda_at = scene.agenda[0][0] if scene.agenda else None
        looked = None
        if worker_at is not None and (agenda_at is None or worker_at <= agenda_at):
            scene.now = max(scene.now, worker_at)
            looked = self.worker.looked_at if self.worker.looks() else None
        elif agenda_at is not None:
            name, step = scene.next_step()
            scene.say(f"-- {name}")
            step()
        else:
            return False
        self.steps += 1
        check(scene, looked)
        self.calls()
        return True

    def calls(self) -> None:
        """Let each office with news schedule a look."""
        heads = dict(self.scene.rows(HEADS))
        for office, partner in self.partners.items():
            partner.is_called(heads.get(office, 0))

    def storms(self) -> None:
        scene = self.scene
        days = 24 if self.silent else scene.chance.uniform(15, 45)
        over = scene.now + timedelta(days=days)
        most = 3 * STEPS if self.silent else STEPS
        while scene.now < over and self.steps < most and self.steps_once():
            pass
        if self.silent and scene.now >= over:
            endings.silence_was_told(scene)

    def calms(self) -> None:
        """Make all offices active and prompt, until every case has ended."""
        scene = self.scene
        scene.say("-- calm: every office answers from now on")
        scene.calm, self.worker.away_until = True, scene.now
        self.administrators.switches_on()
        with scene.by_itself() as work:
            wake_webhooks(work)
        for partner in self.partners.values():
            partner.waits_for = None
        self.calls()
        last = scene.now + PATIENCE
        while self.is_open() and self.steps_once():
            scene.must(scene.now < last, "a case does not end, though every office answers")
        scene.must(not self.is_open(), "a case does not end, and nothing happens")

    def is_open(self) -> int:
        return int(self.scene.one(OPEN))

    def outlasts(self) -> None:
        """Let time pass until every ended case is erased."""
        last = self.scene.now + timedelta(days=1500)
        while self.steps_once():
            self.scene.must(self.scene.now < last, "the steps do not end")

    def ends(self) -> None:
        scene = self.scene
        heads = dict(scene.rows(HEADS))
        for office, partner in self.partners.items():
            if partner.positions < heads[office]:
                partner.polls()
        endings.feeds_are_whole(scene, self.partners)
        endings.everybody_heard(scene)
        unsure = [one for p in self.partners.values() for one in p.unsure.values()]
        endings.nothing_is_lost(scene, unsure)
        endings.all_has_left(scene, self.postmen, self.receiver, self.hook)
        self.worker.looks()
        found = self.worker.ledger.found()
        named = frozenset(one.hex for one in found.erased) if found else frozenset()
        endings.all_is_erased(scene, named)


ALL_WEBHOOKS: Final = select(Webhook).where(Webhook.paused_at.is_not(None))
OPEN: Final = """
    SELECT count(*) FROM "case" WHERE state NOT IN ('closed', 'void', 'erased')
"""


def wake_webhooks(work: Any) -> None:
    """Resume the paused webhooks, as their office would."""
    for webhook in work.session.scalars(ALL_WEBHOOKS):
        webhook.paused_at, webhook.stalled = None, False
        webhook.failures, webhook.failing_since, webhook.due_at = 0, None, work.now


@contextmanager
def quiet() -> Iterator[None]:
    """Turn the log of the service off, as a run is read from its trace."""
    before = structlog.get_config()
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    try:
        yield
    finally:
        structlog.configure(**before)


def play(stage: Stage, seed: int) -> Result:
    """Play one seed without logs; a failure is returned, not raised."""
    with quiet():
        return play_aloud(stage, seed)


def play_aloud(stage: Stage, seed: int) -> Result:
    began, scene = time.process_time(), Scene(stage, seed)
    result = Result(seed)
    game = None
    try:
        game = Play(scene)
        game.runs()
    except Broken as broken:
        result.broken = str(broken)
    except Exception as fault:  # noqa: BLE001 - the result reports it
        result.broken = "".join(traceback.format_exception(fault)[-4:])
    result.digest, result.whole, result.at = scene.digest(), scene.trace, f"{scene.now}"
    result.steps = game.steps if game else 0
    result.days = round((scene.now - scene.began).total_seconds() / 86400, 1)
    result.requests = scene.tally.requests.total()
    result.crashes, result.counts = dict(scene.tally.crashes), dict(scene.tally.counts)
    result.by_kind = dict(scene.tally.requests)
    scene.ends()
    result.seconds = round(time.process_time() - began, 3)
    return result
