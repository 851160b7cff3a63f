"""Routes for emergency access, which another organisation has to grant (R15)."""

from datetime import datetime
from uuid import UUID

from fastapi import Response

from app.access.second_person import NotASecondPerson
from app.api.http.conditional_requests import render
from app.api.http.dependencies import CaseCode, IfNoneMatch, Once, ReadCases, WriteCases
from app.api.http.problems import CREATION, KEYED, NOT_FOUND
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import build_case_view
from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.records import EmergencyAccess
from app.casework import emergency
from app.casework.bodies import (
    InformOfEmergencyAccess,
    RequestEmergencyAccess,
    ReviewEmergencyAccess,
)
from app.casework.emergency import (
    EmergencyAccessDecided,
    EmergencyAccessPending,
    EmergencyAccessUnreviewed,
)
from app.casework.schemas import EmergencyAccessList, EmergencyAccessOut
from app.consents import office_names
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("emergency access", "/cases/{code}/emergency-access")
ACT = (NotFound, *KEYED, RoleMissing, EmergencyAccessDecided)
ASK = (*CREATION, EmergencyAccessUnreviewed, EmergencyAccessPending)
DECIDE = (*ACT, ActionIllegal, ActionNotYours, NotASecondPerson)


def list_acts(one: EmergencyAccess) -> list[tuple[Case, UUID, datetime]]:
    """Return the case, office and time of a request, and those of the decision, if any."""
    acts = [(one.case, one.asked_by, one.asked_at)]
    if one.decided_by and one.decided_at:
        acts.append((one.case, one.decided_by, one.decided_at))
    return acts


def build_accesses(
    tx: ReadTransaction, found: list[EmergencyAccess]
) -> list[EmergencyAccessOut]:
    """Return emergency accesses, with the codes of offices that the caller may see."""
    names = office_names.load_names(tx, [act for one in found for act in list_acts(one)])
    clocks = deadline_queries.find_running(tx, [one.id for one in found])
    telling = {
        key: clock.due_at
        for key, clock in clocks.items()
        if clock.kind == DeadlineKind.INFORM_PERSON
    }
    return [
        EmergencyAccessOut(
            state=one.get_state(tx.now),
            asked_by=names.get_code(one.case, one.asked_by, one.asked_at, as_party=False),
            decided_by=names.get_code(
                one.case, one.decided_by, one.decided_at or one.asked_at, as_party=False
            ),
            inform_person_by=telling.get(one.id) if may_know_holder(tx, one) else None,
            id=one.id,
            reason=one.reason,
            purpose=one.purpose,
            sections=one.sections,
            asked_at=one.asked_at,
            decided_at=one.decided_at,
            holds_until=one.holds_until,
            ended_at=one.ended_at,
            person_informed_at=one.person_informed_at,
            reviewed_at=one.reviewed_at,
            justified=one.justified,
        )
        for one in found
    ]


def load_accesses(tx: ReadTransaction, case: Case) -> EmergencyAccessList:
    """Return the emergency accesses of a case that the caller may see."""
    return EmergencyAccessList(items=build_accesses(tx, emergency.list_accesses(tx, case)))


def may_know_holder(tx: ReadTransaction, reading: EmergencyAccess) -> bool:
    """Return whether the caller may learn which office informs the person, and by when."""
    return Grant.LEAD in reading.case.get_grants(tx.actor.focal_point_id)


def find_access(tx: ReadTransaction, case_id: UUID, access_id: UUID) -> EmergencyAccess:
    """Return an access for a retry, or raise NotFound (404) if the caller cannot see it."""
    return emergency.find_access(tx, case_queries.get_by_id(tx, case_id), access_id)


