"""Functions that load the facts of a referral and build its view for the caller."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases.default_contacts import has_default
from app.cases.grants import Grant
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.cases.sections import Section, get_level
from app.cases.snapshots import read_lead_and_holder
from app.consents import queries as consent_queries
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.expiry import find_end_of_cover
from app.consents.standing import Standing
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.deadlines.queries import list_answers
from app.directory import agreement_queries, borders
from app.directory import queries as directory_queries
from app.directory.kinds import DisclosureLevel, OfficeFunction, Service
from app.kernel.actors import Actor, Relation, Role, Side, get_referral_sides
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.helper_ranking import is_already_asked, is_proposed, may_know_recipient
from app.referrals.lifecycle import ANSWERS, OPEN, TABLE, TAKEN_BACK, Action, State
from app.referrals.models import Basis, Clearance, Referral
from app.referrals.needs import RULES, Facts, Terms
from app.referrals.queries import OpenRequest
from app.referrals.schemas import AvailableReferralAction, Outcome, ReferralOut


def get_sides(referral: Referral, actor: Actor) -> frozenset[Side]:
    """Return the sides of an actor in a referral."""
    return get_referral_sides(referral.list_relations(actor.focal_point_id))


def get_roles(referral: Referral, actor: Actor) -> frozenset[Role]:
    """Return the roles with which an actor acts on a referral.

    An officer of a consular office that is asked for a travel document also acts as a
    caseworker, because the same officer verifies nationality and issues the document.
    """
    is_document = referral.service == Service.CONSULAR_DOCUMENT
    consular = is_document and referral.recipient.function == OfficeFunction.CONSULAR
    is_recipient = get_sides(referral, actor) == {Side.RECIPIENT}
    if consular and is_recipient and Role.OFFICER in actor.roles:
        return actor.roles | {Role.CASEWORKER}
    return actor.roles


def load_facts(
    tx: ReadTransaction,
    referral: Referral,
    case_file: Standing,
    terms: Terms | None = None,
    *,
    requests: Iterable[OpenRequest],
) -> Facts:
    """Load the facts for the requirements; `requests` are the case's open referrals."""
    recipient, terms = referral.recipient, terms or Terms()
    service, case = referral.service, referral.case
    sections = frozenset(Section(name) for name in referral.sections)
    answered = sections | (terms.answered or frozenset())
    in_vital_interest = case_file.in_vital_interest and not sections
    return Facts(
        now=tx.now,
        review_by=get_latest_review(tx, referral) if terms.review_at else None,
        case_state=case.state,
        service=service,
        covered=case_file.covers(recipient, Purpose(service), sections),
        answer_covered=case_file.covers(recipient, Purpose(service), answered),
        child_path=case_file.may_refer_child(service, sections),
        vital_interest=in_vital_interest or referral.basis == Basis.VITAL_INTEREST,
        reflection_told=case_file.has_reflection_period(),
        already_asked=referral.state == State.DRAFT
        and is_already_asked(tx, referral, case_file, requests),
        risk_current=case_file.has_current_risk(),
        recipient_safe=case_file.is_safe(recipient, recipient.code),
        agreed=not answered or is_agreed(tx, referral, get_level(answered)),
        origin_permitted=case_file.is_permitted_for_origin(recipient),
        return_cleared=service != Service.RETURN or referral.clearance is not None,
        return_done=service != Service.RETURN or referral.clearance == Clearance.DONE,
        may_be_child=case.may_be_child_to(tx.actor.focal_point_id),
        terms=terms,
        sections=sections,
        recipient=recipient.code,
    )


def is_agreed(tx: ReadTransaction, referral: Referral, level: DisclosureLevel) -> bool:
    """Return whether agreements allow data of this level to be sent to the recipient."""
    country, to = referral.case.country or "", referral.recipient
    holder = referral.case.holder
    if holder is None:
        return agreement_queries.is_agreed(tx, country, to, level)
    sender = directory_queries.by_id(tx, holder)
    return borders.may_cross(tx, country, sender=sender, to=to, level=level)


def get_latest_review(tx: ReadTransaction, referral: Referral) -> datetime:
    """Return the latest time for the review of a referral that is put on hold (D10)."""
    kind, case, to = DeadlineKind.REVIEW, referral.case, referral.recipient_id
    return deadline_queries.compute_due_at(tx, kind, case, waits_on=to)


def redact_for(
    tx: ReadTransaction,
    referral: Referral,
    case_file: Standing,
    facts: Facts,
    sides: AbstractSet[Side],
) -> Facts:
    """Return the facts that the caller may see.

    If the caller must not see the recipient, the code of the recipient is left out. If the
    caller must not learn the fears of the person, an unsafe recipient appears only as a
    missing consent. As the sender of a draft, this caller can choose only an office that a
    consent covers or the ranking proposes, and so cannot find out which office is feared.
    """
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if not may_know_recipient(referral, case_file, own_office):
        facts = replace(facts, recipient=None)
    if case_file.may_know_fears(own_office):
        return facts
    is_draft_of_sender = Side.SENDER in sides and referral.state == State.DRAFT
    safe = facts.recipient_safe and (facts.origin_permitted or not is_draft_of_sender)
    covered = facts.covered and safe
    without_consent = facts.child_path or facts.vital_interest
    if is_draft_of_sender and safe and without_consent and not covered:
        covered = is_proposed(tx, referral, case_file)
    return replace(
        facts,
        covered=covered,
        child_path=facts.child_path and safe and not is_draft_of_sender,
        vital_interest=facts.vital_interest and safe and not is_draft_of_sender,
        recipient_safe=True,
        origin_permitted=True,
    )


