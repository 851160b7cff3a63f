"""Life cycles: tables of steps, and the function that applies a step to a record."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, ClassVar, NoReturn, Protocol

from pydantic import BaseModel, Field

from app.kernel.actors import Role, Side
from app.kernel.problems import Facts, Problem


class LegalAction(BaseModel):
    """An action that is possible in a state, with the sides and roles that may take it."""

    action: Annotated[str, Field(description="The action, as in `available_actions`.")]
    by: Annotated[list[Side], Field(description="The sides that may take the action.")]
    roles: Annotated[
        list[Role], Field(description="An account needs one of them; empty: any role.")
    ]


class ActionIllegalMembers(BaseModel):
    """The state of the record, and the actions that are possible in this state."""

    state: Annotated[
        str | None,
        Field(description="The state of the record or its case; null if hidden from you."),
    ]
    legal_actions: Annotated[
        list[LegalAction] | None,
        Field(
            description="The actions that a client may take in this state, each once, with "
            "all sides that may take it; null if hidden from you."
        ),
    ]


class ActionIllegal(Problem):
    """The record is not in a state that allows this action."""

    status = 409
    members: ClassVar = ActionIllegalMembers


class ActionNotYours(Problem):
    """The action belongs to another party of the record."""

    status = 403


class RoleMissing(Problem):
    """The action needs a role that this account does not hold."""

    status = 403


@dataclass(frozen=True)
class AnyOf[N: StrEnum]:
    """A group of alternative requirements: meeting one of them is enough."""

    needs: tuple[N, ...]


@dataclass(frozen=True)
class Step[S: StrEnum, A: StrEnum, N: StrEnum]:
    """A step of a life cycle: an action, and the sides and roles that may take it.

    The action is possible in the states `sources`, and leads to the state `target`, or does
    not change the state if `target` is None. `needs` are the requirements of the action.
    """

    action: A
    sources: AbstractSet[S]
    target: S | None
    sides: AbstractSet[Side]
    roles: AbstractSet[Role] = frozenset()
    needs: tuple[N | AnyOf[N], ...] = ()


class Stateful[S: StrEnum](Protocol):
    """A record that has a life cycle."""

    state: S


@dataclass(frozen=True)
class Table[S: StrEnum, A: StrEnum, N: StrEnum]:
    """The life cycle of a kind of record: its steps and its first state."""

    start: S
    steps: tuple[Step[S, A, N], ...]

    def list_steps_in(self, state: S) -> list[Step[S, A, N]]:
        """List all steps that can be taken in this state, by any side and role."""
        return [step for step in self.steps if state in step.sources]

    def list_steps_for(
        self, state: S, sides: AbstractSet[Side], roles: AbstractSet[Role]
    ) -> list[tuple[Step[S, A, N], bool]]:
        """List one step for each action of these sides, and whether the roles may take it.

        If these sides have several steps for an action, the first step that the roles may
        take is listed. If there is none, the listed step has the roles of all these steps.
        """
        shown: dict[A, tuple[Step[S, A, N], bool]] = {}
        for step in self.list_steps_in(state):
            if step.sides & sides:
                before, allowed = shown.get(step.action, (None, False))
                if is_role_allowed(step, sides, roles):
                    shown[step.action] = (before if before and allowed else step, True)
                elif not allowed:
                    both = step.roles | (before.roles if before else frozenset())
                    shown[step.action] = (replace(before or step, roles=both), False)
        return list(shown.values())

    def find(
        self, state: S, action: A, sides: AbstractSet[Side], roles: AbstractSet[Role]
    ) -> Step[S, A, N]:
        """Return the step for an action that these sides and roles may take in this state.

        Raises ActionIllegal (409), ActionNotYours (403) or RoleMissing (403).
        """
        rows = [step for step in self.list_steps_in(state) if step.action == action]
        of_sides = [step for step in rows if step.sides & sides]
        allowed = [step for step in of_sides if is_role_allowed(step, sides, roles)]
        if not allowed:
            self.raise_unavailable(state, rows, of_sides)
        return allowed[0]

    def raise_unavailable(
        self, state: S, rows: Iterable[Step[S, A, N]], of_sides: Iterable[Step[S, A, N]]
    ) -> NoReturn:
        """Raise the problem that explains why an action is not available."""
        if roles := sorted({role for step in of_sides for role in step.roles}):
            raise RoleMissing(f"This needs one of the roles {', '.join(roles)}.")
        if owners := sorted({side for step in rows for side in step.sides}):
            raise ActionNotYours(f"Only the {' or '.join(owners)} can do this.")
        raise ActionIllegal(
            f"This is not possible in the state {state}.", self.describe_actions(state)
        )

    def describe_actions(self, state: S) -> Facts:
        """Return the state and the actions that clients may take, each listed once.

        An action with several steps lists the sides and roles of all of them, or no roles
        if one step needs none. Steps of the system are left out: no client is the system.
        """
        steps = [step for step in self.list_steps_in(state) if step.sides - {Side.SYSTEM}]
        by_action = {
            step.action: [s for s in steps if s.action == step.action] for step in steps
        }
        return {
            "state": state,
            "legal_actions": [
                {
                    "action": action,
                    "by": sorted({side for s in same for side in s.sides - {Side.SYSTEM}}),
                    "roles": sorted({role for s in same for role in s.roles})
                    if all(s.roles for s in same)
                    else [],
                }
                for action, same in by_action.items()
            ],
        }

    def draw(self) -> str:
        """Render the table as a Mermaid diagram."""
        arrows = [
            f"    {source} --> {step.target or source}: "
            f"{step.action} ({', '.join(sorted(step.sides))})"
            for step in self.steps
            for source in sorted(step.sources)
        ]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.start}", *arrows])


def is_role_allowed[S: StrEnum, A: StrEnum, N: StrEnum](
    step: Step[S, A, N], sides: AbstractSet[Side], roles: AbstractSet[Role]
) -> bool:
    """Return whether these roles are enough for a step. The system needs no role."""
    return not step.roles or bool(step.roles & roles) or Side.SYSTEM in step.sides & sides


def apply_step[S: StrEnum, A: StrEnum, N: StrEnum](
    record: Stateful[S], step: Step[S, A, N]
) -> None:
    """Set the state of a record to the target of a step. No other function sets a state."""
    if record.state not in step.sources:
        raise AssertionError(f"{step.action} does not start in {record.state}")
    if step.target is not None:
        record.state = step.target
