"""Who could help a person, as far as whoever asks may know it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.consents import standing
from app.consents.placing import help_of, public, question_of
from app.consents.standing import Standing
from app.directory import queries as directory
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.kernel.work import Reading
from app.referrals import queries
from app.referrals.lifecycle import OPEN, State
from app.referrals.models import Referral
from app.referrals.queries import OpenRequest
from app.routing.question import Question
from app.routing.ranking import Candidate, Ranking, recipients

ANSWERED_NO: Final = frozenset({State.DECLINED, State.REDIRECTED, State.EXPIRED})


def knows_recipient(referral: Referral, stands: Standing, reader: FocalPoint) -> bool:
    """Say whether a reader may know who gives this help (R12).

    The side of origin sees that a service is given and how far it is, not by whom, unless
    it asked them itself.
    """
    asked = referral.opened_by == reader.id
    return asked or stands.knows(reader, referral.recipient)


def helpers(
    work: Reading, question: Question, stands: Standing, service: Service
) -> Ranking:
    """Rank who could give one service.

    Who was asked before is left out as far as the caller may know whom: else a list would
    tell by whom it leaves out who has the person. So would a place that is taken an hour
    later, to the side of origin (R12).
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    stands = standing.known_to_caller(work, stands)
    profiles = (p if stands.knows(me, p) else public(p) for p in question.profiles)
    question = replace(question, profiles=tuple(profiles))
    asked = replace(
        help_of(question, stands, service),
        declined=asked_in(work, stands, service, ANSWERED_NO),
        approached=asked_in(work, stands, service, OPEN),
    )
    ranking = recipients(asked)
    return ranking if stands.may_know_fears(me) else as_proposed(asked, ranking)


def asked_in(
    work: Reading, stands: Standing, service: Service, states: AbstractSet[State]
) -> frozenset[UUID]:
    """Name who was asked for a service and stands so, as far as the caller may know."""
    me = directory.by_id(work, work.actor.focal_point_id)
    return frozenset(
        referral.recipient_id
        for referral in queries.of_case(work, stands.case.id)
        if referral.service == service and referral.state in states
        if knows_recipient(referral, stands, me)
    )


def as_proposed(question: Question, ranking: Ranking) -> Ranking:
    """Answer one who may not know what the person fears.

    Where nobody's word is waited for, everybody may be told but those the person fears: a
    whole list would say who these are. So it has those whom the person named, whom only the
    person's word explains; and if nobody was named, the one to ask next.
    """
    named = tuple(one for one in ranking.candidates if one.id in question.named)
    return Ranking(named or turn(question, ranking)[:1], ranking.desk, ())


def turn(question: Question, ranking: Ranking) -> tuple[Candidate, ...]:
    """Say whose turn it is where one after the other is asked; never nobody's if it can be.

    Who has no place comes after all others, then who said no or nothing already: there may
    be one office alone that protects a child, and who holds the case cannot choose another.
    """
    if ranking.candidates:
        return ranking.candidates
    profiles = tuple(replace(p, capacity=None) for p in question.profiles)
    crowded = replace(question, profiles=profiles)
    again = replace(crowded, declined=frozenset())
    return recipients(crowded).candidates or recipients(again).candidates


def is_proposed(work: Reading, referral: Referral, stands: Standing) -> bool:
    """Say whether the recipient of a draft is among those its sender finds proposed.

    Or was asked before and said no or nothing: it can always be asked again.
    """
    if referral.recipient_id in asked_in(work, stands, referral.service, ANSWERED_NO):
        return True
    question = question_of(work, referral.case)
    found = helpers(work, question, stands, referral.service).candidates
    return referral.recipient_id in {one.id for one in found}


def is_already_asked(
    work: Reading,
    referral: Referral,
    stands: Standing,
    requests: Iterable[OpenRequest],
) -> bool:
    """Return whether an open request gives the recipient of a draft as much or more.

    Only as far as the caller may know whom the other request asks (ADR 51): else a refusal
    would tell who helps.
    """
    same = [
        one
        for one in requests
        if one.recipient_id == referral.recipient_id
        and one.service == referral.service
        and set(referral.sections) <= set(one.sections)
    ]
    if not same:
        return False
    me = directory.by_id(work, work.actor.focal_point_id)
    knows = stands.knows(me, referral.recipient)
    return knows or any(one.opened_by == me.id for one in same)
