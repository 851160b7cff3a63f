"""The changes that are made to a module. Each is a mistake that a developer could make."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from mutation.source import FOR_READERS, Edit, Source, walk_kept

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


def list_edits(source: Source) -> Iterator[Edit]:
    """Yield every edit of a source text, in the order of the text."""
    found = [
        edit for node in walk_kept(source.tree) for edit in list_node_edits(source, node)
    ]
    yield from sorted(found, key=lambda edit: (edit.start, edit.end, edit.text))


def list_node_edits(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Yield the edits of one node of the syntax tree."""
    for kind, rule in RULES.items():
        if isinstance(node, kind):
            yield from rule(source, node)


def replace_comparison(source: Source, node: ast.Compare) -> Iterator[Edit]:
    """Yield edits that negate a comparison or shift its bound."""
    for place, operator in enumerate(node.ops):
        left = [node.left, *node.comparators][place]
        start, end = source.get_span(left)[1], source.get_span(node.comparators[place])[0]
        between = source.raw[start:end].decode()
        shut, opened = between[: between.find(")") + 1], between[between.rfind("(") :]
        opened = opened if "(" in between else ""
        for other in FLIPPED[type(operator)]:
            yield Edit(start, end, f"{shut} {other} {opened}", node)


def replace_boolean(source: Source, node: ast.BoolOp) -> Iterator[Edit]:
    """Yield edits that exchange `and` and `or`, or remove an operand."""
    other = " or " if isinstance(node.op, ast.And) else " and "
    same = " and " if isinstance(node.op, ast.And) else " or "
    parts = [f"({source.get_text(part)})" for part in node.values]
    yield source.replace(node, f"({other.join(parts)})")
    for place in range(len(parts)):
        left = [part for other_place, part in enumerate(parts) if other_place != place]
        yield source.replace(node, f"({same.join(left)})")


def remove_not(source: Source, node: ast.UnaryOp) -> Iterator[Edit]:
    """Yield the edit that removes a `not` or a minus."""
    yield source.replace(node, f"({source.get_text(node.operand)})")


def replace_operator(source: Source, node: ast.BinOp) -> Iterator[Edit]:
    """Yield edits that replace an operator or, for `|`, `&` and `-`, remove an operand."""
    left, right = source.get_text(node.left), source.get_text(node.right)
    if type(node.op) in SWAPPED:
        yield source.replace(node, f"(({left}) {SWAPPED[type(node.op)]} ({right}))")
    if isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub):
        yield source.replace(node, f"({left})")
    if isinstance(node.op, ast.BitOr | ast.BitAnd):
        yield source.replace(node, f"({right})")


def replace_constant(source: Source, node: ast.Constant) -> Iterator[Edit]:
    """Yield edits that change an integer, a boolean, bytes or a code, but no sentence."""
    match node.value:
        case bool():
            yield source.replace(node, str(not node.value))
        case int():
            yield source.replace(node, str(node.value + 1))
        case str() if CODE.fullmatch(node.value):
            yield source.replace(node, repr(f"{node.value}X"))
        case bytes():
            yield source.replace(node, repr(node.value + b"X"))
        case _:
            return


def remove_elements(source: Source, node: ast.Set | ast.Tuple | ast.List) -> Iterator[Edit]:
    """Yield edits that each remove one element, such as a role or a state."""
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return
    if len(node.elts) == 1:
        empty = {ast.Set: "set()", ast.Tuple: "()", ast.List: "[]"}[type(node)]
        yield source.replace(node, empty)
        return
    for place in range(len(node.elts)):
        edit = source.remove(node.elts, place)
        if isinstance(node, ast.Tuple) and len(node.elts) == PAIR:
            rest = source.get_text(node.elts[1 - place])
            edit = source.replace(node, f"({rest},)")
        yield edit


PAIR: Final = 2


def remove_entries(source: Source, node: ast.Dict) -> Iterator[Edit]:
    """Yield edits that each remove one entry of a dict."""
    entries = [
        (source.get_span(key)[0], source.get_span(value)[1])
        for key, value in zip(node.keys, node.values, strict=True)
        if key
    ]
    for place, (start, end) in enumerate(entries):
        after = entries[place + 1][0] if place + 1 < len(entries) else end
        before = entries[place - 1][1] if place and after == end else start
        yield Edit(before, after, "", node)


