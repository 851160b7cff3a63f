"""Who could help a person, as far as whoever asks may know it."""

from dataclasses import replace
from typing import Final

from app.consents.placing import help_of, question_of
from app.consents.standing import Standing
from app.directory import queries as directory
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.kernel.work import Reading
from app.referrals import queries
from app.referrals.lifecycle import OPEN, State
from app.referrals.models import Referral
from app.routing.question import Question
from app.routing.ranking import Ranking, recipients

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
    tell by whom it leaves out who has the person.
    """
    me = directory.by_id(work, work.actor.focal_point_id)
    same = [
        referral
        for referral in queries.of_case(work, stands.case.id)
        if referral.service == service and knows_recipient(referral, stands, me)
    ]
    asked = replace(
        help_of(question, stands, service),
        declined=frozenset(r.recipient_id for r in same if r.state in ANSWERED_NO),
        approached=frozenset(r.recipient_id for r in same if r.state in OPEN),
    )
    ranking = recipients(asked)
    return ranking if stands.may_know_fears(me) else as_proposed(asked, ranking)


def as_proposed(question: Question, ranking: Ranking) -> Ranking:
    """Answer one who may not know what the person fears.

    Where nobody's word is waited for, everybody may be told but those the person fears: a
    whole list would say who these are. So it has those whom the person named, whom only the
    person's word explains; and if nobody was named, the one to ask next.
    """
    named = tuple(one for one in ranking.candidates if one.id in question.named)
    return Ranking(named or ranking.candidates[:1], ranking.desk, ())


def is_proposed(work: Reading, referral: Referral, stands: Standing) -> bool:
    """Say whether the recipient of a draft is among those its sender finds proposed."""
    question = question_of(work, referral.case)
    found = helpers(work, question, stands, referral.service).candidates
    return referral.recipient_id in {one.id for one in found}
