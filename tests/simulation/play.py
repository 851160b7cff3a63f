"""The phases of a seed: a storm, a calm period, the erasure of all cases, final checks."""

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

from app.figures.weeks import WEEK
from app.webhooks.models import Webhook
from tests.simulation import final_checks
from tests.simulation.cast import Stage
from tests.simulation.figure_checks import check_own_figures
from tests.simulation.invariants import check
from tests.simulation.network import FakeServers, Receiver
from tests.simulation.partners import SILENT, Partner, draw_tempers
from tests.simulation.people import Administrators, Officer
from tests.simulation.weekly_figure_checks import check_counted_weeks, count_weeks
from tests.simulation.worker import Worker
from tests.simulation.world import Broken, Scene
from tests.support.webhook_receivers import create_webhook

STEPS: Final = 60
"""Maximum steps of the storm (the first phase), tripled if at most two offices answer."""
PATIENCE: Final = timedelta(days=250)
"""Time within which every case must end once all offices respond promptly."""
LAST: Final = 30
"""Number of lines of the trace that are shown for a failed seed."""
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
    failure: str = ""
    failed_at: str = ""
    """The time of the failure, by the simulated clock."""
    full_trace: list[str] = field(default_factory=list)
    """The lines of the trace, each with its time."""

    @property
    def trace(self) -> list[str]:
        """The last lines of the full trace."""
        return self.full_trace[-LAST:]


class Play:
    """The simulation of one seed: its participants, and the order of their steps."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.steps = scene, 0
        drawn = draw_tempers(scene)
        self.silent = sum(one is SILENT for one in drawn.values()) > len(drawn) - 3
        self.partners = {one: Partner(scene, one, how) for one, how in drawn.items()}
        self.postmen = FakeServers(scene, scene.chance.choice([0, 0, 0.3, 0.6]))
        self.receiver = Receiver(scene, scene.chance.choice([0, 0.4, 0.9]))
        self.worker = Worker(scene, self.postmen, self.receiver)
        self.administrators = Administrators(scene, self.partners, self.notify_worker)
        self.hook = self.create_webhook()
        self.counts_at = scene.now + WEEK

    def notify_worker(self) -> None:
        self.worker.poked = True

    def create_webhook(self) -> str:
        """Choose and return an office, and in some seeds create a webhook for it."""
        office = self.scene.chance.choice(["KZ_LEAD", "KZ_SHELTER_KOGERSHIN"])
        if self.scene.is_likely(0.25):
            create_webhook(self.scene, office)
        return office

    def run(self) -> None:
        """Run the whole simulation of the seed, and check the final state."""
        Officer(self.scene, self.partners).schedule()
        if not self.silent:
            self.administrators.schedule()
        self.run_storm()
        self.run_calm()
        self.run_until_erased()
        self.check_end()

    # Steps.

    def run_step(self) -> bool:
        """Perform the next step, and return whether there was one."""
        scene, worker_at = self.scene, self.worker.get_next_time()
        agenda_at = scene.agenda[0][0] if scene.agenda else None
        looked = None
        if worker_at is not None and (agenda_at is None or worker_at <= agenda_at):
            scene.now = max(scene.now, worker_at)
            self.count_weeks()
            looked = self.worker.looked_at if self.worker.run() else None
        elif agenda_at is not None:
            name, step = scene.start_next_step()
            self.count_weeks()
            scene.log(f"-- {name}")
            step()
        else:
            return False
        self.steps += 1
        check(scene, looked)
        self.schedule_looks()
        return True

    def schedule_looks(self) -> None:
        """Let each office schedule a poll if it has new events or unfinished records."""
        heads = dict(self.scene.fetch_rows(HEADS))
        for office, partner in self.partners.items():
            partner.schedule_look(heads.get(office, 0))

    def run_storm(self) -> None:
        scene = self.scene
        days = 24 if self.silent else scene.chance.uniform(15, 45)
        over = scene.now + timedelta(days=days)
        most = 3 * STEPS if self.silent else STEPS
        while scene.now < over and self.steps < most and self.run_step():
            pass
        if self.silent and scene.now >= over:
            final_checks.check_missed_deadlines(scene)

    def run_calm(self) -> None:
        """Activate all offices, let them respond promptly, and run until all cases end."""
        scene = self.scene
        scene.log("-- calm: every office answers from now on")
        scene.calm, self.worker.away_until = True, scene.now
        self.administrators.reopen_offices()
        with scene.write_as_service() as tx:
            resume_webhooks(tx)
        for partner in self.partners.values():
            partner.next_look_at = None
        self.schedule_looks()
        last = scene.now + PATIENCE
        while self.is_open() and self.run_step():
            scene.require(
                scene.now < last, "a case does not end, though every office answers"
            )
        scene.require(not self.is_open(), "a case does not end, and nothing happens")

    def is_open(self) -> int:
        return int(self.scene.fetch_value(OPEN))

    def run_until_erased(self) -> None:
        """Perform steps until none is left. Every ended case is erased by then."""
        last = self.scene.now + timedelta(days=1500)
        while self.run_step():
            self.scene.require(self.scene.now < last, "the steps do not end")

    def count_weeks(self) -> None:
        """Count the finished weeks, unless they were counted less than a week ago."""
        if self.scene.now >= self.counts_at:
            count_weeks(self.scene)
            self.counts_at = self.scene.now + WEEK

    def check_end(self) -> None:
        scene = self.scene
        heads = dict(scene.fetch_rows(HEADS))
        for office, partner in self.partners.items():
            if partner.positions < heads[office]:
                partner.poll()
        final_checks.check_feeds(scene, self.partners)
        final_checks.check_audiences(scene)
        unsure = [one for p in self.partners.values() for one in p.unanswered.values()]
        final_checks.check_journal(scene, unsure)
        check_own_figures(scene, self.partners, unsure)
        check_counted_weeks(scene, unsure)
        final_checks.check_deliveries(scene, self.postmen, self.receiver, self.hook)
        self.worker.run()
        found = self.worker.ledger.read()
        named = frozenset(one.hex for one in found.erased) if found else frozenset()
        final_checks.check_erasures(scene, named)


PAUSED_WEBHOOKS: Final = select(Webhook).where(Webhook.paused_at.is_not(None))
OPEN: Final = """
    SELECT count(*) FROM "case" WHERE state NOT IN ('closed', 'void', 'erased')
