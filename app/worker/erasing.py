"""The job after erasures: update the ledger, and remove the remains of deleted keys."""

from app.cases.erasing import Aftermath
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.work import Ground
from app.worker.loop import Job


def after_erasures(ground: Ground, ledger: Ledger) -> Job:
    """Return the job that follows up erasures, including those of other processes."""
    aftermath = Aftermath(ground, ledger)

    def run(_: Ground) -> int:
        aftermath.follow()
        return 0

    return Job(Part.ERASURES, run, full=1)
