"""What follows an erasure: named outside of the database, and no file keeps its key."""

from app.cases.erasing import Aftermath
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.work import Ground
from app.worker.loop import Job


def after_erasures(ground: Ground, ledger: Ledger) -> Job:
    """Be ready to follow up what was erased, whoever did it."""
    aftermath = Aftermath(ground, ledger)

    def follow(_: Ground) -> int:
        aftermath.follow()
        return 0

    return Job(Part.ERASURES, follow, full=1)
