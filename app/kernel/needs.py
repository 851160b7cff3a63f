"""What each need of a step means: how to tell whether it is met, and who can meet it.

Needs are of two kinds: what the record must meet, and what the request brings (`asks`).
A slice maps each of its needs to a check; a missing check raises `KeyError`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from app.kernel.actors import Side
from app.kernel.lifecycle import AnyOf, Step
from app.kernel.problems import Problem
from app.kernel.text import Shown


class NeedsUnmet(Problem):
    """Something must be done before this action is possible."""

    status = 409


@dataclass(frozen=True)
class Remedy:
    """What meets a need, and which side can do it."""

    text: str
    by: Side


@dataclass(frozen=True)
class Check[F]:
    """How a need is judged from the facts, what meets it, and who can.

    `by` is None where the request itself must bring it. `specific` returns a remedy for
    these facts, or None to use `remedy` and `by`. `applies` returns whether the need is
    offered as an alternative.
    """

    met: Callable[[F], bool]
    remedy: str
    by: Side | None = None
    specific: Callable[[F], Remedy | None] | None = None
    applies: Callable[[F], bool] = lambda _: True

    def get_remedy(self, facts: F, asking: Side) -> Remedy:
        """Return what meets the need as the facts are; `asking` brings it by default."""
        found = self.specific(facts) if self.specific else None
        return found or Remedy(self.remedy, self.by or asking)


@dataclass(frozen=True)
class Unmet:
    """A need that does not hold, who can change that, and what would do instead."""

    need: str
    by: Side
    remedy: str
    alternatives: tuple["Unmet", ...] = ()

    def spell(self) -> dict[str, Any]:
        """Spell it for a problem document."""
        words: dict[str, Any] = {"need": self.need, "by": self.by, "remedy": self.remedy}
        if self.alternatives:
            words["alternatives"] = [other.spell() for other in self.alternatives]
        return words


@dataclass(frozen=True)
class Rulebook[N: StrEnum, F]:
    """The needs of one life cycle and how each is judged."""

    checks: Mapping[N, Check[F]]

    def unmet[S: StrEnum, A: StrEnum](self, step: Step[S, A, N], facts: F) -> list[Unmet]:
        """List every need that does not hold, so that nobody mends them one by one."""
        return list(self._lacks(step, facts, self._request_side(step)))

    def asked[S: StrEnum, A: StrEnum](self, step: Step[S, A, N]) -> list[N]:
        """List the needs that the request itself must meet."""
        return [n for n in step.needs if not isinstance(n, AnyOf) and self._is_asked(n)]

    def in_the_way[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F
    ) -> list[Unmet]:
        """List the needs that do not hold now and that no request could meet."""
        record = tuple(need for need in step.needs if not self._can_be_asked(need))
        return self.unmet(replace(step, needs=record), facts)

    def require[S: StrEnum, A: StrEnum](self, step: Step[S, A, N], facts: F) -> None:
        """Raise NeedsUnmet (409) with all that is missing."""
        refuse(self.unmet(step, facts))

    def _can_be_asked(self, need: N | AnyOf[N]) -> bool:
        options = need.needs if isinstance(need, AnyOf) else (need,)
        return any(self._is_asked(option) for option in options)

    def _is_asked(self, need: N) -> bool:
        return self.checks[need].by is None

    def _request_side[S: StrEnum, A: StrEnum](self, step: Step[S, A, N]) -> Side:
        return min(step.sides)

    def _lacks[S: StrEnum, A: StrEnum](
        self, step: Step[S, A, N], facts: F, asking: Side
    ) -> Iterator[Unmet]:
        for need in step.needs:
            options = need.needs if isinstance(need, AnyOf) else (need,)
            checks = [(option, self.checks[option]) for option in options]
            if any(check.met(facts) for _, check in checks):
                continue
            named = [one for one in checks if one[1].applies(facts)] or checks
            remedies = [(one, check.get_remedy(facts, asking)) for one, check in named]
            first, *others = (Unmet(one, said.by, said.text) for one, said in remedies)
            yield Unmet(first.need, first.by, first.remedy, tuple(others))


def refuse(missing: list[Unmet]) -> None:
    """Raise NeedsUnmet (409) if anything is missing."""
    if missing:
        raise NeedsUnmet(
            "See `unmet` for what is missing, and who can mend it.",
            {"unmet": [lack.spell() for lack in missing]},
        )


class UnmetNeed(Shown):
    """A need that does not hold, who can change that, and what would do instead."""

    need: str
    by: Side
    remedy: str
    alternatives: list["UnmetNeed"] = []

    @classmethod
    def of(cls, lack: Unmet) -> Self:
        """Show one."""
        others = [cls.of(other) for other in lack.alternatives]
        return cls(need=lack.need, by=lack.by, remedy=lack.remedy, alternatives=others)
