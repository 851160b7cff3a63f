"""What may be changed in a module: each change is a mistake that somebody could make."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from mutation.source import FOR_READERS, Edit, Source, visited

FLIPPED: Final[dict[type[ast.cmpop], tuple[str, ...]]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
SWAPPED: Final[dict[type[ast.operator], str]] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "+",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}
OTHER: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}
LAZY: Final = {"sorted": "list", "reversed": "list"}
CODE: Final = re.compile(r"[^\s]+")


def edits(source: Source) -> Iterator[Edit]:
    """List every change, in the order of the text."""
    found = [edit for node in visited(source.tree) for edit in edits_of(source, node)]
    yield from sorted(found, key=lambda edit: (edit.start, edit.end, edit.text))


def edits_of(source: Source, node: ast.AST) -> Iterator[Edit]:
    """List the changes of one node."""
    for kind, rule in RULES.items():
        if isinstance(node, kind):
            yield from rule(source, node)


def of_compare(source: Source, node: ast.Compare) -> Iterator[Edit]:
    """Turn a comparison round, and move its bound."""
    for place, operator in enumerate(node.ops):
        left = [node.left, *node.comparators][place]
        start, end = source.span(left)[1], source.span(node.comparators[place])[0]
        between = source.raw[start:end].decode()
        shut, opened = between[: between.find(")") + 1], between[between.rfind("(") :]
        opened = opened if "(" in between else ""
        for other in FLIPPED[type(operator)]:
            yield Edit(start, end, f"{shut} {other} {opened}", node)


def of_bool(source: Source, node: ast.BoolOp) -> Iterator[Edit]:
    """Exchange `and` and `or`, and forget each part."""
    other = " or " if isinstance(node.op, ast.And) else " and "
    same = " and " if isinstance(node.op, ast.And) else " or "
    parts = [f"({source.text(part)})" for part in node.values]
    yield source.instead(node, f"({other.join(parts)})")
    for place in range(len(parts)):
        left = [part for other_place, part in enumerate(parts) if other_place != place]
        yield source.instead(node, f"({same.join(left)})")


def of_not(source: Source, node: ast.UnaryOp) -> Iterator[Edit]:
    """Forget a `not`, or a minus."""
    yield source.instead(node, f"({source.text(node.operand)})")


def of_binary(source: Source, node: ast.BinOp) -> Iterator[Edit]:
    """Exchange an operator; of sets, forget each side."""
    left, right = source.text(node.left), source.text(node.right)
    if type(node.op) in SWAPPED:
        yield source.instead(node, f"(({left}) {SWAPPED[type(node.op)]} ({right}))")
    if isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub):
        yield source.instead(node, f"({left})")
    if isinstance(node.op, ast.BitOr | ast.BitAnd):
        yield source.instead(node, f"({right})")


def of_constant(source: Source, node: ast.Constant) -> Iterator[Edit]:
    """Take another number, another truth, another code; not other words."""
    match node.value:
        case bool():
            yield source.instead(node, str(not node.value))
        case int():
            yield source.instead(node, str(node.value + 1))
        case str() if CODE.fullmatch(node.value):
            yield source.instead(node, repr(f"{node.value}X"))
        case bytes():
            yield source.instead(node, repr(node.value + b"X"))
        case _:
            return


def of_elements(source: Source, node: ast.Set | ast.Tuple | ast.List) -> Iterator[Edit]:
    """Leave out each element: a role, a side, a state, a need, a row."""
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return
    if len(node.elts) == 1:
        empty = {ast.Set: "set()", ast.Tuple: "()", ast.List: "[]"}[type(node)]
        yield source.instead(node, empty)
        return
    for place in range(len(node.elts)):
        edit = source.without(node.elts, place)
        if isinstance(node, ast.Tuple) and len(node.elts) == PAIR:
            rest = source.text(node.elts[1 - place])
            edit = source.instead(node, f"({rest},)")
        yield edit


PAIR: Final = 2


def of_dict(source: Source, node: ast.Dict) -> Iterator[Edit]:
    """Leave out each entry."""
    entries = [
        (source.span(key)[0], source.span(value)[1])
        for key, value in zip(node.keys, node.values, strict=True)
        if key
    ]
    for place, (start, end) in enumerate(entries):
        after = entries[place + 1][0] if place + 1 < len(entries) else end
        before = entries[place - 1][1] if place and after == end else start
        yield Edit(before, after, "", node)


def of_attribute(source: Source, node: ast.Attribute) -> Iterator[Edit]:
    """Take the next constant of the same kind: another state, side, role or need."""
    if not (isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load)):
        return
    names = source.names.get(node.value.id, [])
    if node.attr in names and len(names) > 1:
        other = names[(names.index(node.attr) + 1) % len(names)]
        yield source.instead(node, f"{node.value.id}.{other}")


def of_call(source: Source, node: ast.Call) -> Iterator[Edit]:
    """Call the neighbour of a function; leave out an argument that has a default."""
    if isinstance(node.func, ast.Name):
        for others in (OTHER, LAZY):
            if other := others.get(node.func.id):
                yield source.instead(node.func, other)
    if node.args and not node.keywords and not is_words(node.args[-1]):
        yield source.without(node.args, len(node.args) - 1)
    if node.args and len(node.keywords) == 1:
        start = source.span(node.args[-1])[1]
        yield Edit(start, source.span(node.keywords[0])[1], "", node)
        return
    yield from (
        source.without(node.keywords, place)
        for place, keyword in enumerate(node.keywords)
        if keyword.arg and keyword.arg not in FOR_READERS
    )


def is_words(node: ast.expr) -> bool:
    """Say whether an argument is words for people, or cannot be left out."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and not CODE.fullmatch(node.value)
    return isinstance(node, ast.JoinedStr | ast.GeneratorExp)


