"""A ranking of the offices that could help, without data that the caller must not see."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.consents import standing
from app.consents.routing_questions import build_question, build_service_question
from app.consents.standing import Standing
from app.directory import queries as directory_queries
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.kernel.transactions import ReadTransaction
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import OPEN, State
from app.referrals.models import Referral
from app.referrals.queries import OpenRequest
from app.routing.question import Question
from app.routing.ranking import Candidate, Ranking, rank_recipients

ANSWERED_NO: Final = frozenset({State.DECLINED, State.REDIRECTED, State.EXPIRED})


def may_know_recipient(referral: Referral, case_file: Standing, reader: FocalPoint) -> bool:
    """Return whether an office knows, or may learn, the recipient of a referral (R12)."""
    is_opener = referral.opened_by == reader.id
    return is_opener or case_file.may_see_helper(reader, referral.recipient)


def rank_helpers(
    tx: ReadTransaction, question: Question, case_file: Standing, service: Service
) -> Ranking:
    """Rank the offices that could provide a service.

    An office that was already asked is left out only if the caller may learn that it was
    asked, because a gap in the list would reveal that it helps (R12).
    """
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    case_file = standing.filter_for_caller(tx, case_file)
    restricted = replace(
        build_service_question(question, case_file, service),
        declined=find_asked_recipients(tx, case_file, service, ANSWERED_NO),
        approached=find_asked_recipients(tx, case_file, service, OPEN),
    )
    ranking = rank_recipients(restricted)
    if case_file.may_know_fears(own_office):
        return ranking
    return limit_to_proposed(restricted, ranking)


def find_asked_recipients(
    tx: ReadTransaction, case_file: Standing, service: Service, states: AbstractSet[State]
) -> frozenset[UUID]:
    """Return the recipients of referrals in `states`, if the caller may see them (R12)."""
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    return frozenset(
        referral.recipient_id
        for referral in referral_queries.list_of_case(tx, case_file.case.id)
        if referral.service == service and referral.state in states
        if may_know_recipient(referral, case_file, own_office)
    )


def limit_to_proposed(question: Question, ranking: Ranking) -> Ranking:
    """Shorten a ranking for a caller that must not know what the person fears.

    If no consent is needed, a feared office would be recognised by its absence from a list.
    The result contains the desk, and the candidates that the person named or, if there are
    none, the office to ask next.
    """
    named = tuple(one for one in ranking.candidates if one.id in question.named)
    return Ranking(named or list_next_candidates(question, ranking)[:1], ranking.desk, ())


def list_next_candidates(question: Question, ranking: Ranking) -> tuple[Candidate, ...]:
    """Return the candidates; if there are none, offices that are full or have declined."""
    if ranking.candidates:
        return ranking.candidates
    profiles = tuple(replace(p, capacity=None) for p in question.profiles)
    without_capacity = replace(question, profiles=profiles)
    without_refusals = replace(without_capacity, declined=frozenset())
    found = rank_recipients(without_capacity).candidates
    return found or rank_recipients(without_refusals).candidates


def is_proposed(tx: ReadTransaction, referral: Referral, case_file: Standing) -> bool:
    """Return whether the recipient of a draft is among the offices proposed to the sender.

    An office that refused or did not answer is included, because it can be asked again.
    """
    asked = find_asked_recipients(tx, case_file, referral.service, ANSWERED_NO)
    if referral.recipient_id in asked:
        return True
    question = build_question(tx, referral.case)
    found = rank_helpers(tx, question, case_file, referral.service).candidates
    return referral.recipient_id in {one.id for one in found}


def is_already_asked(
    tx: ReadTransaction,
    referral: Referral,
    case_file: Standing,
    requests: Iterable[OpenRequest],
) -> bool:
    """Return whether a draft repeats an open referral to the same recipient.

    The open referral must be for the same service and include all sections of the draft,
    and the caller must be allowed to know the referral; otherwise, a refusal would reveal
    which office helps (ADR 51).
    """
    similar = [
        one
        for one in requests
        if one.recipient_id == referral.recipient_id
        and one.service == referral.service
        and set(referral.sections) <= set(one.sections)
    ]
    if not similar:
        return False
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    may_know = case_file.may_see_helper(own_office, referral.recipient)
    return may_know or any(one.opened_by == own_office.id for one in similar)
