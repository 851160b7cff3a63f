"""The sections of a case that the caller may open, and the offices that opened them.

Nothing here opens a document or writes to the access log (ADR 60).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select

from app.cases import queries as case_queries
from app.cases.grants import Grant
from app.cases.models import Case, Sealed
from app.cases.sections import Section
from app.consents import office_names
from app.consents.coverage import Purpose
from app.directory import queries as directory_queries
from app.disclosure import queries as disclosure_queries
from app.disclosure.models import AccessEntry
from app.disclosure.policy import (
    POLICY,
    AccessRequest,
    Condition,
    Deed,
    Rule,
    is_allowed,
)
from app.disclosure.schemas import (
    Knowledge,
    OfficeKnowledge,
    OpenedOnce,
    OwnAccess,
    WhyNot,
    WhyNotCode,
)
from app.kernel.actors import Side
from app.kernel.transactions import ReadTransaction

_LEAD_PURPOSES: Final = (Purpose.REFER,)
PURPOSES: Final = {
    Side.CANDIDATE: _LEAD_PURPOSES,
    Side.LEAD: _LEAD_PURPOSES,
    Side.HANDOVER_CANDIDATE: (Purpose.HANDOVER,),
}
"""The purposes of consents that let a side read. A recipient's purpose is its service."""


def build_knowledge(tx: ReadTransaction, case: Case) -> Knowledge:
    """Return which sections of a case the caller may open, and which offices opened them.

    Only the lead and oversight get the offices, because only they read the access log.
    """
    found = case_queries.list_sealed(tx, case.id, *Section)
    documents = {Section(one.kind): one for one in found}
    own = [build_own_access(tx, case, section, documents) for section in Section]
    may_read_log = disclosure_queries.may_read_log(tx, case)
    return Knowledge(own=own, offices=list_offices(tx, case) if may_read_log else None)


def build_own_access(
    tx: ReadTransaction, case: Case, section: Section, documents: Mapping[Section, Sealed]
) -> OwnAccess:
    """Return whether the caller may open a section now and, if not, why.

    A caller that must not learn whether the section is written gets the same result for an
    unwritten section as for a section that it may not open.
    """
    office, document = tx.actor.focal_point_id, documents.get(section)
    requests = disclosure_queries.list_requests(tx, case, section, Deed.OPEN, document)
    asked = list(requests)
    is_author = document is not None and document.author == office
    known = is_author or Grant.WRITTEN in case.get_grants(office)
    may_open = any(map(is_allowed, asked)) and (known or document is not None)
    return OwnAccess(
        section=section,
        written=document is not None if known else None,
        may_open=may_open,
        why_not=None if may_open else describe_refusal(tx, case, section, asked),
    )


def describe_refusal(
    tx: ReadTransaction, case: Case, section: Section, asked: Sequence[AccessRequest]
) -> WhyNot:
    """Return why the caller cannot open a section.

    Every condition of the policy except `own_text` looks like a missing consent. The caller
    must not learn that the person fears its office, or which State is the State of origin.
    """
    of_side = [
        (rule, one)
        for one in asked
        for rule in POLICY
        if (rule.deed, section in rule.subjects, rule.side in one.sides)
        == (Deed.OPEN, True, True)
    ]
    if not of_side:
        return WhyNot(code=WhyNotCode.RELATION)
    in_time = [(rule, one) for rule, one in of_side if is_in_time(rule, one)]
    if not in_time:
        return WhyNot(code=WhyNotCode.STATE)
    if not any(rule.roles & one.roles for rule, one in in_time):
        roles = sorted({role for rule, _ in in_time for role in rule.roles})
        return WhyNot(code=WhyNotCode.ROLE, roles=roles)
    rules = [rule for rule, _ in in_time if Condition.OWN_TEXT not in rule.conditions]
    if not rules:
        return WhyNot(code=WhyNotCode.AUTHOR)
    purposes = sorted(list_purposes(tx, case, section, rules))
    return WhyNot(code=WhyNotCode.CONSENT, purposes=purposes)


def is_in_time(rule: Rule, asked: AccessRequest) -> bool:
    """Return whether the states of the case and its referrals fit a row of the policy."""
    states = rule.referral_states
    fits = not states or bool(states & asked.referral_states)
    return asked.case_state in rule.case_states and fits


def list_purposes(
    tx: ReadTransaction, case: Case, section: Section, rules: Iterable[Rule]
) -> frozenset[Purpose]:
    """Return purposes; a consent must name at least one of them to satisfy `rules`."""
    sides = {rule.side for rule in rules}
    found = {purpose for side in sides for purpose in PURPOSES.get(side, ())}
    if Side.RECIPIENT in sides:
        own = disclosure_queries.list_own_referrals(tx, case, section)
        found |= {Purpose(referral.service) for referral in own}
    office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    if office.function in disclosure_queries.INVESTIGATING:
        asked = any(Condition.POLICE_CONSENT in rule.conditions for rule in rules)
        found |= {Purpose.LAW_ENFORCEMENT} if asked else set()
    return frozenset(found)


OPENINGS: Final = (
    select(AccessEntry.focal_point_id, AccessEntry.subject, func.max(AccessEntry.at))
    .where(AccessEntry.case_id == bindparam("case"), AccessEntry.allowed)
    .where(AccessEntry.subject.in_(list(Section)))
    .group_by(AccessEntry.focal_point_id, AccessEntry.subject)
)


def list_offices(tx: ReadTransaction, case: Case) -> list[OfficeKnowledge]:
    """Return the offices that opened a section, as the access log names them.

    All offices that the caller must not see share one entry, because the log does not show
    which of its entries belong to the same hidden office.
    """
    rows = tx.session.execute(OPENINGS, {"case": case.id}).all()
    names = office_names.load_names(tx, [(case, office, at) for office, _, at in rows])
    found: dict[str | None, dict[Section, datetime]] = {}
    for office, subject, at in rows:
        opened = found.setdefault(names.get_code(case, office, at), {})
        section = Section(subject)
        opened[section] = max(at, opened.get(section, at))
    return [
        OfficeKnowledge(
            focal_point=code,
            opened=[OpenedOnce(section=s, at=found[code][s]) for s in sorted(found[code])],
        )
        for code in sorted(found, key=lambda code: (code is None, code or ""))
    ]