def of_condition(source: Source, node: ast.If | ast.IfExp | ast.While) -> Iterator[Edit]:
    """Take one way always."""
    if not isinstance(node, ast.While):  # which would go round for ever
        yield source.instead(node.test, "(True)")
    if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test)):
        yield source.instead(node.test, "(False)")


def of_comprehension(source: Source, node: ast.comprehension) -> Iterator[Edit]:
    """Let everything in."""
    yield from (source.instead(test, "(True)") for test in node.ifs)


def of_return(source: Source, node: ast.Return) -> Iterator[Edit]:
    """Answer nothing."""
    if node.value and not (
        isinstance(node.value, ast.Constant) and node.value.value is None
    ):
        yield source.instead(node.value, "None")


def of_lambda(source: Source, node: ast.Lambda) -> Iterator[Edit]:
    """Say always yes, or always no."""
    yield from (source.instead(node.body, word) for word in ("(True)", "(False)"))


def of_statement(source: Source, node: ast.stmt) -> Iterator[Edit]:
    """Leave a statement out that does something: a call, a refusal, a change."""
    match node:
        case ast.Assign(targets=[ast.Name() | ast.Tuple()]) | ast.AnnAssign():
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Expr() | ast.Raise() | ast.Assign() | ast.AugAssign() | ast.Continue():
            yield source.instead(node, "pass")
        case _:
            return


def of_loop(source: Source, node: ast.For) -> Iterator[Edit]:
    """Do it for nobody."""
    yield source.instead(node.iter, "()")


RULES: Final[dict[type[ast.AST], Callable[..., Iterator[Edit]]]] = {
    ast.Compare: of_compare,
    ast.BoolOp: of_bool,
    ast.UnaryOp: of_not,
    ast.BinOp: of_binary,
    ast.Constant: of_constant,
    ast.Set: of_elements,
    ast.Tuple: of_elements,
    ast.List: of_elements,
    ast.Dict: of_dict,
    ast.Attribute: of_attribute,
    ast.Call: of_call,
    ast.If: of_condition,
    ast.IfExp: of_condition,
    ast.While: of_condition,
    ast.comprehension: of_comprehension,
    ast.Return: of_return,
    ast.Lambda: of_lambda,
    ast.For: of_loop,
    ast.stmt: of_statement,
}
