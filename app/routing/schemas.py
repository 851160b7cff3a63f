"""API schemas of routing results."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from app.directory.kinds import AgeGroup, Service, Sex
from app.kernel.text import ResponseModel
from app.routing.advice import ADVICE_TEXTS, AdviceItem
from app.routing.ranking import Candidate, Ranking

Reasons = Annotated[
    list[str],
    Field(description="Codes, such as `works_in_the_country`; more may be added."),
]


class AdviceOut(ResponseModel):
    """A piece of advice to read before using a list of offices."""

    advice: Annotated[str, Field(description="A code; more may be added.")]
    text: str
    service: Annotated[
        Service | None, Field(description="The service that the advice concerns.")
    ]
    offices: Annotated[
        list[str], Field(description="Non-State offices that may lead; offer them too.")
    ]

    @classmethod
    def from_items(cls, found: Iterable[AdviceItem]) -> list[Self]:
        """Return each piece of advice as the API shows it."""
        return [
            cls(
                advice=one.advice,
                text=ADVICE_TEXTS[one.advice],
                service=one.service,
                offices=list(one.beside),
            )
            for one in found
        ]


class CandidateOut(ResponseModel):
    """A focal point that may lead, with the reasons."""

    position: int
    focal_point: str
    reasons: Reasons
    asked_at: datetime | None
    declined_at: datetime | None


class ExcludedOut(ResponseModel):
    """A focal point of the country, with the reasons why it may not be asked."""

    focal_point: str
    reasons: Reasons


class RoutingOut(ResponseModel):
    """The offices that are asked to lead, in order, with reasons. The desk comes last."""

    holder: Annotated[str | None, Field(description="The office that holds the case now.")]
    candidates: list[CandidateOut]
    excluded: list[ExcludedOut]
    advice: list[AdviceOut]


class RankedOut(ResponseModel):
    """A focal point that may be asked, with the reasons. A list starts with the best match.

    A case does not state the sex of the person, so the caller has to compare the person's
    sex with `sexes`.
    """

    focal_point: str
    reasons: Reasons
    sexes: Annotated[list[Sex], Field(description="Sexes served; empty if unknown.")]
    ages: Annotated[list[AgeGroup], Field(description="Ages served; empty if unknown.")]

    @classmethod
    def from_candidate(cls, candidate: Candidate) -> Self:
        """Return a candidate as the API shows it."""
        return cls(
            focal_point=candidate.code,
            reasons=list(candidate.reasons),
            sexes=sorted(candidate.profile.sexes),
            ages=sorted(candidate.profile.ages),
        )


class RankingOut(ResponseModel):
    """The offices that may be asked, and the offices of the country that may not be asked.

    An office whose only reason is `no_consent` could be asked if the person agreed.
    """

    candidates: list[RankedOut]
    excluded: list[ExcludedOut]

    @classmethod
    def from_ranking(cls, ranking: Ranking) -> Self:
        """Return a ranking for the API, without excluded offices of other countries."""
        near = (out for out in ranking.excluded if out.near)
        return cls(
            candidates=[
                RankedOut.from_candidate(candidate) for candidate in ranking.candidates
            ],
            excluded=[
                ExcludedOut(focal_point=o.code, reasons=list(o.reasons)) for o in near
            ],
        )


class ServiceOut(RankingOut):
    """The ranking of the offices that could provide one service."""

    service: Service


class RecipientsOut(ResponseModel):
    """The offices that could provide each service, and the desk to ask if none can."""

    services: list[ServiceOut]
    desk: Annotated[str | None, Field(description="The desk to ask if no office can help.")]
    advice: list[AdviceOut]


class TrialOut(ResponseModel):
    """The result of routing for a question without a case."""

    leads: RankingOut
    services: list[ServiceOut]
    desk: Annotated[
        str | None, Field(description="The desk that gets the case if no office leads.")
    ]
    advice: list[AdviceOut]
