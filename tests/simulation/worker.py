"""The simulated worker, whose runs, crashes and restarts are steps of the simulation."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.outbox.models import MessageChannel
from app.worker.erasure_job import create_erasure_job
from app.worker.jobs import DEADLINE_JOB, Job, run_once
from app.worker.outbox_job import Senders, send_by_way
from app.worker.webhook_job import find_due, push
from tests.simulation.network import FakeServers, Receiver, make_courier
from tests.simulation.power_cuts import MOST, PowerCut
from tests.simulation.world import Scene

PERIODS: Final = (timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=30))
"""Times between two runs: the configured time, and two times of an overloaded machine."""
DELAY: Final = timedelta(seconds=30)
"""The maximum delay of a pushed event."""
NEXT: Final = """
    SELECT min(at) FROM (
        SELECT min(coalesce(fires_at, due_at)) AS at FROM clock WHERE stopped_at IS NULL
        UNION ALL
        SELECT min(due_at) FROM outgoing WHERE state IN ('waiting', 'sending')
        UNION ALL
        SELECT min(w.due_at) FROM webhook w JOIN mailbox m USING (focal_point_id)
        WHERE w.paused_at IS NULL AND w.ended_at IS NULL AND m.head > w.position
    )
"""
"""A query for the next time at which the worker has work."""
WAITING: Final = {
    Part.CLOCKS: """
        SELECT 1 FROM clock WHERE stopped_at IS NULL
        AND coalesce(fires_at, due_at) <= :now LIMIT 1""",
    Part.NOTICES: """
        SELECT 1 FROM outgoing WHERE state IN ('waiting', 'sending')
        AND due_at <= :now LIMIT 1""",
    Part.WEBHOOKS: """
        SELECT 1 FROM webhook w JOIN mailbox m USING (focal_point_id)
        WHERE w.due_at <= :now AND m.head > w.position LIMIT 1""",
    Part.ERASURES: "SELECT 1 WHERE (SELECT count(*) FROM erasure) > :erased",
}
"""For each job, a query that returns a row if the job has work."""


class Worker:
    """Four jobs of a worker, which run one after another in one thread."""

    def __init__(self, scene: Scene, postmen: FakeServers, receiver: Receiver) -> None:
        self.scene, self.postmen, self.receiver = scene, postmen, receiver
        self.senders: Senders = postmen.make_senders()
        self.courier = make_courier(receiver)
        self.away_until = self.looked_at = scene.now
        self.poked = False
        self.period = scene.chance.choice(PERIODS)
        self.dies = 0.0 if scene.is_likely(0.2) else scene.chance.choice([0.02, 0.1, 0.3])
        self.start()

    def start(self) -> None:
        """Start the worker like a new process, and check the ledger."""
        self.erased = 0
        self.ledger = Ledger(self.scene.stage.home / "simulated-erasures")
        self.ledger.start(self.scene.runtime)
        self.jobs = (
            DEADLINE_JOB,
            Job(Part.NOTICES, lambda _: self.send(), 200),
            Job(Part.WEBHOOKS, lambda _: self.push(), 64),
            create_erasure_job(self.scene.runtime, self.ledger),
        )

    def send(self) -> int:
        """Send the due messages channel by channel, and return their number."""
        ways = (
            send_by_way(self.scene.runtime, self.senders, way) for way in MessageChannel
        )
        return sum(fates.total() for fates in ways)

    def push(self) -> int:
        runtime = self.scene.runtime
        waiting: list[UUID] = find_due(runtime)
        return sum(push(runtime, self.courier, one, DELAY) for one in waiting)

    def get_next_time(self) -> datetime | None:
        """Return the time of the next run of the worker, or None if it has no work."""
        soonest = self.scene.fetch_value(NEXT)
        if self.poked:
            soonest = soonest or str(self.scene.now.replace(tzinfo=None))
            at = min(datetime.fromisoformat(soonest).replace(tzinfo=UTC), self.scene.now)
        elif soonest is None:
            return None
        else:
            at = datetime.fromisoformat(soonest).replace(tzinfo=UTC)
        return max(at, self.scene.now, self.away_until) + self.period

    def run(self) -> bool:
        """Run all due jobs once, and return True.

        If the power fails meanwhile, restart the worker and return False.
        """
        self.looked_at = self.scene.now
        if not self.scene.calm and self.scene.is_likely(self.dies):
            at = self.scene.chance.randint(1, MOST)
            self.scene.power.fail_at(at, after=self.scene.is_likely(0.5))
        try:
            for job in self.jobs:
                if self.is_due(job):
                    self.run_job(job)
        except PowerCut:
            self.restart_later()
            return False
        finally:
            self.scene.power.reset()
        self.poked = False
        return True

    def is_due(self, job: Job) -> bool:
        """Return whether a job is due, that is, has to do more than record a heartbeat."""
        now = self.scene.now.replace(tzinfo=None)
        known = {"now": f"{now}", "erased": self.erased}
        found = self.scene.reader.execute(WAITING[job.part], known).fetchone()
        return found is not None or (self.poked and job is DEADLINE_JOB)

    def run_job(self, job: Job) -> None:
        found = run_once(self.scene.runtime, job)
        self.scene.tally.counts[f"worker {job.part}"] += 1
        if job.part == Part.ERASURES:
            self.erased = int(self.scene.fetch_value("SELECT count(*) FROM erasure"))
        if found:
            self.scene.log(f"the worker: {found} of {job.part}")
        if self.scene.power.is_off:
            raise PowerCut

    def restart_later(self) -> None:
        """Restart the worker, which then does no work for some seconds, hours or days."""
        chance = self.scene.chance
        away = chance.choice([timedelta(seconds=5), timedelta(hours=2), timedelta(days=2)])
        self.away_until = self.scene.now + away * chance.uniform(0.2, 1.5)
        self.scene.tally.crashes["worker"] += 1
        self.scene.log(f"the worker dies, and stays away until {self.away_until}")
        self.start()
