"""The offices that may replace a lead that does not act, and their order (ADR 47).

A desk chooses among the offices that the person agreed to. If a desk recorded a consent
to a class of offices, routing chooses an office of that class.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from app.cases.models import Case
from app.casework.failing_leads import find_failures
from app.consents import standing
from app.consents.coverage import Addressee, Purpose
from app.consents.models import Consent
from app.consents.routing_questions import build_lead_question
from app.consents.standing import Standing
from app.directory import queries as directory_queries
from app.directory.kinds import NEVER_LEAD, OfficeKind, is_at_home
from app.directory.models import FocalPoint
from app.kernel.transactions import ReadTransaction
from app.routing.question import Question
from app.routing.ranking import Candidate, rank_leads


@dataclass(frozen=True)
class Succession:
    """The succession of a lead: whether the lead does not act, and which office is next."""

    lead_fails: bool = False
    next_lead: str | None = None


def find_successions(
    tx: ReadTransaction, standings: Iterable[Standing]
) -> Mapping[UUID, Succession]:
    """Return, for each case, whether the lead does not act and, if so, the next lead.

    The caller must have `Grant.NEXT_LEAD` in each case.
    """
    known = list(standings)
    failures = find_failures(tx, [one.case for one in known])
    found = dict[UUID, Succession]()
    for stands in known:
        fails = bool(failures[stands.case.id])
        candidate = find_next_lead(tx, stands.case, stands) if fails else None
        found[stands.case.id] = Succession(fails, candidate.code if candidate else None)
    return found


def can_lead(case: Case, office: FocalPoint) -> bool:
    """Return whether an office could lead a case.

    The office must be active and capable of leading, and must not hold the case. It must
    belong to the country where the person is (routing rule 2), even if a desk chooses it.
    """
    able = office.active and office.can_lead and office.id != case.holder
    return able and office.kind not in NEVER_LEAD and is_at_home(office, case.country or "")


def may_be_chosen(tx: ReadTransaction, case: Case, chosen: FocalPoint) -> bool:
    """Return whether a desk may ask a focal point to lead a case.

    The office must be safe and able to lead. In addition, one of these must hold. A consent
    that was recorded by a desk, unless the desk is the submitter, counts only for the last:

    - The person agreed to be referred to the office.
    - The office may read the summary, and is next in the ranking or was already asked.
    - The office may not read the summary, but is next in a class of offices to which a desk
      recorded a consent.

    Every refusal looks the same, because a desk must not learn which offices the person
    fears.
    """
    stands = standing.load_for_case(tx, case)
    if not (can_lead(case, chosen) and stands.is_safe(chosen, chosen.code)):
        return False
    agreed = remove_consents(stands, list_consents_for_submitter(tx, stands))
    if agreed.get_covered_sections(chosen, Purpose.REFER) is not None:
        return True
    if agreed.may_read_summary(chosen):
        return is_next(tx, case, chosen)
    return is_named_next(tx, case, chosen)


def is_next(tx: ReadTransaction, case: Case, chosen: FocalPoint) -> bool:
    """Return whether an office is next in the ranking, or was already asked to lead."""
    question = build_lead_question(tx, case)
    turn = rank_leads(question).candidates[:1]
    return chosen.id in question.declined or chosen.id in {one.id for one in turn}


def is_allowed_choice(tx: ReadTransaction, case: Case, chosen: FocalPoint) -> bool:
    """Return whether a desk may choose an office as the new lead of a case.

    The rules are those of `may_be_chosen`, but a consent for HANDOVER is enough as well,
    and a consent that a desk recorded does not count.
    """
    stands = standing.load_for_case(tx, case)
    agreed = remove_consents(stands, list_desk_consents(tx, stands))
    if not (can_lead(case, chosen) and stands.is_safe(chosen, chosen.code)):
        return False
    if has_agreed_to_lead(agreed, chosen):
        return True
    return agreed.may_read_summary(chosen) and is_next(tx, case, chosen)


def is_named_next(
    tx: ReadTransaction, case: Case, chosen: FocalPoint, *, was_named: bool = False
) -> bool:
    """Return whether an office is named as the next lead of a case.

    `was_named` means that the office was the next lead when the approval was requested. The
    office is then still accepted if it can lead and is safe, and if the person agreed.
    """
    stands = standing.load_for_case(tx, case)
    found = find_next_lead(tx, case, stands)
    if found is not None and found.id == chosen.id:
        return True
    able = can_lead(case, chosen) and stands.is_safe(chosen, chosen.code)
    by_desks = replace(stands, consents=list_desk_consents(tx, stands))
    return was_named and able and may_be_named(by_desks, chosen)


def may_be_named(by_desks: Standing, office: Addressee) -> bool:
    """Return whether consents that desks recorded allow an office to be named as next lead.

    A body of the State of origin also needs a decision by the person, which no desk can
    record.
    """
    return has_agreed_to_lead(by_desks, office) and by_desks.is_permitted_for_origin(office)


def has_agreed_to_lead(stands: Standing, office: Addressee) -> bool:
    """Return whether the person agreed that an office leads the case.

    A consent for REFER is enough. A consent for HANDOVER counts for an office of the State
    of origin only if the person decided that this State may be informed (BR24), as for
    every handover.
    """
    if stands.get_covered_sections(office, Purpose.REFER) is not None:
        return True
    handed = stands.get_covered_sections(office, Purpose.HANDOVER) is not None
    return handed and stands.is_permitted_for_origin(office)


def list_desk_consents(tx: ReadTransaction, stands: Standing) -> list[Consent]:
    """List the consents that a desk recorded and that name a class of offices."""
    classes = [one for one in stands.consents if one.kind is not None]
    if not classes:
        return []
    offices = directory_queries.by_ids(tx, {one.recorded_by for one in classes})
    return [one for one in classes if offices[one.recorded_by].kind == OfficeKind.DESK]


def list_consents_for_submitter(tx: ReadTransaction, stands: Standing) -> list[Consent]:
    """List the consents from `list_desk_consents` that the submitter did not record."""
    submitter = stands.case.submitter
    if all(one.recorded_by == submitter for one in stands.consents):
        return []
    by_desks = list_desk_consents(tx, stands)
    return [one for one in by_desks if one.recorded_by != submitter]


def remove_consents(stands: Standing, consents: Collection[Consent]) -> Standing:
    """Return a copy of a case file without the given consents."""
    left = [one for one in stands.consents if one not in consents]
    return replace(stands, consents=left)


def build_candidate_question(tx: ReadTransaction, case: Case) -> Question:
    """Return the input of the ranking for the next candidate of a case without a lead.

    If a body of the State of origin is covered only by consents that desks recorded, it is
    not asked until the person has decided that this State may be informed (ADR 47).
    """
    stands = standing.load_for_case(tx, case)
    question = build_lead_question(tx, case, stands)
    by_desks = list_consents_for_submitter(tx, stands)
    if not by_desks:
        return question
    others = remove_consents(stands, by_desks)
    barred = {
        one.id
        for one in question.profiles
        if not (others.may_read_summary(one) or stands.is_permitted_for_origin(one))
    }
    return replace(
        question, consented=question.consented - barred, named=question.named - barred
    )


def find_next_lead(tx: ReadTransaction, case: Case, stands: Standing) -> Candidate | None:
    """Return the next possible lead under the consents that desks recorded, or None.

    These consents name classes of offices. An office that was asked or has led before comes
    after the others. A State body that routing avoids comes last. Offices that
    cannot lead or are not safe are left out.
    """
    by_desks = list_desk_consents(tx, stands)
    if not by_desks:
        return None
    question = build_next_lead_question(tx, case, replace(stands, consents=by_desks))
    again = replace(question, declined=frozenset())
    for one in (question, again, replace(again, avoided=frozenset())):
        for candidate in rank_leads(one).candidates:
            if candidate.id != case.holder:
                return candidate
    return None


def build_next_lead_question(tx: ReadTransaction, case: Case, stands: Standing) -> Question:
    """Return the input of the ranking of next leads, using consents that desks recorded."""
    question = build_lead_question(tx, case, stands)
    agreed = frozenset(p.id for p in question.profiles if may_be_named(stands, p))
    have_led = {party.focal_point_id for party in case.parties if case.was_lead(party)}
    return replace(
        question, consented=agreed, named=agreed, declined=question.declined | have_led
    )
