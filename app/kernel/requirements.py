"""The requirements of actions, their checks, and the sides that can meet them.

Some requirements concern the record; others, the request itself, such as a field that it
must contain. Every requirement must have a check; a missing check raises `KeyError`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, Field

from app.kernel.actors import Role, Side
from app.kernel.lifecycle import AnyOf, Step
from app.kernel.problems import Problem
from app.kernel.text import ResponseModel


class RequiredConsent(ResponseModel):
    """The consent that a requirement asks for, regardless of the consents on record."""

    purpose: Annotated[
        str,
        Field(
            description="The purpose that the consent must name. `RETURN` must be the only "
            "purpose of the consent."
        ),
    ]
    sections: Annotated[
        list[str],
        Field(description="All sections that the consent must name; empty if none."),
    ] = []
    recipient: Annotated[
        str | None,
        Field(description="The office that the consent must include. Null: see `remedy`."),
    ] = None


ANSWERS_DEADLINE: Final = (
    "Whether the action completes the task of the deadline in `due_at`, and that deadline "
    "waits for your office."
)


class UnmetRequirement(ResponseModel):
    """An unmet requirement, the side that can meet it, and alternative requirements."""

    requirement: str
    by: Side
    remedy: str
    consent: Annotated[
        RequiredConsent | None,
        Field(description="The consent to record; null if none is required."),
    ] = None
    alternatives: list["UnmetRequirement"] = []


class NeedsUnmetMembers(BaseModel):
    """The unmet requirements."""

    unmet: Annotated[
        list[UnmetRequirement],
        Field(description="Every unmet requirement, so that all can be met at once."),
    ]


class NeedsUnmet(Problem):
    """Something must be done before this action is possible."""

    status = 409
    members: ClassVar = NeedsUnmetMembers


@dataclass(frozen=True)
class Remedy:
    """A text that says how to meet a requirement, and the side that can meet it."""

    text: str
    by: Side


@dataclass(frozen=True)
class Check[F]:
    """The check of a requirement, with its remedy and the side that can meet it.

    `by` is None if the request itself must meet the requirement. `specific` returns a
    remedy for the given facts, or None if `remedy` and `by` apply. `applies` returns
    whether the requirement is offered as an alternative. `consent` returns the consent that
    is required, and must use only facts that the caller may see. `preset` returns whether
    the service has a value that applies if the request has none.
    """

    met: Callable[[F], bool]
    remedy: str
    by: Side | None = None
    specific: Callable[[F], Remedy | None] | None = None
    applies: Callable[[F], bool] = lambda _: True
    consent: Callable[[F], RequiredConsent | None] = lambda _: None
    preset: Callable[[F], bool] = lambda _: False

    def get_remedy(self, facts: F, asking: Side) -> Remedy:
        """Return the remedy for these facts; its side is `asking` if the check has none."""
        found = self.specific(facts) if self.specific else None
        return found or Remedy(self.remedy, self.by or asking)

    def describe_unmet(self, code: str, facts: F, asking: Side) -> UnmetRequirement:
        """Return the unmet requirement with its remedy and the consent that is required."""
        remedy, consent = self.get_remedy(facts, asking), self.consent(facts)
        return UnmetRequirement(
            requirement=code, by=remedy.by, remedy=remedy.text, consent=consent
        )


@dataclass(frozen=True)
class Rulebook[N: StrEnum, F]:
    """The requirements of one life cycle and their checks."""

    checks: Mapping[N, Check[F]]

    def list_unmet[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F
    ) -> list[UnmetRequirement]:
        """List every unmet requirement of a step, so that all can be met in one attempt."""
        return list(self._find_unmet(step, facts))

    def list_request_needs[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F
    ) -> list[N]:
        """List the requirements of a step that the request itself must meet.

        Groups of alternatives, and requirements with a preset value, are left out.
        """
        asked = [n for n in step.needs if not isinstance(n, AnyOf) and self._is_asked(n)]
        return [need for need in asked if not self.checks[need].preset(facts)]

    def list_blocking[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F
    ) -> list[UnmetRequirement]:
        """List the unmet requirements of a step that the request itself cannot meet."""
        record = tuple(need for need in step.needs if not self._can_be_asked(need))
        return self.list_unmet(replace(step, needs=record), facts)

    def require[S: StrEnum, A: StrEnum](self, step: Step[S, A, N], facts: F) -> None:
        """Raise NeedsUnmet (409) with all unmet requirements of a step, if any."""
        raise_unmet(self.list_unmet(step, facts))

    def _can_be_asked(self, need: N | AnyOf[N]) -> bool:
        options = need.needs if isinstance(need, AnyOf) else (need,)
        return any(self._is_asked(option) for option in options)

    def _is_asked(self, need: N) -> bool:
        return self.checks[need].by is None

    def _find_unmet[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F
    ) -> Iterator[UnmetRequirement]:
        asking = min(step.sides)
        for need in step.needs:
            options = need.needs if isinstance(need, AnyOf) else (need,)
            checks = [(option, self.checks[option]) for option in options]
            if any(check.met(facts) for _, check in checks):
                continue
            offered = [(n, check) for n, check in checks if check.applies(facts)] or checks
            first, *others = (c.describe_unmet(n, facts, asking) for n, c in offered)
            yield first.model_copy(update={"alternatives": others})


def raise_unmet(missing: list[UnmetRequirement]) -> None:
    """Raise NeedsUnmet (409) if the list of unmet requirements is not empty."""
    if missing:
        raise NeedsUnmet(
            "`unmet` lists the unmet requirements and the side that can meet each of them.",
            {"unmet": [requirement.model_dump(mode="json") for requirement in missing]},
        )


class AvailableAction[A: StrEnum, N: StrEnum](ResponseModel):
    """An action of your office in this state, with its unmet requirements."""

    action: A
    open: bool
    roles: Annotated[
        list[Role], Field(description="An account needs one of them; empty: any role.")
    ]
    role_missing: Annotated[
        bool, Field(description="Whether your account has none of `roles`.")
    ]
    answers_deadline: Annotated[bool, Field(description=ANSWERS_DEADLINE)]
    asks: Annotated[
        list[N], Field(description="The requirements that your request itself must meet.")
    ]
    unmet: list[UnmetRequirement]

    @classmethod
    def list_from[S: StrEnum, F](
        cls,
        steps: Iterable[tuple[Step[S, A, N], bool]],
        rules: Rulebook[N, F],
        facts: F,
        answers: AbstractSet[A],
    ) -> list[Self]:
        """Return the actions of these steps, each with its unmet requirements.

        Each step has a flag: whether the account has a role for it. An account without such
        a role gets no unmet requirements, because a request would not reveal them either.
        `answers` are the actions that complete the task of the running deadline.
        """
        return [
            cls(
                action=step.action,
                open=not lacks and allowed,
                roles=sorted(step.roles),
                role_missing=not allowed,
                answers_deadline=step.action in answers,
                asks=rules.list_request_needs(step, facts),
                unmet=lacks,
            )
            for step, allowed in steps
            for lacks in (rules.list_blocking(step, facts) if allowed else [],)
        ]
