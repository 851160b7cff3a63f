"""Routes that move a case to another office or country, and the actions of oversight."""

from fastapi import Response

from app.access.approvals import ApprovalUnusable
from app.access.models import Approval
from app.api.approvals import ASKED
from app.api.case_actions import NO_LONGER_YOURS
from app.api.http.dependencies import ApprovalId, CaseCode, IfMatch, Once, WriteCases
from app.api.http.problems import ACTION, VERSIONED
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import CASE
from app.cases.lifecycle import Action
from app.cases.models import Case
from app.casework import acting, erasing, lead_replacement, moving
from app.casework.bodies import (
    AssignCase,
    EraseCase,
    HoldLegally,
    RelocateCase,
    TakeOverCase,
)
from app.casework.carrying import DeskMissing
from app.casework.failing_leads import LeadNotFailing
from app.casework.lead_replacement import LeadConsentRecorded
from app.casework.schemas import CaseOut
from app.consents.actions import AdultConsentRequired, ConsentEnded, GuardianNeeded
from app.consents.schemas import LeadConsentInput
from app.directory.queries import FocalPointUnknown
from app.kernel.requirements import NeedsUnmet
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import VersionNotGiven, VersionStale

router = ResourceRouter("case actions", "/cases/{code}")
RELOCATE = (*ACTION, VersionNotGiven, VersionStale, moving.CountryUnchanged, DeskMissing)
TAKE_OVER = (*ACTION, NeedsUnmet, ApprovalUnusable, FocalPointUnknown, LeadNotFailing)


@router.serve_action(
    "/assign", CaseOut, *VERSIONED, FocalPointUnknown, answers=NO_LONGER_YOURS
)
def assign_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, choice: AssignCase
) -> Response:
    """Assign a case that the desk holds to a focal point of your choice.

    If the desk is then no longer a party of the case, the response is 204 (No Content).
    """

    def apply(tx: WriteTransaction) -> Case:
        case = acting.lock_case(tx, code, seen)
        terms = moving.build_terms(tx, case, choice)
        return moving.assign_candidate(
            tx, *acting.check_action(tx, case, Action.ASSIGN, terms), choice
        )

    return CASE.run_once(begin, key, apply)


@router.serve_action("/relocate", CaseOut, *RELOCATE, answers=NO_LONGER_YOURS)
def relocate_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: RelocateCase
) -> Response:
    """Record that the person is now in another country, and route the case there.

    If the case has no lead, a candidate in the new country or a desk gets the case. If you
    are then no longer a party, the response is 204. If you are the lead, you keep the case
    until a handover is accepted. If no offer is open, the first suitable office in the new
    country, if there is one, receives an offer of a handover.
    """
    return CASE.run_once(begin, key, lambda tx: moving.relocate_case(tx, code, seen, body))


@router.serve_action(
    "/record-lead-consent",
    CaseOut,
    *ACTION,
    NeedsUnmet,
    ApprovalUnusable,
    LeadNotFailing,
    LeadConsentRecorded,
    AdultConsentRequired,
    GuardianNeeded,
    ConsentEnded,
    DeskMissing,
    answers=NO_LONGER_YOURS | ASKED,
)
def record_lead_consent(
    begin: WriteCases,
    code: CaseCode,
    key: Once,
    new: LeadConsentInput,
    approval: ApprovalId = None,
) -> Response:
    """Record that the person consents to the replacement of a lead that does not act.

    Two people of the desk are needed. The first request gets 202, and the approved request
    gets 200.

    The case must have been escalated to your desk. The person consents to a kind of office
    in the country where they are, not to a single office. `next_lead` then names the office
    to which you can give the lead with `take-over`. If `next_lead` is null, no office of
    that kind can be asked: ask the person about another kind. Oversight gets the event.

    You can also record a consent in a case that your desk holds because no office fits, if
    the submitter's office is closed, or had no account able to work on cases for a day. Use
    the reason `SUBMITTER_INACTIVE` and the purpose `REFER`. The case is then sent to the
    office that routing selects (204). If routing finds no office, your desk keeps the case.
    """

    def apply(tx: WriteTransaction) -> Case | Approval:
        return lead_replacement.record_lead_consent(tx, code, new, approval)

    return CASE.run_once(begin, key, apply)


@router.serve_action("/take-over", CaseOut, *TAKE_OVER, answers=NO_LONGER_YOURS | ASKED)
def take_over_case(
    begin: WriteCases,
    code: CaseCode,
    key: Once,
    choice: TakeOverCase,
    approval: ApprovalId = None,
) -> Response:
    """Replace a lead that does not act with another office.

    Two people of the desk are needed. The first request gets 202, and the approved request
    gets 204, or 200 if the desk remains a party. The case must have been escalated to your
    desk, and the person must have consented to the new lead. If a desk recorded a consent
    to a kind of office, only the office in `next_lead` can get the lead.
    """
    return CASE.run_once(
        begin, key, lambda tx: lead_replacement.take_over(tx, code, choice, approval)
    )


@router.serve_action("/erase", CaseOut, *VERSIONED, ApprovalUnusable, answers=ASKED)
def erase_case(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteCases,
    code: CaseCode,
    seen: IfMatch,
    key: Once,
    body: EraseCase,
    approval: ApprovalId = None,
) -> Response:
    """Erase the sealed documents of an ended case. Two people of oversight are needed."""
    return CASE.run_once(
        begin, key, lambda tx: erasing.erase_case(tx, code, seen, body, approval)
    )


@router.serve_action("/legal-hold", CaseOut, *ACTION, ApprovalUnusable, answers=ASKED)
def place_legal_hold(
    begin: WriteCases,
    code: CaseCode,
    key: Once,
    hold: HoldLegally,
    approval: ApprovalId = None,
) -> Response:
    """Set or lift the legal hold on erasure. Two people of oversight are needed."""
    return CASE.run_once(
        begin, key, lambda tx: erasing.set_legal_hold(tx, code, hold, approval)
    )
