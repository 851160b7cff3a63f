"""Read receipts (delivery evidence `retrieved`), and responses that may record them."""

from collections.abc import Callable, Sequence
from typing import Final

from fastapi import Response
from pydantic import BaseModel

from app.access.session_limits import AuthenticationTooOld
from app.api.http.authentication import Begin
from app.api.http.conditional_requests import render
from app.api.http.problems import list_problems
from app.api.idempotent_requests import Versioned
from app.cases.models import Case
from app.disclosure.access_log import DailyCapReached
from app.disclosure.refused_openings import TooManyRefusedOpenings
from app.feed import actions as feed_actions
from app.feed import queries as feed_queries
from app.handovers.models import Handover
from app.kernel.actors import Relation
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction, begin_write
from app.referrals.models import Referral

type Sendable = Case | Referral | Handover

ASKED = frozenset(
    {Relation.CANDIDATE, Relation.DESK, Relation.RECIPIENT, Relation.HANDOVER_CANDIDATE}
)


def is_first_read(tx: ReadTransaction, record: Sendable) -> bool:
    """Return whether the caller was asked to act and has not read the record yet."""
    relations = record.list_relations(tx.actor.focal_point_id) & ASKED
    return bool(relations) and not feed_queries.was_seen(tx, record.id)


def show_record[R: Sendable](
    begin: Begin[ReadTransaction],
    find: Callable[[ReadTransaction], R],
    build: Callable[[ReadTransaction, list[R]], Sequence[Versioned]],
    if_none_match: str | None,
) -> Response:
    """Return a record. If the caller was asked to act, also record the first read.

    Raises Busy (503) if the read cannot be recorded.
    """
    with begin() as tx:
        record = find(tx)
        [shown] = build(tx, [record])
        response = render(shown, version=shown.version, if_none_match=if_none_match)
        first = is_first_read(tx, record)
    if first:
        with begin_write(tx.runtime, tx.actor) as writing:
            feed_actions.record_sighting(writing, record.id)
    return response


def show_opened(
    begin: Begin[WriteTransaction],
    open_document: Callable[[WriteTransaction], BaseModel | None],
) -> Response:
    """Open a document and return it. Raises NotFound (404) if the opening was refused.

    A refusal and a missing document get the same response. The refusal is recorded in the
    transaction, so the exception is raised after the commit.
    """
    with begin() as tx:
        opened = open_document(tx)
    if opened is None:
        raise NotFound("The document does not exist, or you may not open it.")
    return render(opened)


OPENING: Final = (NotFound, DailyCapReached, TooManyRefusedOpenings)
"""The problems with which a request to open a sealed document can be refused."""
OPENED: Final = list_problems(*OPENING)
OPENED_AFTER_SIGN_IN: Final = list_problems(*OPENING, AuthenticationTooOld)
"""The responses of an operation that may open one of `SECTIONS_AFTER_SIGN_IN`."""
