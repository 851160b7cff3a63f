"""The mutants of a module: its source with one change, and how to know each again."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path

from mutation.operators import edits
from mutation.source import Edit, Source

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """A module in which one thing is changed.

    `lines` are those that a test has to reach to judge it; `body`: it is inside of a
    function, which can be exchanged while the service runs. `users` are the lines that
    name what it is a part of, where that is a constant.
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
        """Name it by what it changes, so that a change elsewhere leaves its name."""
        parts = (self.module, self.scope, self.at, self.was, self.now, str(self.nth))
        return digest(part.encode() for part in parts)

    def diff(self, source: str) -> str:
        """Show what is changed."""
        here = f"{self.module}:{self.line}"
        pair = (source.splitlines(), self.text.splitlines())
        return "\n".join(unified_diff(*pair, here, here, n=0, lineterm=""))


def digest(parts: Iterable[bytes]) -> str:
    """Recognise some text again."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def read(module: str) -> str:
    """Read a module as it is."""
    return (ROOT / module).read_text()


def mutants_of(module: str, text: str) -> list[Mutant]:
    """Make every mutant of a module that is another program, each once."""
    source, same = Source(text), ast.dump(ast.parse(text))
    found: dict[str, Mutant] = {}
    for mutant in made(module, source):
        try:
            tree = ast.dump(ast.parse(mutant.text))
        except SyntaxError:
            continue
        if tree != same:
            found.setdefault(tree, mutant)
    return list(found.values())


def made(module: str, source: Source) -> Iterator[Mutant]:
    """Make a mutant of each edit."""
    above, seen = parents(source.tree), Counter[tuple[str, ...]]()
    for edit in edits(source):
        was = source.raw[edit.start : edit.end].decode()
        chain = list(upward(edit.node, above))
        stmt = next(node for node in chain if isinstance(node, ast.stmt))
        line = source.raw[: edit.start].count(b"\n") + 1
        names = [n.name for n in chain if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        scope, at = ".".join(reversed(names)), text_of(source, line)
        seen[scope, at, was, edit.text] += 1
        yield Mutant(
            module=module,
            scope=scope,
            line=line,
            at=at,
            was=" ".join(was.split()),
            now=edit.text,
            nth=seen[scope, at, was, edit.text],
            text=applied(source, edit, was),
            lines=(stmt.lineno, stmt.end_lineno or stmt.lineno),
            body=is_in_a_body(chain),
            users=users_of(stmt, source.tree),
        )


def users_of(stmt: ast.stmt, tree: ast.AST) -> frozenset[int]:
    """List the lines that name what a statement makes."""
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


def applied(source: Source, edit: Edit, was: str) -> str:
    """Change the text; what follows stays on its line."""
    new = edit.text + "\\\n" * (was.count("\n") - edit.text.count("\n"))
    raw = source.raw[: edit.start] + new.encode() + source.raw[edit.end :]
    return raw.decode()


def text_of(source: Source, line: int) -> str:
    """Spell the line on which something stands."""
    return source.raw[source.lines[line - 1] : source.lines[line]].decode().strip()


def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """Say of each node in which it stands."""
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def upward(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    """Walk from a node to what it stands in."""
    while True:
        yield node
        if node not in above:
            return
        node = above[node]


def is_in_a_body(chain: list[ast.AST]) -> bool:
    """Say whether it is run when a function is called, and not when it is made."""
    for inner, outer in pairwise(chain):
        if isinstance(outer, ast.FunctionDef) and inner in outer.body:
            return True
        if isinstance(outer, ast.Lambda) and inner is outer.body:
            return True
    return isinstance(chain[0], ast.Lambda)
