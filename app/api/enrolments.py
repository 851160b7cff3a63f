"""Routes for enrolments: two people let a third person register a passkey (ADR 67)."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app.access import enrolment_queries
from app.access.enrolment_models import Enrolment
from app.access.enrolment_schemas import (
    ConfirmedEnrolmentOut,
    EnrolmentInput,
    EnrolmentList,
    EnrolmentOut,
    EnrolmentSecrets,
    MadeEnrolmentOut,
    Redemption,
)
from app.access.passkey_challenges import PasskeyRefused
from app.access.passkey_schemas import PasskeyCreationOptions
from app.access.second_person import NotASecondPerson
from app.access.session_schemas import OpenedSessionOut
from app.administration import account_changes, enrolment_redemption, enrolments
from app.administration.account_changes import AccountDisabled
from app.administration.account_people import AboutYourself
from app.administration.enrolment_redemption import Invitation
from app.administration.enrolments import (
    EnrolmentEnded,
    EnrolmentExists,
    NotAPerson,
    RecoveryMismatch,
    ShownEnrolment,
)
from app.api.accounts import READ, REVOKE, OfOffice
from app.api.http.anonymous_routes import AnonymousRoute, render_once
from app.api.http.authentication import limit_wrong_keys
from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, Once, ReadAccounts, WriteAccounts
from app.api.http.problems import Answers, list_anonymous_problems, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.api.passkeys import OPENED, PasskeysNotOffered, get_relying_party, render_opened
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.problems import Unauthenticated
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("passkeys", "/enrolments")
redemption_router = APIRouter(
    prefix="/enrolments/redeem", tags=["passkeys"], route_class=AnonymousRoute
)
CREATE: Final[Answers] = {
    201: {"model": MadeEnrolmentOut, "description": "The link. It is shown only once."},
    **list_problems(
        *REVOKE,
        IdempotencyKeyMissing,
        AboutYourself,
        AccountDisabled,
        EnrolmentExists,
        NotAPerson,
        PasskeysNotOffered,
        RecoveryMismatch,
    ),
}
CONFIRM: Final = (*REVOKE, AccountDisabled, EnrolmentEnded, NotASecondPerson)
OPTIONS: Final = list_anonymous_problems(PasskeysNotOffered, Unauthenticated)


def show_enrolment(
    tx: ReadTransaction, row: Enrolment, status: int, headers: Headers
) -> Response:
    """Return the response that shows an enrolment, without its secrets."""
    shown = EnrolmentOut.from_enrolment(row, tx.now)
    return render(shown, status=status, headers=headers)


def show_made(
    tx: ReadTransaction, made: ShownEnrolment, status: int, headers: Headers
) -> Response:
    """Return the response with a new enrolment. The response to a retry lacks the link."""
    shown = vars(EnrolmentOut.from_enrolment(made.row, tx.now))
    body = MadeEnrolmentOut(**shown, link=made.secret)
    return render(body, status=status, headers=headers)


def show_confirmed(
    tx: ReadTransaction, made: ShownEnrolment, status: int, headers: Headers
) -> Response:
    """Return the response with an enrolment. The response to a retry lacks the code."""
    shown = vars(EnrolmentOut.from_enrolment(made.row, tx.now))
    body = ConfirmedEnrolmentOut(**shown, code=made.secret)
    return render(body, status=status, headers=headers)


def find_row(tx: ReadTransaction, enrolment_id: UUID) -> Enrolment:
    """Return an enrolment for a retried request.

    Raises NotFound (404) or RoleMissing (403) if the caller may not see it.
    """
    return enrolments.find_enrolment(tx, enrolment_id)[0]


def find_again(tx: ReadTransaction, enrolment_id: UUID) -> ShownEnrolment:
    """Return an enrolment for a retried request, without its secret."""
    return ShownEnrolment(find_row(tx, enrolment_id), None)


ENROLMENT: Final = View(find_row, show_enrolment)
MADE: Final = View(find_again, show_made)
CONFIRMED: Final = View(find_again, show_confirmed)


@router.get("", response_model=EnrolmentList, responses=READ)
def list_enrolments(
    begin: ReadAccounts, focal_point: OfOffice = None, if_none_match: IfNoneMatch = None
) -> Response:
    """List the enrolments of a focal point, including those that ended in the last month.

    Only administrators and the supervisors of the focal point may do this.
    """
    with begin() as tx:
        of = account_changes.get_office(tx, focal_point)
        found = enrolment_queries.list_of_office(tx, of.id)
        items = [EnrolmentOut.from_enrolment(one, tx.now) for one in found]
        return render(EnrolmentList(items=items), if_none_match=if_none_match)


@router.post("", response_model=MadeEnrolmentOut, responses=CREATE)
def create_enrolment(
    begin: WriteAccounts, request: Request, key: Once, new: EnrolmentInput
) -> Response:
    """Begin the enrolment of another person, who then registers a passkey.

    You need the right to make API keys for all accounts of the person. Give the link to the
    person, and ask a second person to confirm the enrolment. Both the link and the code are
    needed, once and within 24 hours. For a person who lost all passkeys, send `recovery`:
    at redemption, the old passkeys are removed and all sessions of the person end.
    """
    get_relying_party(request)
    return MADE.create_once(
        begin,
        key,
        lambda tx: enrolments.create_enrolment(tx, new.account, recovery=new.recovery),
    )


@router.serve_action("/{enrolment_id}/confirm", ConfirmedEnrolmentOut, *CONFIRM)
def confirm_enrolment(begin: WriteAccounts, enrolment_id: UUID, key: Once) -> Response:
    """Confirm an enrolment as the second person, and get the code.

    You need the right to make API keys for all accounts of the person who is enrolled. You
    must be neither that person nor the person who began the enrolment. Make sure that the
    enrolment was requested for that person, and tell the code to them yourself.
    """
    return CONFIRMED.run_once(
        begin, key, lambda tx: enrolments.confirm_enrolment(tx, enrolment_id)
    )


@router.serve_action("/{enrolment_id}/cancel", EnrolmentOut, *REVOKE, EnrolmentEnded)
def cancel_enrolment(begin: WriteAccounts, enrolment_id: UUID, key: Once) -> Response:
    """Cancel an enrolment that is not redeemed. This needs no second person."""
    return ENROLMENT.run_once(
        begin, key, lambda tx: enrolments.cancel_enrolment(tx, enrolment_id)
    )


@redemption_router.post(
    "/options", response_model=PasskeyCreationOptions, responses=OPTIONS
)
def create_enrolment_options(request: Request, body: EnrolmentSecrets) -> Response:
    """Request the options of a new passkey, with a link and a code. Needs no credential.

    Every failure gets the same 401. After five wrong codes with the right link, the
    enrolment ends.
    """
    party, invitation = get_relying_party(request), Invitation(body.link, body.code)
    try:
        options = enrolment_redemption.build_options(
            request.app.state.runtime, party, invitation
        )
    except PasskeyRefused as error:
        raise build_refusal(request, invitation) from error
    return render_once(options)


@redemption_router.post(
    "", status_code=201, response_model=OpenedSessionOut, responses=OPENED
)
def redeem_enrolment(request: Request, body: Redemption) -> Response:
    """Register a passkey with a link and a code, and get a session. Needs no credential.

    Every failure gets the same 401. If no response arrives, sign in with the passkey.
    """
    party, invitation = get_relying_party(request), Invitation(body.link, body.code)
    try:
        return enrolment_redemption.redeem_enrolment(
            request.app.state.runtime,
            party,
            invitation,
            (body.credential, body.label),
            render_opened,
        )
    except PasskeyRefused as error:
        raise build_refusal(request, invitation) from error


def build_refusal(request: Request, invitation: Invitation) -> Unauthenticated:
    """Count a failure, and return the problem, which is the same for each failure.

    Raises TooManyWrongKeys (429) after too many failures.
    """
    limit_wrong_keys(request, invitation.prefix)
    return Unauthenticated(enrolment_redemption.REFUSED)
