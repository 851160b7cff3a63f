"""Idempotent requests: run an action once and answer each retry like the first time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from fastapi import Response

from app.access.models import Approval
from app.api.approvals import show_approval
from app.api.http.conditional_requests import render
from app.cases import queries as cases
from app.cases.models import Case
from app.casework import situation
from app.handovers import queries as handovers
from app.handovers.models import Handover
from app.handovers.situation import show as show_handovers
from app.kernel.idempotency import KeyedRequest, claim, store_outcome
from app.kernel.problems import NotFound
from app.kernel.transactions import Reading, Writing
from app.referrals import queries as referrals
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
    """The functions that find a kind of record for a retry, and show it."""

    find: Callable[[Reading, UUID], R]
    show: Callable[[Reading, R, int, Headers], Response]
    is_mine: Callable[[Reading, R], bool] = lambda *_: True


def run_once[R: Record](  # noqa: PLR0913 - each is one property of the action
    work: Writing,
    ticket: KeyedRequest,
    view: View[R],
    action: Callable[[], R | Approval],
    *,
    status: int = 200,
    key_needed: bool = False,
) -> Response:
    """Run an action once; answer a retry with its result as it is now.

    The answer is 204 if the action ends the caller's part in the record, and 202 with the
    approval if a second person has to confirm it. Retries get the same status.
    """
    if (key_needed or ticket.key) and (done := claim(work, ticket)):
        if done.status == NO_CONTENT:
            return Response(status_code=NO_CONTENT, headers=REPLAYED)
        if done.status == ACCEPTED:
            return show_approval(work, done.resource_id, status=ACCEPTED, headers=REPLAYED)
        made = view.find(work, done.resource_id)
        return view.show(work, made, done.status, REPLAYED)
    result = action()
    work.session.flush()
    if isinstance(result, Approval):
        return show_pending_approval(work, ticket, result)
    answered = status if view.is_mine(work, result) else NO_CONTENT
    if ticket.key:
        store_outcome(work, ticket, result.id, answered)
    if answered == NO_CONTENT:
        return Response(status_code=NO_CONTENT)
    return view.show(work, result, answered, {})


def show_pending_approval(
    work: Writing, ticket: KeyedRequest, question: Approval
) -> Response:
    """Return 202 with the approval that an action asked for."""
    if ticket.key:
        store_outcome(work, ticket, question.id, ACCEPTED)
    return show_approval(work, question, status=ACCEPTED)


def create_once[R: Record](
    work: Writing, ticket: KeyedRequest, view: View[R], action: Callable[[], R | Approval]
) -> Response:
    """Create a record once; answer a retry with the record as it is now.

    Raises KeyMissing (400) if the request has no idempotency key.
    """
    return run_once(work, ticket, view, action, status=CREATED, key_needed=True)


def build_case_view[R: Record](
    code: str,
    find: Callable[[Reading, UUID, UUID], R],
    show: Callable[[Reading, R, int, Headers], Response],
) -> View[R]:
    """Build the view of a record that a retry finds through a case the caller may see."""

    def find_in_case(work: Reading, record_id: UUID) -> R:
        return find(work, cases.get(work, code).id, record_id)

    return View(find_in_case, show)


def add_location(reference: str, status: int, headers: Headers) -> Headers:
    """Return the headers with `Location` added if the record is new."""
    where = {"Location": f"/v1/{reference}"} if status == CREATED else {}
    return {**where, **headers}


def show_case(work: Reading, case: Case, status: int, headers: Headers) -> Response:
    """Return a case with the version to send back as If-Match."""
    [shown] = situation.show_cases(work, [case])
    extra = add_location(case.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def show_referral(
    work: Reading, referral: Referral, status: int, headers: Headers
) -> Response:
    """Return a referral with the version to send back as If-Match."""
    [shown] = show_referrals(work, [referral])
    extra = add_location(referral.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def is_case_party(work: Reading, case: Case) -> bool:
    """Return whether the caller is still a party of the case."""
    return case.is_open_to(work.actor.focal_point_id)


def is_referral_party(work: Reading, referral: Referral) -> bool:
    """Return whether the caller still has a relation to the referral."""
    return bool(referral.list_relations(work.actor.focal_point_id))


CASE: Final = View(cases.get_by_id, show_case, is_case_party)
REFERRAL: Final = View(referrals.get, show_referral, is_referral_party)


def run_on_case(
    work: Writing,
    ticket: KeyedRequest,
    action: Callable[[], Case | Approval],
    *,
    created: bool = False,
    key_needed: bool = False,
) -> Response:
    """Run an action on a case once."""
    status, needed = (CREATED if created else 200), created or key_needed
    return run_once(work, ticket, CASE, action, status=status, key_needed=needed)


def run_on_referral(
    work: Writing,
    ticket: KeyedRequest,
    action: Callable[[], Referral],
    *,
    created: bool = False,
) -> Response:
    """Run an action on a referral once."""
    status = CREATED if created else 200
    return run_once(work, ticket, REFERRAL, action, status=status, key_needed=created)


def show_handover(
    work: Reading, handover: Handover, status: int, headers: Headers
) -> Response:
    """Return a handover with the version to send back as If-Match."""
    [shown] = show_handovers(work, [handover])
    extra = add_location(handover.reference, status, headers)
    return render(shown, version=shown.version, status=status, headers=extra)


def is_handover_party(work: Reading, handover: Handover) -> bool:
    """Return whether the caller still has a relation to the handover."""
    return bool(handover.list_relations(work.actor.focal_point_id))


HANDOVER: Final = View(handovers.get, show_handover, is_handover_party)


def run_on_handover(
    work: Writing,
    ticket: KeyedRequest,
    action: Callable[[], Handover],
    *,
    created: bool = False,
) -> Response:
    """Run an action on a handover once."""
    status = CREATED if created else 200
    return run_once(work, ticket, HANDOVER, action, status=status, key_needed=created)


def get_or_404[R](opened: R | None) -> R:
    """Return an opened document; raise NotFound (404) if the opening was refused.

    A refusal and a missing document get the same answer. Call this after the transaction
    that records the refusal has committed.
    """
    if opened is None:
        raise NotFound("The document does not exist, or you may not open it.")
    return opened
