"""Functions that replace a module by its mutant, in a running process or before import."""

import gc
import inspect
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any
from unittest.mock import patch

from mutation.mutants import ROOT, Mutant

type Place = tuple[str, int, int]


class Cannot(Exception):  # noqa: N818 - says what was found
    """The change cannot be made in a process that has already imported the module."""


def apply_mutant(mutant: Mutant, original: str) -> None:
    """Replace the code of each function that the mutant changes in this process.

    Raises Cannot if the change is outside of functions, or if code cannot be replaced.
    Objects that were created at import are not changed. Mutants that survive are therefore
    tested again in a new process, with `import_instead`.
    """
    path = str(ROOT / mutant.module)
    before, after = load_functions(original, path), load_functions(mutant.text, path)
    changed = [place for place in before if before[place] != after.get(place)]
    if not changed or before.keys() != after.keys():
        raise Cannot
    for place in changed:
        found = [f for f in find_functions(path) if f.__code__ == before[place]]
        if not found:
            raise Cannot
        for function in found:
            try:
                function.__code__ = after[place]
            except ValueError as error:
                raise Cannot from error


def load_functions(text: str, path: str) -> dict[Place, CodeType]:
    """Return the code of each function that is not inside another function."""
    found: dict[Place, CodeType] = {}
    for code in list_outermost(compile(text, path, "exec", dont_inherit=True)):
        name, line = code.co_qualname, code.co_firstlineno
        nth = sum(place[:2] == (name, line) for place in found)
        found[name, line, nth] = code
    return found


def list_outermost(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of functions, except functions inside other functions."""
    for part in code.co_consts:
        if not isinstance(part, CodeType):
            continue
        if part.co_flags & inspect.CO_NEWLOCALS and not part.co_name.startswith("<gen"):
            yield part
        else:
            yield from list_outermost(part)


def find_functions(path: str) -> list[FunctionType]:
    """Return all functions of a file that exist in this process."""
    gc.unfreeze()
    held = (thing for thing in gc.get_objects() if isinstance(thing, FunctionType))
    return [function for function in held if function.__code__.co_filename == path]


def import_instead(mutant: Mutant) -> None:
    """Make every later import of the module load the mutant instead."""
    path, as_ever = ROOT / mutant.module, SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> Any:
        if Path(loader.path) == path:
            return compile(mutant.text, str(path), "exec", dont_inherit=True)
        return as_ever(loader, fullname)

    patch.object(SourceFileLoader, "get_code", get_code).start()
