"""Read receipts: when an office that has to act first reads a record (evidence rank 3)."""

from typing import Final

from app.api.http.problems import list_problems
from app.cases.models import Case
from app.disclosure.access_log import DailyCapReached
from app.disclosure.refused_openings import TooManyRefusedOpenings
from app.feed import actions as feed_actions
from app.feed import queries as feed_queries
from app.handovers.models import Handover
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, begin_write
from app.referrals.models import Referral

type Sendable = Case | Referral | Handover

ASKED = frozenset(
    {Relation.CANDIDATE, Relation.DESK, Relation.RECIPIENT, Relation.HANDOVER_CANDIDATE}
)


def is_first_read(tx: ReadTransaction, record: Sendable) -> bool:
    """Return whether the caller was asked to act and has not read the record before."""
    relations = record.list_relations(tx.actor.focal_point_id) & ASKED
    return bool(relations) and not feed_queries.was_seen(tx, record.id)


def record_first_read(read: ReadTransaction, record: Sendable) -> None:
    """Record the first read in a separate transaction. Raises Busy (503) if it fails."""
    with begin_write(read.runtime, read.actor) as tx:
        feed_actions.record_sighting(tx, record.id)


OPENING: Final = (NotFound, DailyCapReached, TooManyRefusedOpenings)
"""The problems with which an opening of a sealed document can be refused."""
OPENED: Final = list_problems(*OPENING)