def replace_attribute(source: Source, node: ast.Attribute) -> Iterator[Edit]:
    """Yield the edit that replaces a constant with another constant of its enum."""
    if not (isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load)):
        return
    names = source.names.get(node.value.id, [])
    if node.attr in names and len(names) > 1:
        other = names[(names.index(node.attr) + 1) % len(names)]
        yield source.replace(node, f"{node.value.id}.{other}")


def replace_call(source: Source, node: ast.Call) -> Iterator[Edit]:
    """Yield edits that call another function, or remove an argument."""
    if isinstance(node.func, ast.Name):
        for others in (OTHER, LAZY):
            if other := others.get(node.func.id):
                yield source.replace(node.func, other)
    if node.args and not node.keywords and not is_words(node.args[-1]):
        yield source.remove(node.args, len(node.args) - 1)
    if node.args and len(node.keywords) == 1:
        start = source.get_span(node.args[-1])[1]
        yield Edit(start, source.get_span(node.keywords[0])[1], "", node)
        return
    yield from (
        source.remove(node.keywords, place)
        for place, keyword in enumerate(node.keywords)
        if keyword.arg and keyword.arg not in FOR_READERS
    )


def is_words(node: ast.expr) -> bool:
    """Return whether an argument is a sentence, or cannot be removed."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and not CODE.fullmatch(node.value)
    return isinstance(node, ast.JoinedStr | ast.GeneratorExp)


def replace_condition(
    source: Source, node: ast.If | ast.IfExp | ast.While
) -> Iterator[Edit]:
    """Yield edits that make a condition always true or always false."""
    if not isinstance(node, ast.While):  # the loop would never end
        yield source.replace(node.test, "(True)")
    if not any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test)):
        yield source.replace(node.test, "(False)")


def remove_filters(source: Source, node: ast.comprehension) -> Iterator[Edit]:
    """Yield edits that remove the conditions of a comprehension."""
    yield from (source.replace(test, "(True)") for test in node.ifs)


def replace_return(source: Source, node: ast.Return) -> Iterator[Edit]:
    """Yield the edit that returns None instead of a value."""
    if node.value and not (
        isinstance(node.value, ast.Constant) and node.value.value is None
    ):
        yield source.replace(node.value, "None")


def replace_lambda(source: Source, node: ast.Lambda) -> Iterator[Edit]:
    """Yield edits that make a lambda always return true or always false."""
    yield from (source.replace(node.body, word) for word in ("(True)", "(False)"))


def remove_statement(source: Source, node: ast.stmt) -> Iterator[Edit]:
    """Yield the edit that removes a statement with an effect, such as a call."""
    match node:
        case ast.Assign(targets=[ast.Name() | ast.Tuple()]) | ast.AnnAssign():
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Expr() | ast.Raise() | ast.Assign() | ast.AugAssign() | ast.Continue():
            yield source.replace(node, "pass")
        case _:
            return


def skip_loop(source: Source, node: ast.For) -> Iterator[Edit]:
    """Yield the edit that makes a loop iterate over nothing."""
    yield source.replace(node.iter, "()")


RULES: Final[dict[type[ast.AST], Callable[..., Iterator[Edit]]]] = {
    ast.Compare: replace_comparison,
    ast.BoolOp: replace_boolean,
    ast.UnaryOp: remove_not,
    ast.BinOp: replace_operator,
    ast.Constant: replace_constant,
    ast.Set: remove_elements,
    ast.Tuple: remove_elements,
    ast.List: remove_elements,
    ast.Dict: remove_entries,
    ast.Attribute: replace_attribute,
    ast.Call: replace_call,
    ast.If: replace_condition,
    ast.IfExp: replace_condition,
    ast.While: replace_condition,
    ast.comprehension: remove_filters,
    ast.Return: replace_return,
    ast.Lambda: replace_lambda,
    ast.For: skip_loop,
    ast.stmt: remove_statement,
}
