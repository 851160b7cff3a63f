"""The mutants of a module. Each is the source with one change, and has a stable key."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path

from mutation.operators import list_edits
from mutation.source import Edit, Source

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    `lines` are the first and the last line of the changed statement, which a test has to
    reach. `body` is true for a change inside a function, whose code can be replaced while
    the service runs. `users` are the lines that use the changed constant.
    """

    module: str
    scope: str
    line: int
    at: str
    was: str
    now: str
    nth: int
    text: str
    lines: tuple[int, int]
    body: bool
    users: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        """The key of the mutant, which does not depend on other parts of the module."""
        parts = (self.module, self.scope, self.at, self.was, self.now, str(self.nth))
        return compute_digest(part.encode() for part in parts)

    def format_diff(self, source: str) -> str:
        """Return the change as a unified diff."""
        here = f"{self.module}:{self.line}"
        pair = (source.splitlines(), self.text.splitlines())
        return "\n".join(unified_diff(*pair, here, here, n=0, lineterm=""))


def compute_digest(parts: Iterable[bytes]) -> str:
    """Return a short digest of some bytes."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def read(module: str) -> str:
    """Return the text of a module."""
    return (ROOT / module).read_text()


def make_mutants(module: str, text: str) -> list[Mutant]:
    """Return the mutants whose syntax trees differ from the module and each other."""
    source, same = Source(text), ast.dump(ast.parse(text))
    found: dict[str, Mutant] = {}
    for mutant in make_all(module, source):
        try:
            tree = ast.dump(ast.parse(mutant.text))
        except SyntaxError:
            continue
        if tree != same:
            found.setdefault(tree, mutant)
    return list(found.values())


def make_all(module: str, source: Source) -> Iterator[Mutant]:
    """Yield a mutant for each edit."""
    above, seen = get_parents(source.tree), Counter[tuple[str, ...]]()
    for edit in list_edits(source):
        was = source.raw[edit.start : edit.end].decode()
        chain = list(list_ancestors(edit.node, above))
        stmt = next(node for node in chain if isinstance(node, ast.stmt))
        line = source.raw[: edit.start].count(b"\n") + 1
        names = [n.name for n in chain if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        scope, at = ".".join(reversed(names)), get_line(source, line)
        seen[scope, at, was, edit.text] += 1
        yield Mutant(
            module=module,
            scope=scope,
            line=line,
            at=at,
            was=" ".join(was.split()),
            now=edit.text,
            nth=seen[scope, at, was, edit.text],
            text=apply(source, edit, was),
            lines=(stmt.lineno, stmt.end_lineno or stmt.lineno),
            body=is_in_a_body(chain),
            users=find_users(stmt, source.tree),
        )


def find_users(stmt: ast.stmt, tree: ast.AST) -> frozenset[int]:
    """Return the lines that use a name which a statement assigns."""
    made = {
        node.id
        for node in ast.walk(stmt)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return frozenset(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in made
    )


def apply(source: Source, edit: Edit, was: str) -> str:
    """Return the source text after an edit, in which later lines keep their numbers."""
    new = edit.text + "\\\n" * (was.count("\n") - edit.text.count("\n"))
    raw = source.raw[: edit.start] + new.encode() + source.raw[edit.end :]
    return raw.decode()


def get_line(source: Source, line: int) -> str:
    """Return a line without its indentation."""
    return source.raw[source.lines[line - 1] : source.lines[line]].decode().strip()


def get_parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Return the parent of each node of a syntax tree."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def list_ancestors(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    """Yield a node of a syntax tree and all nodes that contain it."""
    while True:
        yield node
        if node not in above:
            return
        node = above[node]


def is_in_a_body(chain: list[ast.AST]) -> bool:
    """Return whether a node runs when a function is called, and not when it is defined."""
    for inner, outer in pairwise(chain):
        if isinstance(outer, ast.FunctionDef) and inner in outer.body:
            return True
        if isinstance(outer, ast.Lambda) and inner is outer.body:
            return True
    return isinstance(chain[0], ast.Lambda)
