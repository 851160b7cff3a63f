"""How things stand for one who asks, in the words of the policy; and the access log."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Select, select

from app.cases.models import Case, Sealed
from app.cases.sections import Section
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.standing import Standing
from app.directory import queries as directory
from app.directory.kinds import Function
from app.directory.models import FocalPoint
from app.disclosure.models import AccessEntry
from app.disclosure.policy import Asked, Condition, Deed, Subject
from app.kernel.actors import Relation, Side, sides_of_case, sides_of_referral
from app.kernel.lifecycle import ActionNotYours
from app.kernel.work import Reading
from app.referrals import queries as referrals
from app.referrals.models import Referral


def asked(
    work: Reading,
    record: Case | Referral,
    subject: Subject,
    deed: Deed,
    paper: Sealed | None,
) -> Asked:
    """Put a question to the policy: who asks, on which sides, and what holds."""
    case = record if isinstance(record, Case) else record.case
    me = directory.by_id(work, work.actor.focal_point_id)
    mine = my_referrals(work, record, subject)
    stands = standing.of_case(work, case)
    return Asked(
        deed=deed,
        subject=subject,
        sides=sides(work, record, mine),
        case_state=case.state,
        referral_states=frozenset(referral.state for referral in mine),
        holds=frozenset(conditions(stands, me, subject, mine, paper)),
    )


def my_referrals(
    work: Reading, record: Case | Referral, subject: Subject
) -> list[Referral]:
    """List the referrals on which a reading could rest: this one, or mine in the case.

    For a section, only those that were sent with it.
    """
    if isinstance(record, Referral):
        return [record]
    return [
        referral
        for referral in referrals.of_case(work, record.id)
        if Relation.RECIPIENT in referral.relations_of(work.actor.focal_point_id)
        and (not isinstance(subject, Section) or subject in referral.sections)
    ]


def sides(work: Reading, record: Case | Referral, mine: list[Referral]) -> frozenset[Side]:
    """Say on which sides the caller stands for this record."""
    relations = record.relations_of(work.actor.focal_point_id)
    if isinstance(record, Referral):
        return sides_of_referral(relations)
    recipient = frozenset({Side.RECIPIENT}) if mine else frozenset[Side]()
    return sides_of_case(relations) | recipient


def conditions(
    stands: Standing,
    me: FocalPoint,
    subject: Subject,
    mine: Iterable[Referral],
    paper: Sealed | None,
) -> Iterator[Condition]:
    """List the conditions of the policy that hold."""
    if paper is not None and paper.author == me.id:
        yield Condition.OWN_TEXT
    if not stands.is_of_origin(me):
        yield Condition.NOT_OF_ORIGIN
    if stands.origin_is_permitted(me):
        yield Condition.ORIGIN_PERMITTED
    if isinstance(subject, Section) and is_consented(stands, me, subject, mine):
        yield Condition.CONSENTED
    if isinstance(subject, Section) and police_may(stands, me, subject):
        yield Condition.POLICE_CONSENT


def is_consented(
    stands: Standing, me: FocalPoint, section: Section, mine: Iterable[Referral]
) -> bool:
    """Say whether the person allowed it: to a recipient for its service, else to refer."""
    purposes = {Purpose(referral.service) for referral in mine}
    if stands.case.relations_of(me.id) & {Relation.CANDIDATE, Relation.LEAD}:
        purposes |= {Purpose.REFER, Purpose.HANDOVER}
    told = [stands.told(me, purpose) for purpose in purposes]
    return any(section in sections for sections in told if sections)


def police_may(stands: Standing, me: FocalPoint, section: Section) -> bool:
    """Say whether it is no police or prosecution, or has a consent of its own."""
    if me.function not in {Function.POLICE, Function.PROSECUTION}:
        return True
    return section in (stands.told(me, Purpose.LAW_ENFORCEMENT) or ())


def access_log(work: Reading, case: Case) -> Select[AccessEntry, int]:
    """Select who opened what in a case; for its lead and oversight alone.

    Raises ActionNotYours (403).
    """
    allowed = {Side.LEAD, Side.OVERSIGHT}
    if not sides_of_case(case.relations_of(work.actor.focal_point_id)) & allowed:
        raise ActionNotYours("This is for the lead and for oversight to read.")
    of_case = AccessEntry.case_id == case.id
    return select(AccessEntry, AccessEntry.number).where(of_case)
