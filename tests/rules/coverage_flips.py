"""Single changes to the rules of coverage, each of which `coverage_copy.py` has to detect.

The source code of the rules is parsed. A change removes, negates or fixes a condition,
exchanges `and` and `or`, moves a limit by an instant, or adds or removes an element of a
set or enumeration. No file is written: each changed module is built in memory and
discarded after its check.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from types import ModuleType
from typing import Any, Final

from app.cases.sections import Section
from app.consents import coverage
from tests.rules.coverage_copy import PURPOSES, Row, rows
from tests.support.world import NOON

SOURCE: Final = inspect.getsource(coverage)
ROWS: Final = tuple(rows())
OTHERWISE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
}
BY_AN_INSTANT: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
}
BOTH: Final = frozenset({Section.NEEDS, Section.IDENTITY})
NUMBERS: Final = count()

type Change = Callable[[Any], None]


@dataclass(frozen=True)
class Changed:
    """The rules with one change, and a description of the change."""

    what: str
    tree: ast.Module

    def rules(self) -> ModuleType:
        """Return the changed rules as a module."""
        made = ModuleType(f"changed_coverage_{next(NUMBERS)}")
        sys.modules[made.__name__] = made  # dataclasses look their module up
        try:
            exec(compile(self.tree, made.__name__, "exec"), made.__dict__)
        finally:
            del sys.modules[made.__name__]
        return made


def changed() -> Iterator[Changed]:
    """Yield the rules once for each possible single change."""
    for place, node in enumerate(ast.walk(ast.parse(SOURCE))):
        for what, _ in list_changes(node):
            tree = ast.parse(SOURCE)
            other = list(ast.walk(tree))[place]
            dict(list_changes(other))[what](other)
            line = getattr(node, "lineno", 0)
            yield Changed(f"line {line}: {what}", ast.fix_missing_locations(tree))


def list_changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Yield the changes that are possible at one node of the syntax tree."""
    match node:
        case ast.BoolOp():
            yield from list_removals(node, "values")
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "and for or", build_setter(op=other)
        case ast.Compare():
            yield from list_comparison_changes(node)
        case ast.Set():
            yield from list_removals(node, "elts")
            more = next(word for kind, word in MORE.items() if kind in ast.unparse(node))
            yield f"with {more}", partial(add_element, more)
        case ast.If():
            yield "never", build_setter(test=ast.Constant(value=False))
            yield "always", build_setter(test=ast.Constant(value=True))
        case ast.ClassDef(name="Purpose"):
            yield from list_removals(node, "body", 1)
        case _:
            pass


def build_setter(**parts: Any) -> Change:
    """Return a function that sets the attributes `parts` of a node."""

    def put(node: ast.AST) -> None:
        for name, part in parts.items():
            setattr(node, name, part)

    return put


def add_element(word: str, node: Any) -> None:
    """Add one element to a set literal."""
    node.elts.append(ast.parse(word, mode="eval").body)


MORE: Final = {
    "GivenBy": "GivenBy.PERSON",
    "function": "OfficeFunction.SHELTER",
    "Section": "Section.NEEDS",
}


def list_removals(
    node: ast.AST, parts: str, first: int = 0
) -> Iterator[tuple[str, Change]]:
    """Yield the changes that remove one part of a node, or replace it with a constant."""
    idle = ast.Constant(value=isinstance(getattr(node, "op", None), ast.And))
    instead = [idle] if parts == "values" else []
    for place, part in list(enumerate(getattr(node, parts)))[first:]:
        yield f"without {ast.unparse(part)}", partial(remove_part, parts, place, instead)


def remove_part(parts: str, place: int, instead: list[ast.Constant], node: ast.AST) -> None:
    """Remove one part of a list in a node, and insert `instead` at its place."""
    getattr(node, parts)[place : place + 1] = instead


def list_comparison_changes(node: ast.Compare) -> Iterator[tuple[str, Change]]:
    """Yield the changes that negate a comparison, or that move its limit by an instant."""
    for table in (OTHERWISE, BY_AN_INSTANT):
        if op := table.get(type(node.ops[0])):
            yield f"{ast.unparse(node)} by {op.__name__}", build_setter(ops=[op()])


def faults(rules: ModuleType) -> Iterator[str]:
    """Yield a message for each difference between the rules and the independent copy."""
    try:
        yield from (str(row) for row in ROWS if not matches_copy(rules, row))
        if [*rules.Purpose] != PURPOSES.split():
            yield "purposes"
        if not is_right_for_several(rules):
            yield "more consents than one"
    except (AttributeError, TypeError, ValueError) as error:
        yield f"it breaks: {error}"


def matches_copy(rules: Any, row: Row) -> bool:
    """Return whether the rules and the independent copy agree on one row."""
    purpose = rules.Purpose(row.purpose)
    asking = rules.CoverageQuestion(row.recipient, purpose, NOON, row.child)
    from_ngo = rules.CoverageQuestion(row.recipient, purpose, NOON, row.child, True)
    needs = frozenset({Section.NEEDS})
    return (
        rules.matches_recipient(row.given, row.recipient) == row.names
        and rules.is_valid(row.given, NOON, child=row.child) == row.counts
        and rules.find_covered([row.given], asking) == (BOTH if row.covers else None)
        and rules.find_covered([row.given], from_ngo)
        == ((BOTH if row.may_be_named else needs) if row.covers else None)
        and rules.covers([row.given], asking, needs) == row.covers
        and rules.covers([row.given], asking, BOTH) == row.covers
        and rules.covers([row.given], asking, set()) == row.covers
        and not rules.covers([row.given], asking, {*needs, Section.HEALTH})
    )


def is_right_for_several(rules: Any) -> bool:
    """Return whether the rules are right for a list of consents, not only for one.

    The tested lists are an empty list, and a list of an invalid and a valid consent.
    """
    yes = next(row for row in ROWS if row.covers)
    no = next(row for row in ROWS if row.names and row.child and not row.counts)
    asking = rules.CoverageQuestion(
        yes.recipient, rules.Purpose(yes.purpose), NOON, yes.child
    )
    both = rules.find_covered([no.given, yes.given], asking)
    return rules.find_covered([], asking) is None and both == BOTH


def survivors() -> list[str]:
    """Return descriptions of the rule changes that the independent copy misses."""
    return [one.what for one in changed() if next(faults(one.rules()), None) is None]
