"""Destroying what a case holds, and what follows once that is committed."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from app.cases.facts import FactName
from app.cases.models import Case, CaseKey, DocumentKey, Sealed
from app.cases.records import Fact, Question, RiskAssessment
from app.kernel import erasures
from app.kernel.ledger import Ledger
from app.kernel.problems import Busy
from app.kernel.work import Ground, Writing

KEYS: Final = CaseKey.__tablename__
"""The table of the wrapped data keys."""
DOCUMENT_KEYS: Final = DocumentKey.__tablename__
"""The table of the wrapped keys of documents."""
SCRUB_EVERY: Final = timedelta(days=1)
"""How often that table is written anew, which locks it, however often somebody writes."""


def destroy(work: Writing, case: Case) -> None:
    """Destroy the data key and all that was sealed under it: no copy opens again.

    With it goes what says something of the person in clear: risks, facts, topics of
    questions, planned visits, the fingerprint of the submitter's own number. That the law
    forbade to erase stays known. What lies in a backup stays sealed, and the ledger of
    erasures sees to its key.
    """
    key = delete(CaseKey).where(CaseKey.case_id == case.id).returning(CaseKey.case_id)
    if work.session.scalars(key).all():
        erasures.enter(work.session, case.id, work.now)
    for model in (Sealed, RiskAssessment, Question):
        work.session.execute(delete(model).where(model.case_id == case.id))
    told = (Fact.case_id == case.id) & (Fact.name != FactName.LEGAL_HOLD)
    work.session.execute(delete(Fact).where(told))
    case.external_digest, case.visits, case.continues_in = None, [], None


class Aftermath:
    """What follows once erasures are committed: for the worker, at each of its beats.

    Each is named outside of the database, and no file of the database keeps its key. It
    remembers how many left no trace, so that a beat after which there is nothing new costs
    one stat and two counts; a new process makes sure once. Once a day, and once in a new
    process, no file keeps the key of a document that was written again either.
    """

    def __init__(self, ground: Ground, ledger: Ledger) -> None:
        self._ground, self._ledger = ground, ledger
        self._traceless = 0
        self._scrub_at: datetime | None = None

    def follow(self) -> None:
        """Copy out, then leave no trace. Raises LedgerRefused, Busy (503).

        As long as somebody still reads what was there before, traces stay until a later
        beat.
        """
        self._ledger.copy_out(self._ground)
        with self._ground.database.reading() as session:
            count = erasures.mark(session).count
        with suppress(Busy):
            if count != self._traceless and self._ground.database.scrub(KEYS):
                self._traceless = count
        with suppress(Busy):
            self.scrub_document_keys()

    def scrub_document_keys(self) -> None:
        """Leave no trace of replaced keys of documents, once a day. Raises Busy (503)."""
        now = self._ground.clock()
        if self._scrub_at is not None and now < self._scrub_at:
            return
        if self._ground.database.scrub(DOCUMENT_KEYS):
            self._scrub_at = now + SCRUB_EVERY