def show(tx: ReadTransaction, referrals: Sequence[Referral]) -> list[ReferralOut]:
    """Return referrals as the caller may see them."""
    if not referrals:  # the usual result of a poll
        return []
    cases = {referral.case_id: referral.case for referral in referrals}
    found = standing.load_for_cases(tx, cases.values())
    case_files = {key: standing.filter_for_caller(tx, one) for key, one in found.items()}
    clocks = deadline_queries.find_running(tx, [referral.id for referral in referrals])
    senders = (find_sender(case, tx.actor.focal_point_id) for case in cases.values())
    codes = directory_queries.get_codes(tx, filter(None, senders))
    requests = load_other_requests(tx, referrals)
    return [
        show_one(
            tx,
            one,
            case_files[one.case_id],
            requests.get(one.case_id, []),
            codes,
            clock=clocks.get(one.id),
        )
        for one in referrals
    ]


HIDDEN_FIELDS: Final = {"recipient": None, "due_at": None, "covered_until": None}
"""Fields that are null if the reader must not see the recipient.

The deadline would reveal the working days of the recipient. The end of cover would reveal
the consent that names the recipient.
"""


def load_other_requests(
    tx: ReadTransaction, referrals: Iterable[Referral]
) -> Mapping[UUID, list[OpenRequest]]:
    """Return the open referrals of each case that has a draft among these referrals."""
    drafts = {one.case_id for one in referrals if one.state == State.DRAFT}
    return referral_queries.list_open_requests(tx, drafts) if drafts else {}


def show_one(  # noqa: PLR0913 - the arguments are loaded for all referrals at once
    tx: ReadTransaction,
    referral: Referral,
    case_file: Standing,
    requests: Iterable[OpenRequest],
    codes: Mapping[UUID, str],
    *,
    clock: Clock | None,
) -> ReferralOut:
    """Return one referral as the caller may see it, with the available actions."""
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    own_id, case, sides = own_office.id, referral.case, get_sides(referral, tx.actor)
    facts = load_facts(tx, referral, case_file, requests=requests)
    facts = redact_for(tx, referral, case_file, facts, sides)
    sender = find_sender(case, own_id)
    if clock and clock.waits_on != own_id and Grant.LEAD not in case.get_grants(own_id):
        clock = None
    is_known = may_know_recipient(referral, case_file, own_office)
    answers = list_answers(clock if is_known else None, ANSWERS, own_id)
    shown = ReferralOut(
        id=referral.id,
        case=case.code,
        you_are=sorted(sides),
        sender=codes[sender] if sender else None,
        recipient=referral.recipient.code,
        predecessor=referral.predecessor_id if Side.SENDER in sides else None,
        service=referral.service,
        sections=[Section(name) for name in referral.sections],
        asked=[Section(name) for name in referral.asked],
        state=referral.state,
        reason=get_shown_reason(referral, sides),
        outcome=Outcome(referral.outcome) if referral.outcome else None,
        opened_at=referral.opened_at,
        due_at=clock.due_at if clock else None,
        covered_until=find_covered_until(tx, referral, case_file),
        version=referral.version,
        available_actions=list_actions(tx, referral, facts, sides, answers),
    )
    return shown if is_known else shown.model_copy(update=HIDDEN_FIELDS)


SHOWN_REASON: Final = WithdrawReason.NO_LONGER_NEEDED
"""The reason that a recipient sees whenever its referral is taken back."""


def get_shown_reason(referral: Referral, sides: AbstractSet[Side]) -> str | None:
    """Return the reason of a referral; for its recipient, the same one for every cause.

    The true reason could reveal that the person refused, fears the office, or went away.
    """
    is_hidden = referral.state in TAKEN_BACK and Side.SENDER not in sides
    return SHOWN_REASON if is_hidden else referral.reason


def list_actions(
    tx: ReadTransaction,
    referral: Referral,
    facts: Facts,
    sides: AbstractSet[Side],
    answers: AbstractSet[Action],
) -> list[AvailableReferralAction]:
    """List the actions of the caller in this state, with the unmet requirements of each."""
    rows = TABLE.list_steps_for(referral.state, sides, get_roles(referral, tx.actor))
    if any(step.action == Action.ACCEPT for step, _ in rows):
        default = has_default(tx, tx.actor.focal_point_id)
        facts = replace(facts, default_contacts=default)
    return AvailableReferralAction.list_from(rows, RULES, facts, answers)


def find_covered_until(
    tx: ReadTransaction, referral: Referral, case_file: Standing
) -> datetime | None:
    """Return the time until which consents that the reader may see cover a referral.

    The time may be in the past. Return None if these consents never cover the referral, or
    if the referral has ended. The result does not depend on fears, so it reveals none.
    """
    if referral.state not in OPEN | {State.DRAFT}:
        return None
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    helps = Relation.RECIPIENT in referral.list_relations(own_office.id)
    case, given = referral.case, case_file.consents
    known = consent_queries.list_known_to(case, given, own_office, helps=helps)
    asking = case_file.build_question(referral.recipient, Purpose(referral.service))
    return find_end_of_cover(known, asking, frozenset(map(Section, referral.sections)))


def find_sender(case: Case, reader: UUID) -> UUID | None:
    """Return the holder of the case as the reader may see it, or None.

    A reader with a snapshot of the case sees the holder at the time of the snapshot.
    """
    granted, asked = case.get_grants(reader), case.get_snapshot(reader)
    if Grant.LEAD in granted:
        return case.holder
    return read_lead_and_holder(asked)[1] if asked and Grant.AS_ASKED in granted else None
