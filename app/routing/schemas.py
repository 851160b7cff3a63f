"""Routing as the outside world sees it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from app.directory.kinds import AgeGroup, Service, Sex
from app.kernel.text import Shown
from app.routing.advice import SAYS, Advised
from app.routing.ranking import Candidate, Ranking

Reasons = Annotated[
    list[str],
    Field(description="Codes, such as `works_in_the_country`; the list will grow."),
]


class AdviceOut(Shown):
    """What to know before acting on a list."""

    advice: Annotated[str, Field(description="A code; the list will grow.")]
    says: str
    service: Annotated[Service | None, Field(description="Which service it speaks of.")]
    beside: Annotated[
        list[str], Field(description="Of no State, and may lead: offer them as well.")
    ]

    @classmethod
    def of(cls, found: Iterable[Advised]) -> list[Self]:
        """Spell every advice."""
        return [
            cls(
                advice=one.advice,
                says=SAYS[one.advice],
                service=one.service,
                beside=list(one.beside),
            )
            for one in found
        ]


class CandidateOut(Shown):
    """A focal point that may lead, and why."""

    place: int
    focal_point: str
    reasons: Reasons
    asked_at: datetime | None
    declined_at: datetime | None


class LeftOutOut(Shown):
    """A focal point of the country that may not, and why not."""

    focal_point: str
    reasons: Reasons


class RoutingOut(Shown):
    """Who is asked to lead, in which order and why; at the end of the list, the desk."""

    holder: Annotated[str | None, Field(description="Who has it now.")]
    candidates: list[CandidateOut]
    left_out: list[LeftOutOut]
    advice: list[AdviceOut]


class RankedOut(Shown):
    """A focal point that may be asked, and why; the best comes first.

    What it serves is said as far as it is known: no case says the sex of the person, so
    whoever asks compares.
    """

    focal_point: str
    reasons: Reasons
    sexes: Annotated[list[Sex], Field(description="Whom it serves; empty: not known.")]
    ages: Annotated[list[AgeGroup], Field(description="Whom it serves; empty: not known.")]

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        """Show one."""
        return cls(
            focal_point=candidate.code,
            reasons=list(candidate.reasons),
            sexes=sorted(candidate.profile.sexes),
            ages=sorted(candidate.profile.ages),
        )


class RankingOut(Shown):
    """Who may be asked, and who of the country may not.

    `no_consent` alone: it would fit, ask the person.
    """

    candidates: list[RankedOut]
    left_out: list[LeftOutOut]

    @classmethod
    def of(cls, ranking: Ranking) -> Self:
        """Show a ranking, with what speaks against those of the country."""
        near = (out for out in ranking.left_out if out.near)
        return cls(
            candidates=[RankedOut.of(candidate) for candidate in ranking.candidates],
            left_out=[
                LeftOutOut(focal_point=o.code, reasons=list(o.reasons)) for o in near
            ],
        )


class ServiceOut(RankingOut):
    """Who could give one service."""

    service: Service


class RecipientsOut(Shown):
    """Who could serve, service by service; at the end of each list, the desk helps."""

    services: list[ServiceOut]
    desk: Annotated[str | None, Field(description="Whom to turn to when nobody can.")]
    advice: list[AdviceOut]


class TrialOut(Shown):
    """What routing would answer."""

    leads: RankingOut
    services: list[ServiceOut]
    desk: Annotated[str | None, Field(description="Who has a case that nobody takes.")]
    advice: list[AdviceOut]
