"""Idempotent requests: run an action once, and answer each retry like the first request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from app.access.models import Approval
from app.api.approvals import show_approval
from app.api.http.authentication import Begin
from app.api.http.conditional_requests import render
from app.cases import queries as case_queries
from app.cases.models import Case
from app.casework.schemas import CaseOut
from app.casework.situation import show_cases
from app.handovers import queries as handover_queries
from app.handovers.models import Handover
from app.handovers.schemas import HandoverOut
from app.handovers.situation import show as show_handovers
from app.kernel.idempotency import KeyedRequest, StoredOutcome, claim, store_outcome
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.models import Referral
from app.referrals.schemas import ReferralOut
from app.referrals.situation import show as show_referrals
from app.returns.schemas import AnyReturn

CREATED, ACCEPTED, NO_CONTENT = 201, 202, 204
REPLAYED: Final = {"Idempotent-Replayed": "true"}
type Headers = Mapping[str, str]
type Versioned = CaseOut | ReferralOut | HandoverOut | AnyReturn


class Record(Protocol):
    """A record that an action creates or changes."""

    @property
    def id(self) -> UUID:
        """The id by which a retry finds the record."""


class PartyRecord(Record, Protocol):
    """A record with parties and a version, which an action creates or changes."""

    @property
    def reference(self) -> str:
        """The path of the record, without `/v1/`."""


@dataclass(frozen=True)
class View[R: Record]:
    """A view of one kind of record, with functions that find a record and show it.

    `is_mine` returns whether the caller is still a party of the record.
    """

    find: Callable[[ReadTransaction, UUID], R]
    show: Callable[[ReadTransaction, R, int, Headers], Response]
    is_mine: Callable[[ReadTransaction, R], bool] = lambda *_: True

    def run_once(
        self,
        begin: Begin[WriteTransaction],
        ticket: KeyedRequest,
        action: Callable[[WriteTransaction], R | Approval],
        *,
        status: int = 200,
        key_needed: bool = False,
    ) -> Response:
        """Run an action, but only once for each idempotency key.

        Without a key, every request runs the action. A retry gets the current state of the
        record and the same status. The status is 204 if the caller is no longer a party of
        the record after the action, and 202 with the approval if a second person has to
        confirm the action. Raises the errors of `claim`.
        """
        with begin() as tx:
            if (key_needed or ticket.key) and (done := claim(tx, ticket)):
                return self.answer_retry(tx, done)
            result = action(tx)
            tx.session.flush()
            if isinstance(result, Approval):
                answered = ACCEPTED
            else:
                answered = status if self.is_mine(tx, result) else NO_CONTENT
            if ticket.key:
                store_outcome(tx, ticket, result.id, answered)
            if isinstance(result, Approval):
                return show_approval(tx, result, status=ACCEPTED)
            if answered == NO_CONTENT:
                return Response(status_code=NO_CONTENT)
            return self.show(tx, result, answered, {})

    def answer_retry(self, tx: WriteTransaction, done: StoredOutcome) -> Response:
        """Return the response to a retry of a request that was already carried out."""
        if done.status == NO_CONTENT:
            return Response(status_code=NO_CONTENT, headers=REPLAYED)
        if done.status == ACCEPTED:
            return show_approval(tx, done.resource_id, status=ACCEPTED, headers=REPLAYED)
        return self.show(tx, self.find(tx, done.resource_id), done.status, REPLAYED)

    def create_once(
        self,
        begin: Begin[WriteTransaction],
        ticket: KeyedRequest,
        action: Callable[[WriteTransaction], R | Approval],
    ) -> Response:
        """Create a record once. A retry gets the current state of the record.

        Raises IdempotencyKeyMissing (400) if the request has no idempotency key.
        """
        return self.run_once(begin, ticket, action, status=CREATED, key_needed=True)


def build_case_view[R: Record](
    code: str,
    find: Callable[[ReadTransaction, UUID, UUID], R],
    build: Callable[[ReadTransaction, list[R]], Sequence[BaseModel]],
) -> View[R]:
    """Build the view of a record of a case. A retry requires access to the case."""

    def find_in_case(tx: ReadTransaction, record_id: UUID) -> R:
        return find(tx, case_queries.get(tx, code).id, record_id)

    def show(tx: ReadTransaction, record: R, status: int, headers: Headers) -> Response:
        [shown] = build(tx, [record])
        return render(shown, status=status, headers=headers)

    return View(find_in_case, show)


def add_location(reference: str, status: int, headers: Headers) -> Headers:
    """Return the headers, with `Location` if the status is 201."""
    where = {"Location": f"/v1/{reference}"} if status == CREATED else {}
    return {**where, **headers}


def build_party_view[R: PartyRecord](
    find: Callable[[ReadTransaction, UUID], R],
    build: Callable[[ReadTransaction, list[R]], Sequence[Versioned]],
    is_mine: Callable[[ReadTransaction, R], bool],
) -> View[R]:
    """Build the view of a record whose version the client sends back as If-Match."""

    def show(tx: ReadTransaction, record: R, status: int, headers: Headers) -> Response:
        [shown] = build(tx, [record])
        extra = add_location(record.reference, status, headers)
        return render(shown, version=shown.version, status=status, headers=extra)

    return View(find, show, is_mine)


def is_case_party(tx: ReadTransaction, case: Case) -> bool:
    """Return whether the caller is still a party of the case."""
    return case.is_open_to(tx.actor.focal_point_id)


def has_relation(tx: ReadTransaction, record: Referral | Handover) -> bool:
    """Return whether the caller still has a relation to the referral or handover."""
    return bool(record.list_relations(tx.actor.focal_point_id))


CASE: Final = build_party_view(case_queries.get_by_id, show_cases, is_case_party)
REFERRAL: Final = build_party_view(referral_queries.get, show_referrals, has_relation)
HANDOVER: Final = build_party_view(handover_queries.get, show_handovers, has_relation)
