"""Create, find, update, submit and withdraw cases; add risk assessments and screenings."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from app.cases import actions as case_actions
from app.cases import queries as case_queries
from app.cases import statements
from app.cases.actions import add_note, open_draft, store_sealed, update_summary
from app.cases.further_actions import WRITERS, find_further
from app.cases.lifecycle import UNLED, Action, Row, State
from app.cases.models import Case
from app.cases.quotas import require_draft_quota
from app.cases.risk import RiskLevel
from app.cases.schemas import RiskInput, SummaryFields
from app.cases.sections import Paper
from app.casework import acting
from app.casework import situation as casework_situation
from app.casework.bodies import WithdrawCase
from app.casework.carrying import hand_to_next_office
from app.casework.new_cases import (
    WrittenRecords,
    store_empty_records,
    store_written_records,
)
from app.casework.schemas import CaseInput, CaseSearch
from app.casework.sides import get_sides
from app.casework.watching import update_assessment_deadline
from app.consents import actions as consent_actions
from app.consents.routing_questions import load_lead_directory
from app.deadlines import following as deadline_following
from app.deadlines.limits import Priority
from app.directory import queries as directory_queries
from app.kernel.actors import Relation, Side
from app.kernel.db import claim_name
from app.kernel.idempotency import IdempotencyKeyInUse
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions
from app.notifications.actions import notify_offices as call_on
from app.referrals import following as referral_following
from app.referrals import queries as referral_queries
from app.returns import following as return_following
from app.screening import actions as screening_actions
from app.screening.models import Screening
from app.screening.schemas import ScreeningInput


class ExternalReferenceTakenMembers(BaseModel):
    """The case that has the external reference."""

    code: Annotated[str, Field(description="The code of the existing case.")]


class ExternalReferenceTaken(Problem):
    """A case with this external reference exists already."""

    status = 409
    members: ClassVar = ExternalReferenceTakenMembers


class CountryNotChangeable(Problem):
    """The country of a submitted case can only be changed by relocating the case."""

    status = 409


class SummaryIncomplete(Problem):
    """The summary of a submitted case must stay complete."""

    status = 422


def create_case(tx: WriteTransaction, new: CaseInput) -> Case:
    """Create a draft of a case, and submit it in the same transaction if requested."""
    acting.require_role(tx, WRITERS)
    require_draft_space(tx, can_wait=not (new.submit or new.vital_interest))
    digest = compute_reference_digest(tx, new.external_reference)
    if new.submit:
        load_lead_directory(tx, new.summary.country or "")
    case = open_draft(tx, new.summary, digest)
    store_empty_records(tx, case.id)
    written = write_draft(tx, case, new)
    store_written_records(tx, case, written)
    tx.record("case.drafted", case, case.audience)
    if new.submit:
        submit_case(tx, *acting.check_action(tx, case, Action.SUBMIT))
    else:  # a case that is submitted now needs no deadline to finish the draft
        case_actions.start_deadline(tx, case)
    store_written_records(tx, case, written)  # the submission added documents
    return case


def write_draft(tx: WriteTransaction, case: Case, new: CaseInput) -> WrittenRecords:
    """Store the content of a new draft, and return its consents, risk and safeguards."""
    for content in new.sections:
        store_sealed(tx, case, content.section, content)
    if new.safeguards:
        store_sealed(tx, case, Paper.SAFEGUARDS, new.safeguards)
    forms = [consent_actions.record_consent(tx, case, form) for form in new.consents]
    risk = case_actions.add_risk_assessment(tx, case, new.risk) if new.risk else None
    if new.vital_interest:
        case_actions.declare_vital_interest(tx, case, new.vital_interest)
    if new.screening:
        screening_actions.add_screening(tx, case, new.screening)
    consents = [consent for form in forms for consent in form.consents]
    return WrittenRecords(consents, risk, new.safeguards)


def require_draft_space(tx: WriteTransaction, *, can_wait: bool) -> None:
    """Raise DiskSpaceReserved (503) or TooManyDrafts (429) if there is no room for a draft.

    An urgent draft (`can_wait` is false) is never refused, even beyond the byte quota.
    """
    tx.is_exempt_from_quota = not can_wait
    if can_wait:
        tx.runtime.free_space.require_unreserved()
        require_draft_quota(tx)


def compute_reference_digest(tx: WriteTransaction, reference: str | None) -> str | None:
    """Return the digest of the submitter's own number for a case; None if there is none.

    Raises ExternalReferenceTaken (409) if the office has a case with this number, and
    IdempotencyKeyInUse (409) while another request of the office writes such a case.
    """
    if reference is None:
        return None
    named = tx.vault.compute_permanent_fingerprint(*list_bound_values(tx, reference))
    if not claim_name(tx.session, f"external {named}"):
        raise IdempotencyKeyInUse(
            "Another request is writing a case with this external reference."
        )
    digests = list_own_digests(tx, reference)
    if code := case_queries.find_code_by_digests(tx, digests):
        raise ExternalReferenceTaken("Continue with the case in `code`.", {"code": code})
    return digests[0]


def list_own_digests(tx: ReadTransaction, reference: str) -> list[str]:
    """List the digests of an external reference, which are different for each office.

    The first digest is stored for a new case. Older cases may have one of the others, which
    are computed with other keys.
    """
    return tx.vault.list_fingerprints(*list_bound_values(tx, reference))


def list_bound_values(tx: ReadTransaction, reference: str) -> tuple[bytes, ...]:
    """List the values from which the digest of an external reference is computed."""
    return b"external", tx.actor.focal_point_id.bytes, reference.encode()


def find_cases(tx: ReadTransaction, search: CaseSearch) -> Sequence[Case]:
    """List the case with the given code or external reference, if the caller may see it."""
    reference = search.external_reference
    if reference is None:
        return case_queries.list_seen(tx, statements.BY_CODE, code=search.code)
    digests = list_own_digests(tx, reference)
    return case_queries.list_seen(tx, statements.BY_DIGESTS, digests=digests)


def submit_case(tx: WriteTransaction, case: Case, row: Row) -> Case:
    """Submit a case to the first office in the ranking, or else to the desk."""
    before = case.audience
    case_actions.add_oversight(tx, case, sorted(directory_queries.list_overseers(tx)))
    hand_to_next_office(tx, case)
    case_actions.take_step(tx, case, row, audience_before=before)
    update_assessment_deadline(tx, case)
    if case_queries.find_in_vital_interest(tx, [case.id]):
        tx.record("case.vital_interest_declared", case, case.audience)
    return case


def update_case_summary(
    tx: WriteTransaction, code: str, seen: SeenVersions, summary: SummaryFields
) -> Case:
    """Update the summary and, until a lead has the case, the copy for the submitter.

    Raises CountryNotChangeable (409) or SummaryIncomplete (422), and the errors of
    `lock_case` and `require_further`.
    """
    case = acting.lock_case(tx, code, seen)
    acting.require_further(tx, case, Action.UPDATE_SUMMARY)
    require_complete_summary(case, summary)
    kept = case_queries.load_snapshots(tx, [case.id]).get(case.id)
    own = kept if case.state in UNLED else None
    if case.state != State.DRAFT and "country" in summary.model_fields_set:
        if summary.country != (own or case).country:
            raise CountryNotChangeable(
                "Relocate the case: another office may have to lead it."
            )
        summary = SummaryFields(
            **summary.model_dump(exclude={"country"}, exclude_unset=True)
        )
    if own is not None:
        update_summary(own, summary)
    was_child = case.is_child
    if changed := update_summary(case, summary):
        case.raise_version()
        if "priority" in changed:
            deadline_following.update_for_priority(tx, case)
        if was_child and not case.is_child and case.state != State.DRAFT:
            consent_actions.expire_for_adult(tx, case)
        if "age_class" in changed:
            update_assessment_deadline(tx, case)
        if case.is_child != was_child:
            return_following.reopen_decisions(tx, case)
        if "safe_contact" in changed:
            referral_following.notify_of_change(tx, case, None)
        tx.record("case.summary_changed", case, case.summary_audience, {"fields": changed})
    return case


def require_complete_summary(case: Case, summary: SummaryFields) -> None:
    """Raise SummaryIncomplete (422) if a required field is null, except in a draft."""
    given = summary.model_dump(exclude_unset=True)
    emptied = [
        name for name in casework_situation.REQUIRED_FIELDS if given.get(name, "") is None
    ]
    if case.state != State.DRAFT and emptied:
        raise SummaryIncomplete(f"These fields cannot be null: {', '.join(emptied)}.")


def withdraw_case(tx: WriteTransaction, case: Case, row: Row, why: WithdrawCase) -> Case:
    """Withdraw a case before a referral is sent; the candidate or desk loses access."""
    before = case.audience
    add_note(tx, case, row.action, why.note)
    referral_following.revoke_drafts(tx, case, why.reason)
    case.external_digest = None
    for relation in (Relation.CANDIDATE, Relation.DESK):
        case.end_relation(relation, tx.now)
    case_actions.take_step(tx, case, row, {"reason": why.reason}, audience_before=before)
    return case


def assess_risk(tx: WriteTransaction, code: str, risk: RiskInput) -> Case:
    """Add a risk assessment; notify the holder of a high risk, unless it is the caller."""
    case = case_queries.lock(tx, code)
    helps = {Side.RECIPIENT} if referral_queries.is_helping(tx, case.id) else frozenset()
    sides = get_sides(tx, case) | helps
    find_further(case.state, Action.ASSESS_RISK, sides, tx.actor.roles)
    case_actions.add_risk_assessment(tx, case, risk)
    case.raise_version()
    facts = {"level": risk.level}
    tx.record("case.risk_assessed", case, acting.get_audience(tx, case), facts)
    holder, urgent = case.holder, Priority.EMERGENCY
    if holder and holder != tx.actor.focal_point_id and risk.level == RiskLevel.HIGH:
        call_on(tx, [holder], "case.risk_assessed", urgency=urgent, case_id=case.id)
    return case


def add_screening(tx: WriteTransaction, code: str, new: ScreeningInput) -> Screening:
    """Record a screening of a case. The event about it does not contain the result.

    Raises DiskSpaceReserved (503) if the disk is nearly full, because the person can be
    helped without a screening.
    """
    tx.runtime.free_space.require_unreserved()
    case = case_queries.lock(tx, code)
    acting.require_further(tx, case, Action.RECORD_SCREENING)
    screening = screening_actions.add_screening(tx, case, new)
    case.raise_version()
    facts = {"screening": str(screening.id)}
    tx.record("case.screened", case, case.write_audience, facts)
    return screening
