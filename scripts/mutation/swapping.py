"""Putting a mutant in the place of its module, while the service runs or before it does."""

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


class Cannot(Exception):  # noqa: N818 - it says what it is
    """The change cannot be made in a process that has the module already."""


def exchange(mutant: Mutant, original: str) -> None:
    """Give each function that is changed its new code, wherever it is held.

    What it made before stays as it was made: so who survives this is judged once more,
    by `import_instead` in a fresh process.
    """
    path = str(ROOT / mutant.module)
    before, after = codes(original, path), codes(mutant.text, path)
    changed = [place for place in before if before[place] != after.get(place)]
    if not changed or before.keys() != after.keys():
        raise Cannot
    for place in changed:
        found = [f for f in functions(path) if f.__code__ == before[place]]
        if not found:
            raise Cannot
        for function in found:
            try:
                function.__code__ = after[place]
            except ValueError as error:
                raise Cannot from error


def codes(text: str, path: str) -> dict[Place, CodeType]:
    """Compile a module, and list the code of each function that is made when it is run."""
    found: dict[Place, CodeType] = {}
    for code in outermost(compile(text, path, "exec", dont_inherit=True)):
        name, line = code.co_qualname, code.co_firstlineno
        nth = sum(place[:2] == (name, line) for place in found)
        found[name, line, nth] = code
    return found


def outermost(code: CodeType) -> Iterator[CodeType]:
    """List functions, but not those inside of others."""
    for part in code.co_consts:
        if not isinstance(part, CodeType):
            continue
        if part.co_flags & inspect.CO_NEWLOCALS and not part.co_name.startswith("<gen"):
            yield part
        else:
            yield from outermost(part)


def functions(path: str) -> list[FunctionType]:
    """List the functions of a file that somebody holds, frozen by conftest or not."""
    gc.unfreeze()
    held = (thing for thing in gc.get_objects() if isinstance(thing, FunctionType))
    return [function for function in held if function.__code__.co_filename == path]


def import_instead(mutant: Mutant) -> None:
    """Let whoever imports the module from now on get the mutant."""
    path, as_ever = ROOT / mutant.module, SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> Any:
        if Path(loader.path) == path:
            return compile(mutant.text, str(path), "exec", dont_inherit=True)
        return as_ever(loader, fullname)

    patch.object(SourceFileLoader, "get_code", get_code).start()
