"""Schemas of an office's own figures."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.deadlines.limits import DeadlineKind
from app.directory.kinds import Service
from app.figures.own_figures_rules import LEAST_WITHOUT_HELP, MAX_DAYS, USUAL_DAYS, WorkAge
from app.kernel.text import ResponseModel
from app.returns.lifecycle import State as ReturnState

FROM = f"The first day. By default the period has {USUAL_DAYS} days."
TO = f"The last day, which is included. By default today. At most {MAX_DAYS} days in all."


class PeriodQuery(BaseModel):
    """The period of the figures, in days of the time zone of your focal point."""

    model_config = ConfigDict(extra="forbid")

    first: Annotated[date | SkipJsonSchema[None], Field(alias="from", description=FROM)] = (
        None
    )
    last: Annotated[date | SkipJsonSchema[None], Field(alias="to", description=TO)] = None


class DurationFigures(ResponseModel):
    """The number of durations, and their median and 90th percentile (nearest-rank method).

    The median and the percentile are null if the count is 0.
    """

    count: Annotated[int, Field(description="How many durations there are.")]
    median_seconds: Annotated[
        int | None, Field(description="Half of the durations are at most this long.")
    ]
    percentile_90_seconds: Annotated[
        int | None, Field(description="90 % of the durations are at most this long.")
    ]


class AnswerFigures(ResponseModel):
    """The numbers of deadlines to answer requests for a service that were met and missed.

    The deadlines are those to acknowledge a request and to decide on it. A deadline that is
    still running and not missed does not count. A deadline whose request ended early
    without an answer does not count either.
    """

    service: Annotated[
        Service | None,
        Field(description="Null for requests to lead a case, including handovers."),
    ]
    in_time: Annotated[int, Field(description="Deadlines that you met with an answer.")]
    late: Annotated[
        int, Field(description="Deadlines that passed before you answered, if you did.")
    ]


class ReasonFigures(ResponseModel):
    """How often a reason was given."""

    reason: Annotated[str | None, Field(description="A code that says why.")]
    count: Annotated[int, Field(description="How often the reason was given.")]


class DeadlineFigures(ResponseModel):
    """The deadlines of one kind that began in the period and waited for you."""

    kind: Annotated[DeadlineKind, Field(description="The kind of the deadline.")]
    count: Annotated[int, Field(description="The deadlines that began in the period.")]
    missed: Annotated[int, Field(description="How many of them were missed until now.")]


class ReferralFigures(ResponseModel):
    """The referrals that you sent in the period."""

    sent: Annotated[int, Field(description="The referrals that you sent.")]
    cases: Annotated[int, Field(description="The cases in which you sent them.")]


class ReturnFigures(ResponseModel):
    """The number of returns that ended in the same state."""

    outcome: Annotated[ReturnState, Field(description="The state after the end.")]
    count: Annotated[int, Field(description="The returns that ended in this state.")]


class AgeFigures(ResponseModel):
    """The number of cases whose oldest tasks have the same age."""

    age: Annotated[WorkAge, Field(description="How long ago the oldest deadline passed.")]
    cases: Annotated[int, Field(description="The cases whose oldest task has this age.")]


class OfficeFigures(ResponseModel):
    """How often an office missed a deadline of a case in which your desk takes part."""

    focal_point: Annotated[str, Field(description="The code of the focal point.")]
    missed: Annotated[int, Field(description="The missed deadlines you were told of.")]


class SenderFigures(ResponseModel):
    """How many cases and referrals of an office ended without help in twelve weeks.

    The weeks ended at least two weeks ago. Referrals are those of the cases that were
    submitted in these weeks.
    """

    focal_point: Annotated[str, Field(description="The code of the focal point.")]
    cases: Annotated[int, Field(description="The cases that it submitted.")]
    cases_without_lead: Annotated[
        int, Field(description="Those that it withdrew, or in which no office led.")
    ]
    referrals: Annotated[int, Field(description="The referrals that it sent.")]
    referrals_without_help: Annotated[
        int, Field(description="Those that were withdrawn or revoked, or expired.")
    ]


class OwnFigures(ResponseModel):
    """The figures of your focal point for a period, and its open work now.

    They are computed from your feed and your deadlines only, except `senders`, and count
    nothing that happened after your part in a case had ended. They are exact, so protect
    them like the data of a case.
    """

    first_day: Annotated[date, Field(description="The first day of the period.")]
    last_day: Annotated[date, Field(description="The last day, which is included.")]
    time_zone: Annotated[str, Field(description="The time zone in which days begin.")]
    acknowledged: Annotated[
        DurationFigures, Field(description="From each request to your first answer.")
    ]
    decided: Annotated[
        DurationFigures, Field(description="From each request to your decision on it.")
    ]
    sheltered: Annotated[
        DurationFigures,
        Field(description="From each referral to a shelter until it met the person."),
    ]
    answers: Annotated[list[AnswerFigures], Field(description="Your answers by service.")]
    own_declines: Annotated[
        list[ReasonFigures], Field(description="The requests that you declined.")
    ]
    declines_received: Annotated[
        list[ReasonFigures], Field(description="The requests that others declined.")
    ]
    deadlines: Annotated[
        list[DeadlineFigures], Field(description="Your deadlines by their kind.")
    ]
    referrals: Annotated[ReferralFigures, Field(description="Referrals that you sent.")]
    consents_withdrawn: Annotated[
        int, Field(description="The withdrawn consents of which you were told.")
    ]
    returns: Annotated[list[ReturnFigures], Field(description="Returns that ended.")]
    open_work: Annotated[
        list[AgeFigures], Field(description="Cases with open tasks now, by age.")
    ]
    offices: Annotated[
        list[OfficeFigures],
        Field(description="For a desk: offices that missed deadlines. Otherwise empty."),
    ]
    senders: Annotated[
        list[SenderFigures],
        Field(
            description="For protection officers and supervisors of oversight: offices of "
            f"which at least {LEAST_WITHOUT_HELP} cases, or referrals, and at least half "
            "of these, ended without help. Otherwise empty."
        ),
    ]
