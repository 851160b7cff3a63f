"""Routes for the consents that the person gave or withdrew."""

from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import CaseCode, IfNoneMatch, Once, ReadCases, WriteCases
from app.api.http.problems import CREATION, NOT_FOUND, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import build_case_view
from app.cases import queries as case_queries
from app.cases.models import Case
from app.casework import telling
from app.consents.actions import AdultConsentRequired, ConsentEnded, TooManyConsents
from app.consents.forms import ConsentForm
from app.consents.models import Consent
from app.consents.schemas import ConsentInput, ConsentList, ConsentOut, WithdrawConsents
from app.directory.queries import FocalPointUnknown
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("consents", "/cases/{code}/consents")


def build_consents(tx: ReadTransaction, consents: list[Consent]) -> list[ConsentOut]:
    """Return consents with the codes of the recipients that the caller may see."""
    named, own_office = telling.get_named_codes(tx, consents), tx.actor.focal_point_id
    hints = telling.get_hints(tx, consents)
    return [
        ConsentOut.from_consent(
            one, named, not_yet=hints.get(one.id), as_reported=one.recorded_by == own_office
        )
        for one in consents
    ]


def load_consents(tx: ReadTransaction, case: Case) -> ConsentList:
    """Return the consents of a case, limited to those that the caller may see."""
    return ConsentList(items=build_consents(tx, telling.list_consents(tx, case)))


def build_forms(tx: ReadTransaction, forms: list[ConsentForm]) -> list[ConsentList]:
    """Return the consents of each form, in the order of the recipients in the form."""
    return [ConsentList(items=build_consents(tx, form.consents)) for form in forms]


@router.serve_action(
    "",
    ConsentList,
    *CREATION,
    ConsentEnded,
    AdultConsentRequired,
    FocalPointUnknown,
    TooManyConsents,
    status=201,
)
def record_consent(
    begin: WriteCases, code: CaseCode, key: Once, new: ConsentInput
) -> Response:
    """Record a consent form.

    Only the lead can do this, or the submitter if there is no lead. The response contains
    one consent for each recipient of the form, in the same order. Each consent has its own
    id, and can be withdrawn alone.

    A child's own consent is stored, but it is not valid until the person is found to be an
    adult. Until then, `not_yet` contains the reason and says whose consent is valid now.
    """
    view = build_case_view(code, telling.get_known_form, build_forms)
    return view.create_once(begin, key, lambda tx: telling.record_consent(tx, code, new))


@router.get("", response_model=ConsentList, responses=NOT_FOUND)
def list_consents(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the consents that you may see. A recipient sees the consents that name it."""
    with begin() as tx:
        shown = load_consents(tx, case_queries.get(tx, code))
        return render(shown, if_none_match=if_none_match)


@router.post("/withdraw", status_code=204, responses=list_problems(NotFound, RoleMissing))
def withdraw_consents(
    begin: WriteCases, code: CaseCode, body: WithdrawConsents
) -> Response:
    """Withdraw all consents of the person for the given purposes, for every recipient.

    Any party of the case may do this, even without access to the consents, so that the
    person can turn to an office that they trust. Each consent is withdrawn as a whole: if
    the person still agrees to a part of it, the lead has to record a new consent.
    Referrals, handover offers and returns that depend only on a withdrawn consent end at
    once. The response is the same if there was no such consent. `If-Match` is not needed.
    """
    with begin() as tx:
        telling.withdraw_consents(tx, code, body)
        return Response(status_code=204)


@router.serve_action("/{consent_id}/withdraw", ConsentOut, NotFound, RoleMissing)
def withdraw_consent(begin: WriteCases, code: CaseCode, consent_id: UUID) -> Response:
    """Withdraw a consent on behalf of the person, with effect from the next request.

    Any party that may see the consent may withdraw it, without an `If-Match` header.
    Repeating the request changes nothing. Referrals, handover offers and returns that
    depend only on the consent end at once.
    """
    with begin() as tx:
        consent = telling.withdraw_consent(tx, code, consent_id)
        [shown] = build_consents(tx, [consent])
        return render(shown)
