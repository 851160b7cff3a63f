"""Idempotent requests: run an action once and answer each retry like the first time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from fastapi import Response

from app.access.models import Approval
from app.api.approvals import show_approval
from app.api.http.conditional_requests import render
from app.cases import queries as case_queries
from app.cases.models import Case
from app.casework import situation as casework_situation
from app.handovers import queries as handover_queries
from app.handovers.models import Handover
from app.handovers.situation import show as show_handovers
from app.kernel.idempotency import KeyedRequest, claim, store_outcome
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.models import Referral
from app.referrals.situation import show as show_referrals

CREATED, ACCEPTED, NO_CONTENT = 201, 202, 204
REPLAYED: Final = {"Idempotent-Replayed": "true"}
type Headers = Mapping[str, str]


class Record(Protocol):
    """A record that an action creates or changes."""

    @property
    def id(self) -> UUID:
        """The id under which a retry finds the record."""


@dataclass(frozen=True)
class View[R: Record]:
    """The functions that find a record of one kind for a retry and build the response."""

    find: Callable[[ReadTransaction, UUID], R]
    show: Callable[[ReadTransaction, R, int, Headers], Response]
    is_mine: Callable[[ReadTransaction, R], bool] = lambda *_: True


def run_once[R: Record](  # noqa: PLR0913 - each is one property of the action
    tx: WriteTransaction,
    ticket: KeyedRequest,
    view: View[R],
    action: Callable[[], R | Approval],
    *,
    status: int = 200,
    key_needed: bool = False,
) -> Response:
    """Run an action once. Answer a retry with the current state of the result.

    The answer is 204 if the caller is no longer a party of the record after the action, and
    202 with the approval if a second person has to confirm it. Retries get the same status.
    """
    if (key_needed or ticket.key) and (done := claim(tx, ticket)):
        if done.status == NO_CONTENT:
            return Response(status_code=NO_CONTENT, headers=REPLAYED)
        if done.status == ACCEPTED:
            return show_approval(tx, done.resource_id, status=ACCEPTED, headers=REPLAYED)
        made = view.find(tx, done.resource_id)
        return view.show(tx, made, done.status, REPLAYED)
    result = action()
    tx.session.flush()
    if isinstance(result, Approval):
        return show_pending_approval(tx, ticket, result)
    answered = status if view.is_mine(tx, result) else NO_CONTENT
    if ticket.key:
        store_outcome(tx, ticket, result.id, answered)
    if answered == NO_CONTENT:
        return Response(status_code=NO_CONTENT)
    return view.show(tx, result, answered, {})


def show_pending_approval(
    tx: WriteTransaction, ticket: KeyedRequest, question: Approval
) -> Response:
    """Return 202 with the approval that an action asked for."""
    if ticket.key:
        store_outcome(tx, ticket, question.id, ACCEPTED)
    return show_approval(tx, question, status=ACCEPTED)


def create_once[R: Record](
    tx: WriteTransaction,
    ticket: KeyedRequest,
    view: View[R],
    action: Callable[[], R | Approval],
) -> Response:
    """Create a record once. Answer a retry with the current state of the record.

    Raises KeyMissing (400) if the request has no idempotency key.
    """
    return run_once(tx, ticket, view, action, status=CREATED, key_needed=True)


def build_case_view[R: Record](
    code: str,
    find: Callable[[ReadTransaction, UUID, UUID], R],
    show: Callable[[ReadTransaction, R, int, Headers], Response],
) -> View[R]:
    """Build the view of a record of a case. The caller has to see the case for a retry."""

    def find_in_case(tx: ReadTransaction, record_id: UUID) -> R:
        return find(tx, case_queries.get(tx, code).id, record_id)

    return View(find_in_case, show)


def add_location(reference: str, status: int, headers: Headers) -> Headers:
    """Return the headers with `Location` added if the record is new."""
    where = {"Location": f"/v1/{reference}"} if status == CREATED else {}
    return {**where, **headers}


def show_case(tx: ReadTransaction, case: Case, status: int, headers: Headers) -> Response:
    """Return a case with the version to send back as If-Match."""
    [shown] = casework_situation.show_cases(tx, [case])
    extra = add_location(case.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def show_referral(
    tx: ReadTransaction, referral: Referral, status: int, headers: Headers
) -> Response:
    """Return a referral with the version to send back as If-Match."""
    [shown] = show_referrals(tx, [referral])
    extra = add_location(referral.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def is_case_party(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller is still a party of the case."""
    return case.is_open_to(tx.actor.focal_point_id)


def is_referral_party(tx: ReadTransaction, referral: Referral) -> bool:
    """Return whether the caller still has a relation to the referral."""
    return bool(referral.list_relations(tx.actor.focal_point_id))


CASE: Final = View(case_queries.get_by_id, show_case, is_case_party)
REFERRAL: Final = View(referral_queries.get, show_referral, is_referral_party)


def run_on_case(
    tx: WriteTransaction,
    ticket: KeyedRequest,
    action: Callable[[], Case | Approval],
    *,
    created: bool = False,
    key_needed: bool = False,
) -> Response:
    """Run an action on a case once."""
    status, needed = (CREATED if created else 200), created or key_needed
    return run_once(tx, ticket, CASE, action, status=status, key_needed=needed)


def run_on_referral(
    tx: WriteTransaction,
    ticket: KeyedRequest,
    action: Callable[[], Referral],
    *,
    created: bool = False,
) -> Response:
    """Run an action on a referral once."""
    status = CREATED if created else 200
    return run_once(tx, ticket, REFERRAL, action, status=status, key_needed=created)


def show_handover(
    tx: ReadTransaction, handover: Handover, status: int, headers: Headers
) -> Response:
    """Return a handover with the version to send back as If-Match."""
    [shown] = show_handovers(tx, [handover])
    extra = add_location(handover.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def is_handover_party(tx: ReadTransaction, handover: Handover) -> bool:
    """Return whether the caller still has a relation to the handover."""
    return bool(handover.list_relations(tx.actor.focal_point_id))


HANDOVER: Final = View(handover_queries.get, show_handover, is_handover_party)


def run_on_handover(
    tx: WriteTransaction,
    ticket: KeyedRequest,
    action: Callable[[], Handover],
    *,
    created: bool = False,
) -> Response:
    """Run an action on a handover once."""
    status = CREATED if created else 200
    return run_once(tx, ticket, HANDOVER, action, status=status, key_needed=created)


def get_or_404[R](opened: R | None) -> R:
    """Return an opened document. Raises NotFound (404) if the opening was refused.

    A refusal and a missing document get the same answer. Call this after the transaction
    that records the refusal has committed.
    """
    if opened is None:
        raise NotFound("The document does not exist, or you may not open it.")
    return opened
