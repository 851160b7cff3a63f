"""Keeping that who was asked has looked: evidence of rank 3, without a poll."""

from typing import Final

from app.api.problems import problems
from app.cases.models import Case
from app.disclosure.looking import DailyCapReached
from app.disclosure.refused_openings import TooManyRefusedOpenings
from app.feed import actions, queries
from app.handovers.models import Handover
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.work import Reading, writing
from app.referrals.models import Referral

type Sendable = Case | Referral | Handover

ASKED = frozenset(
    {
        *(Relation.CANDIDATE, Relation.DESK, Relation.RECIPIENT),
        Relation.HANDOVER_CANDIDATE,
    }
)


def is_first_sight(work: Reading, record: Sendable) -> bool:
    """Say whether the caller was asked something and reads it for the first time."""
    asked = record.relations_of(work.actor.focal_point_id) & ASKED
    return bool(asked) and not queries.was_seen(work, record.id)


def keep_sight(read: Reading, record: Sendable) -> None:
    """Keep it, in a short transaction after the reading; raises Busy (503)."""
    with writing(read.ground, read.actor) as work:
        actions.keep_sighting(work, record.id)


OPENING: Final = (NotFound, DailyCapReached, TooManyRefusedOpenings)
"""What can keep somebody from opening what is sealed."""
OPENED: Final = problems(*OPENING)
