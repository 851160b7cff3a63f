"""The job that copies erasures to the ledger and removes traces of deleted keys."""

from app.cases.erasure import ErasureCleanup
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.transactions import Runtime
from app.worker.jobs import Job


def create_erasure_job(runtime: Runtime, ledger: Ledger) -> Job:
    """Return the job that cleans up after erasures, including those of other processes."""
    aftermath = ErasureCleanup(runtime, ledger)

    def run(_: Runtime) -> int:
        aftermath.run()
        return 0

    return Job(Part.ERASURES, run, batch_size=1)