"""


def resume_webhooks(tx: Any) -> None:
    """Resume the paused webhooks, as an office would."""
    for webhook in tx.session.scalars(PAUSED_WEBHOOKS):
        webhook.paused_at, webhook.stalled = None, False
        webhook.failures, webhook.failing_since, webhook.due_at = 0, None, tx.now


@contextmanager
def disable_logs() -> Iterator[None]:
    """Suppress log lines below the level CRITICAL while the block runs."""
    before = structlog.get_config()
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    try:
        yield
    finally:
        structlog.configure(**before)


def play_seed(stage: Stage, seed: int) -> Result:
    """Simulate one seed without logs. A failure is returned in the result, not raised."""
    with disable_logs():
        return play_with_logs(stage, seed)


def play_with_logs(stage: Stage, seed: int) -> Result:
    began, scene = time.process_time(), Scene(stage, seed)
    result = Result(seed)
    game = None
    try:
        game = Play(scene)
        game.run()
    except Broken as broken:
        result.failure = str(broken)
    except Exception as fault:  # noqa: BLE001 - the result reports it
        result.failure = "".join(traceback.format_exception(fault)[-4:])
    result.digest, result.full_trace, result.failed_at = (
        scene.compute_digest(),
        scene.trace,
        f"{scene.now}",
    )
    result.steps = game.steps if game else 0
    result.days = round((scene.now - scene.began).total_seconds() / 86400, 1)
    result.requests = scene.tally.requests.total()
    result.crashes, result.counts = dict(scene.tally.crashes), dict(scene.tally.counts)
    result.by_kind = dict(scene.tally.requests)
    scene.finish()
    result.seconds = round(time.process_time() - began, 3)
    return result
