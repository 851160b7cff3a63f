"""The engine all life cycles share: a table of steps, and one way to take one."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, Protocol

from app.kernel.actors import Role, Side
from app.kernel.problems import Facts, Problem


class ActionIllegal(Problem):
    """The record is not in a state that allows this action."""

    status = 409


class ActionNotYours(Problem):
    """The action belongs to another party of the record."""

    status = 403


class RoleMissing(Problem):
    """The action needs a role that this account does not hold."""

    status = 403


@dataclass(frozen=True)
class AnyOf[N: StrEnum]:
    """Needs of which one is enough."""

    needs: tuple[N, ...]


@dataclass(frozen=True)
class Step[S: StrEnum, A: StrEnum, N: StrEnum]:
    """One row: an action, where it starts and ends, whose it is, and what must hold.

    `target` is None where the action leaves the state as it was.
    """

    action: A
    sources: AbstractSet[S]
    target: S | None
    sides: AbstractSet[Side]
    roles: AbstractSet[Role] = frozenset()
    needs: tuple[N | AnyOf[N], ...] = ()


class Stateful[S: StrEnum](Protocol):
    """Something that has a life cycle."""

    state: S


@dataclass(frozen=True)
class Table[S: StrEnum, A: StrEnum, N: StrEnum]:
    """A life cycle: everything that may ever happen to a kind of record."""

    start: S
    steps: tuple[Step[S, A, N], ...]

    def open_in(self, state: S) -> list[Step[S, A, N]]:
        """List the steps that begin in this state, whoever may take them."""
        return [step for step in self.steps if state in step.sources]

    def open_to(
        self, state: S, sides: AbstractSet[Side], roles: AbstractSet[Role]
    ) -> list[Step[S, A, N]]:
        """List the steps that begin in this state and are theirs to take."""
        mine = [step for step in self.open_in(state) if step.sides & sides]
        return [step for step in mine if is_able(step, sides, roles)]

    def find(
        self, state: S, action: A, sides: AbstractSet[Side], roles: AbstractSet[Role]
    ) -> Step[S, A, N]:
        """Find the step; raises ActionIllegal (409), ActionNotYours or RoleMissing (403)."""
        rows = [step for step in self.open_in(state) if step.action == action]
        mine = [step for step in rows if step.sides & sides]
        able = [step for step in mine if is_able(step, sides, roles)]
        if not able:
            self.refuse(state, rows, mine)
        return able[0]

    def refuse(
        self,
        state: S,
        rows: Iterable[Step[S, A, N]],
        mine: Iterable[Step[S, A, N]],
    ) -> NoReturn:
        """Say why not, and what is possible instead."""
        if roles := sorted({role for step in mine for role in step.roles}):
            raise RoleMissing(f"This needs one of the roles {', '.join(roles)}.")
        if owners := sorted({side for step in rows for side in step.sides}):
            raise ActionNotYours(f"This is for the {' or '.join(owners)} to do.")
        raise ActionIllegal(
            f"This cannot be done while the record is {state}.", self.legal(state)
        )

    def legal(self, state: S) -> Facts:
        """Name what can be done in this state, and by whom."""
        steps = self.open_in(state)
        return {
            "state": state,
            "legal_actions": [
                {"action": s.action, "by": sorted(s.sides), "roles": sorted(s.roles)}
                for s in steps
            ],
        }

    def draw(self) -> str:
        """Draw the table as a Mermaid diagram."""
        arrows = [
            f"    {source} --> {step.target or source}: "
            f"{step.action} ({', '.join(sorted(step.sides))})"
            for step in self.steps
            for source in sorted(step.sources)
        ]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.start}", *arrows])


def is_able[S: StrEnum, A: StrEnum, N: StrEnum](
    step: Step[S, A, N], sides: AbstractSet[Side], roles: AbstractSet[Role]
) -> bool:
    """Say whether one of these roles may take a step; the system has none and needs none."""
    return not step.roles or bool(step.roles & roles) or Side.SYSTEM in step.sides & sides


def take[S: StrEnum, A: StrEnum, N: StrEnum](
    record: Stateful[S], step: Step[S, A, N]
) -> None:
    """Take a step: the only place where a state is assigned."""
    if record.state not in step.sources:
        raise AssertionError(f"{step.action} does not start in {record.state}")
    if step.target is not None:
        record.state = step.target
