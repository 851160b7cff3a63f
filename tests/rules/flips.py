"""Small changes to the disclosure table, and a search for requests that detect them.

A change (`Flip`) removes, adds or replaces one cell of a row, or removes the row. A cell is
a subject, a state of the case or of the referral, a condition, a role, the side or the
requested action (`Deed`). An access request detects a change if the changed table answers
it differently from the second copy in `disclosure_copy`, although the original table agrees
with the copy.

A cell is redundant if no access request detects its removal. An added cell is redundant if
other rows already allow everything that this cell allows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, Final, override

from app.cases.lifecycle import State as CaseState
from app.disclosure.policy import AccessRequest, Condition, Deed, Rule, is_allowed
from app.kernel.actors import Role, Side
from app.referrals.lifecycle import State as ReferralState
from tests.rules.disclosure_copy import SUBJECTS, allowed

CELLS: Final[dict[str, Sequence[Any]]] = {
    "subjects": SUBJECTS,
    "case_states": tuple(CaseState),
    "referral_states": tuple(ReferralState),
    "conditions": tuple(Condition),
    "roles": tuple(Role),
}
"""The columns of a row that contain sets, and the values that each set can contain."""
ONE_OF: Final[dict[str, Sequence[Any]]] = {"side": tuple(Side), "deed": tuple(Deed)}
"""The columns of a row that contain one value."""


@dataclass(frozen=True)
class Flip:
    """A change to one cell of a row. If no column is given, the whole row is removed."""

    row: int
    column: str = ""
    cell: Any = None

    @override
    def __str__(self) -> str:
        what = f"{self.column} {self.cell}" if self.column else "the whole row"
        return f"row {self.row}: {what}"


def flips(policy: Sequence[Rule]) -> Iterator[Flip]:
    """Yield each change to a table: the removal of a row, or a change of one cell."""
    for row in range(len(policy)):
        yield Flip(row)
        for column, cells in CELLS.items():
            yield from (Flip(row, column, cell) for cell in cells)
        for column, cells in ONE_OF.items():
            others = (cell for cell in cells if cell != getattr(policy[row], column))
            yield from (Flip(row, column, cell) for cell in others)


def flipped(policy: Sequence[Rule], flip: Flip) -> tuple[Rule, ...]:
    """Return the table with one change applied."""
    before, rule, after = policy[: flip.row], policy[flip.row], policy[flip.row + 1 :]
    if not flip.column:
        return (*before, *after)
    cell: Any = flip.cell
    if flip.column in CELLS:
        cell = getattr(rule, flip.column) ^ {cell}
    other: dict[str, Any] = {flip.column: cell}
    return (*before, replace(rule, **other), *after)


def witness(policy: Sequence[Rule], flip: Flip) -> AccessRequest | None:
    """Return an access request that detects a change, or None if no request does."""
    changed = flipped(policy, flip)
    for asked in list_affected_questions(policy[flip.row], flip):
        if is_allowed(asked, changed) != allowed(asked) == is_allowed(asked, policy):
            return asked
    return None


def list_affected_questions(rule: Rule, flip: Flip) -> Iterator[AccessRequest]:
    """Yield the access requests whose answer may depend on a change, the simplest first."""

    def cells(column: str) -> Iterable[Any]:
        own = sorted(getattr(rule, column))
        return [flip.cell] if flip.column == column else own

    states = cells("referral_states") if rule.referral_states else ()
    referrals = [frozenset[ReferralState](), *(frozenset({one}) for one in states)]
    if flip.column == "referral_states":
        referrals = [frozenset[ReferralState](), *(frozenset({s}) for s in ReferralState)]
    new: dict[str, Any] = {flip.column: flip.cell} if flip.column in ONE_OF else {}
    for holds, subject, state, referral, role in product(
        list_condition_sets(rule, flip),
        cells("subjects"),
        cells("case_states"),
        referrals,
        cells("roles"),
    ):
        sides, roles = frozenset({rule.side}), frozenset({role})
        request = AccessRequest(rule.deed, subject, sides, state, referral, holds, roles)
        yield request
        if new:
            yield build_turned_question(request, **new)


def build_turned_question(
    asked: AccessRequest, side: Side | None = None, deed: Deed | None = None
) -> AccessRequest:
    """Return a copy of an access request with another side or another `deed`."""
    sides = asked.sides if side is None else frozenset({side})
    return replace(asked, sides=sides, deed=deed or asked.deed)


def list_condition_sets(rule: Rule, flip: Flip) -> list[frozenset[Condition]]:
    """Return the sets of conditions to try, which depend on the row and the change."""
    least = rule.conditions - ({flip.cell} if flip.column == "conditions" else set())
    others = [one for one in Condition if one not in least]
    return [
        least | frozenset(some)
        for count in range(len(others) + 1)
        for some in combinations(others, count)
    ]


def is_addition(policy: Sequence[Rule], flip: Flip) -> bool:
    """Return whether a change adds a cell to a row."""
    return flip.column in CELLS and flip.cell not in getattr(policy[flip.row], flip.column)


def idle(policy: Sequence[Rule]) -> list[str]:
    """Return descriptions of the removals and replacements that no request detects."""
    taken = (flip for flip in flips(policy) if not is_addition(policy, flip))
    return [str(flip) for flip in taken if witness(policy, flip) is None]


def survivors(policy: Sequence[Rule]) -> list[str]:
    """Return descriptions of undetected changes, except additions of redundant cells."""
    quiet = (flip for flip in flips(policy) if witness(policy, flip) is None)
    return [str(flip) for flip in quiet if not is_idle_then(policy, flip)]


def is_idle_then(policy: Sequence[Rule], flip: Flip) -> bool:
    """Return whether a change adds a cell whose removal no access request would detect."""
    return is_addition(policy, flip) and witness(flipped(policy, flip), flip) is None
