"""The text and syntax tree of a module, and the parts that may be changed.

Docstrings, annotations and strings with a space, such as messages, are not changed. Neither
are protocols and decorators, which the type checker covers, nor the descriptions of
schemas.
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
    """A span of bytes in a source text, and the text that replaces it."""

    start: int
    end: int
    text: str
    node: ast.AST


class Source:
    """The text of a module, addressed by the byte offsets of its syntax tree."""

    def __init__(self, text: str) -> None:
        self.raw = text.encode()
        self.tree = ast.parse(text)
        self.lines = [0]
        for line in self.raw.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.names = find_constants(self.tree)

    def get_span(self, node: Any) -> Span:
        """Return the offsets of the first byte of a node and of the byte after the node."""
        first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        (start, end) = (self.lines[line - 1] + column for line, column in (first, last))
        return start, end

    def get_text(self, node: ast.AST) -> str:
        """Return the source text of a node."""
        start, end = self.get_span(node)
        return self.raw[start:end].decode()

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Return the edit that replaces a node with a text."""
        return Edit(*self.get_span(node), text, node)

    def remove(self, nodes: list[ast.expr] | list[ast.keyword], place: int) -> Edit:
        """Return the edit that removes one of several nodes and a comma next to it."""
        start, end = self.get_span(nodes[place])
        if place + 1 < len(nodes):
            end = self.get_span(nodes[place + 1])[0]
        elif place:
            start = self.get_span(nodes[place - 1])[1]
        return Edit(start, end, "", nodes[place])


def find_constants(tree: ast.Module) -> dict[str, list[str]]:
    """Return the constants of each name that a module uses, such as LEAD for `Side`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return {name: sorted(filter(NAMED.fullmatch, attrs)) for name, attrs in found.items()}


def walk_kept(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a syntax tree that may be changed."""
    yield node
    for child in list_kept(node):
        yield from walk_kept(child)


def list_kept(node: ast.AST) -> Iterable[ast.AST]:
    """Return the children of a node that affect the behaviour of the program."""
    if is_for_readers(node):
        return ()
    match node:
        case ast.AnnAssign(value=value):
            return [value] if value else ()
        case ast.ClassDef() | ast.Module():
            return remove_docstrings(node.body)
        case ast.FunctionDef(args=args):
            defaults = [d for d in (*args.defaults, *args.kw_defaults) if d]
            return [*defaults, *remove_docstrings(node.body)]
        case ast.JoinedStr():
            return [p.value for p in node.values if isinstance(p, ast.FormattedValue)]
        case _:
            return ast.iter_child_nodes(node)


def is_for_readers(node: ast.AST) -> bool:
    """Return whether a node matters only to people and the type checker."""
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
    """Return whether `node` names a type with parameters, as `set` in `set[str]()`."""
    return isinstance(node, ast.Name) and node.id in {"list", "dict", "set", "frozenset"}


def remove_docstrings(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that are not only a string."""
    return [stmt for stmt in body if not is_words(stmt)]


def is_words(stmt: ast.stmt) -> bool:
    """Return whether a statement is only a string."""
    return (
        isinstance(stmt, ast.Expr)
        and isinstance(stmt.value, ast.Constant)
        and isinstance(stmt.value.value, str)
    )
