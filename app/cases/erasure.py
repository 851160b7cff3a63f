"""Erasure of the content of cases, and the clean-up after an erasure is committed."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from app.cases.case_changes import delete_records
from app.cases.facts import FactName
from app.cases.models import Case, CaseKey, DocumentKey, Sealed
from app.cases.records import Fact, FormDraft, Question, RiskAssessment
from app.kernel import erasures
from app.kernel.ledger import Ledger
from app.kernel.problems import Busy
from app.kernel.transactions import Runtime, WriteTransaction

KEY_TABLE: Final = CaseKey.__tablename__
"""The table of the wrapped data keys of cases."""
DOCUMENT_KEY_TABLE: Final = DocumentKey.__tablename__
"""The table of the wrapped keys of sealed documents."""
DAILY_TABLES: Final = (DOCUMENT_KEY_TABLE, FormDraft.__tablename__)
"""The tables that are rewritten daily, so that no replaced or deleted key remains."""
REWRITE_INTERVAL: Final = timedelta(days=1)
"""The minimum time between two rewrites of `DAILY_TABLES`. A rewrite locks a table."""


def erase_content(tx: WriteTransaction, case: Case) -> None:
    """Destroy the data key of a case, and delete the documents that were sealed with it.

    Form drafts, questions, risk assessments and all facts but legal holds are deleted too.
    If a backup is restored, the ledger of erasures ensures that the restored key is
    destroyed again.
    """
    key = delete(CaseKey).where(CaseKey.case_id == case.id).returning(CaseKey.case_id)
    if tx.session.scalars(key).all():
        erasures.record_erasure(tx.session, case.id, tx.now)
    tx.session.execute(delete(FormDraft).where(FormDraft.case_id == case.id))
    for record in (Question, Sealed, RiskAssessment):
        delete_records(tx.session, case.id, record)
    delete_records(tx.session, case.id, Fact, Fact.name != FactName.LEGAL_HOLD)
    case.external_digest, case.visits, case.continues_in = None, [], None


class ErasureCleanup:
    """The clean-up after committed erasures, which the worker runs in each cycle.

    The number of erasures that were cleaned up is kept in memory, so that a cycle without a
    new erasure is fast. Traces of replaced document keys are removed once a day.
    """

    def __init__(self, runtime: Runtime, ledger: Ledger) -> None:
        self._ground, self._ledger = runtime, ledger
        self._cleaned_count = 0
        self._next_rewrite: datetime | None = None

    def run(self) -> None:
        """Copy erasures to the ledger outside the database; remove traces of erased keys.

        While another transaction reads the old state, traces remain until a later cycle.
        Raises LedgerRefused or Busy (503) if the erasures cannot be copied.
        """
        self._ledger.copy_erasures(self._ground)
        with self._ground.database.begin_read() as session:
            count = erasures.get_erasure_mark(session).count
        with suppress(Busy):
            if count != self._cleaned_count and self._ground.database.erase_deleted_rows(
                KEY_TABLE
            ):
                self._cleaned_count = count
        with suppress(Busy):
            self.remove_document_key_traces()

    def remove_document_key_traces(self) -> None:
        """Remove traces of replaced document keys and drafts, at most once a day."""
        now = self._ground.clock()
        if self._next_rewrite is not None and now < self._next_rewrite:
            return
        if all(map(self._ground.database.erase_deleted_rows, DAILY_TABLES)):
            self._next_rewrite = now + REWRITE_INTERVAL
