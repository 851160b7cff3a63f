"""A module's text and syntax tree, and which parts of it a machine reads.

Not changed is what only people read: docstrings, annotations, and strings with a space in
them, such as messages and remedies; protocols and decorators, which the type checker keeps;
and what describes a schema to readers of the contract.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

NAMED: Final = re.compile(r"[A-Z][A-Z0-9_]*")
FOR_READERS: Final = frozenset({"description", "examples", "title"})

type Span = tuple[int, int]


@dataclass(frozen=True)
class Edit:
    """Some bytes of a source, and what stands there instead."""

    start: int
    end: int
    text: str
    node: ast.AST


class Source:
    """A module's text, by the bytes that its syntax tree counts."""

    def __init__(self, text: str) -> None:
        self.raw = text.encode()
        self.tree = ast.parse(text)
        self.lines = [0]
        for line in self.raw.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.names = constants(self.tree)

    def span(self, node: Any) -> Span:
        """Say from which byte to which a node stands."""
        first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        (start, end) = (self.lines[line - 1] + column for line, column in (first, last))
        return start, end

    def text(self, node: ast.AST) -> str:
        """Spell a node as it is written."""
        start, end = self.span(node)
        return self.raw[start:end].decode()

    def instead(self, node: ast.AST, text: str) -> Edit:
        """Put something else where a node stands."""
        return Edit(*self.span(node), text, node)

    def without(self, nodes: list[ast.expr] | list[ast.keyword], place: int) -> Edit:
        """Leave one of several out, with the comma that parts it from its neighbour."""
        start, end = self.span(nodes[place])
        if place + 1 < len(nodes):
            end = self.span(nodes[place + 1])[0]
        elif place:
            start = self.span(nodes[place - 1])[1]
        return Edit(start, end, "", nodes[place])


def constants(tree: ast.Module) -> dict[str, list[str]]:
    """List which constants a module takes from where: `Side` has LEAD, DESK and so on."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return {name: sorted(filter(NAMED.fullmatch, attrs)) for name, attrs in found.items()}


def visited(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what is worth changing."""
    yield node
    for child in kept(node):
        yield from visited(child)


def kept(node: ast.AST) -> Iterable[ast.AST]:
    """List the parts of a node that a machine reads."""
    if is_for_readers(node):
        return ()
    match node:
        case ast.AnnAssign(value=value):
            return [value] if value else ()
        case ast.ClassDef() | ast.Module():
            return without_words(node.body)
        case ast.FunctionDef(args=args):
            defaults = [d for d in (*args.defaults, *args.kw_defaults) if d]
            return [*defaults, *without_words(node.body)]
        case ast.JoinedStr():
            return [p.value for p in node.values if isinstance(p, ast.FormattedValue)]
        case _:
            return ast.iter_child_nodes(node)


def is_for_readers(node: ast.AST) -> bool:
    """Say whether only people and the type checker read it."""
    match node:
        case ast.ClassDef():
            return any(ast.unparse(base) == "Protocol" for base in node.bases)
        case ast.keyword():
            return node.arg in FOR_READERS
        case ast.Subscript():
            return bool(NAMED.match(ast.unparse(node.value))) or is_type(node.value)
        case _:
            return isinstance(node, ast.TypeAlias | ast.Import | ast.ImportFrom)


def is_type(node: ast.expr) -> bool:
    """Say whether a subscript only says of what type something is: `set[str]()`."""
    return isinstance(node, ast.Name) and node.id in {"list", "dict", "set", "frozenset"}


def without_words(body: list[ast.stmt]) -> list[ast.stmt]:
    """Leave out strings that stand by themselves: they say what for."""
    return [stmt for stmt in body if not is_words(stmt)]


def is_words(stmt: ast.stmt) -> bool:
    """Say whether a statement is only a string."""
    return (
        isinstance(stmt, ast.Expr)
        and isinstance(stmt.value, ast.Constant)
        and isinstance(stmt.value.value, str)
    )
