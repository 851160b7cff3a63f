"""The deletion of form drafts that were saved more than 24 hours ago (ADR 69)."""

from app.cases import form_drafts
from app.kernel.actors import SYSTEM
from app.kernel.transactions import Runtime, begin_read, begin_write


def delete_expired_drafts(runtime: Runtime) -> int:
    """Delete the form drafts that have expired, and return their number."""
    with begin_read(runtime, SYSTEM) as tx:
        if not form_drafts.has_expired(tx.session, runtime.time(tx.session)):
            return 0
    with begin_write(runtime, SYSTEM) as tx:
        return form_drafts.delete_expired(tx.session, runtime.time(tx.session))