@router.get("", response_model=EmergencyAccessList, responses=NOT_FOUND)
def list_emergency_access(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the emergency accesses of a case, oldest first.

    The holder, the desk and oversight see all of them. Other offices see only those that
    they asked for. After an access has ended, the holder has to inform the person by the
    time in `inform_person_by`. The field is null once that is done, and for an office that
    must not learn who the holder is.
    """
    with begin() as tx:
        shown = load_accesses(tx, case_queries.get(tx, code))
        return render(shown, if_none_match=if_none_match)


@router.serve_action("", EmergencyAccessOut, *ASK, status=201)
def request_emergency_access(
    begin: WriteCases, code: CaseCode, key: Once, new: RequestEmergencyAccess
) -> Response:
    """Ask another organisation for emergency access while a life is at imminent risk.

    Name only the sections that are needed. The request alone opens nothing: a person of
    oversight, the desk or the lead, but not of your organisation, has to grant it within
    four hours. Then only you can open these sections, for this purpose and for four hours,
    unless the safeguards exclude your office. A State office cannot read names that an NGO
    wrote, unless a consent names the office (R84). The holder and oversight are notified at
    once, and again when the access ends. The person has to be informed afterwards.
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.create_once(begin, key, lambda tx: emergency.request_access(tx, code, new))


@router.serve_action("/{access_id}/grant", EmergencyAccessOut, *DECIDE)
def grant_emergency_access(
    begin: WriteCases, code: CaseCode, access_id: UUID, key: Once
) -> Response:
    """Grant emergency access, as a person of an organisation that did not ask for it.

    A person of oversight needs the role `protection_officer` or `supervisor`. A person of
    the desk or of the lead needs the role `coordinator` or `supervisor`. The holder and
    oversight are notified in the same transaction.
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.run_once(
        begin, key, lambda tx: emergency.decide_access(tx, code, access_id, grant=True)
    )


@router.serve_action("/{access_id}/refuse", EmergencyAccessOut, *DECIDE)
def refuse_emergency_access(
    begin: WriteCases, code: CaseCode, access_id: UUID, key: Once
) -> Response:
    """Refuse emergency access, as a person who could grant it.

    The organisation that asked can ask again.
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.run_once(
        begin, key, lambda tx: emergency.decide_access(tx, code, access_id, grant=False)
    )


@router.serve_action("/{access_id}/stop", EmergencyAccessOut, *ACT)
def stop_emergency_access(
    begin: WriteCases, code: CaseCode, access_id: UUID, key: Once
) -> Response:
    """End emergency access early.

    The office that asked for it, the holder, the desk and oversight may do this. From the
    next request on, the access no longer opens any section. Repeating the request changes
    nothing.
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.run_once(begin, key, lambda tx: emergency.stop_access(tx, code, access_id))


@router.serve_action("/{access_id}/inform", EmergencyAccessOut, *ACT, ActionNotYours)
def inform_of_emergency_access(
    begin: WriteCases,
    code: CaseCode,
    access_id: UUID,
    key: Once,
    body: InformOfEmergencyAccess,
) -> Response:
    """Confirm, as the holder, that the person was told who read which sections.

    This is due within a day after the access ended. The task stays in the worklist until
    the holder confirms it (BR05).
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.run_once(
        begin, key, lambda tx: emergency.confirm_person_told(tx, code, access_id, body)
    )


@router.serve_action(
    "/{access_id}/review", EmergencyAccessOut, *ACT, ActionNotYours, NotASecondPerson
)
def review_emergency_access(
    begin: WriteCases,
    code: CaseCode,
    access_id: UUID,
    key: Once,
    body: ReviewEmergencyAccess,
) -> Response:
    """Record, as a protection officer, whether emergency access was justified.

    The access must have ended, and the reviewer must not have had or granted the access.
    The access log lists the documents that were read. If there is no review within 72 hours
    after the access was granted, the person who had it cannot request access again until
    the review (R17).
    """
    view = build_case_view(code, find_access, build_accesses)
    return view.run_once(
        begin, key, lambda tx: emergency.record_review(tx, code, access_id, body)
    )
