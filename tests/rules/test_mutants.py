"""Tests of the changes that `make mutate` makes, and of the code that stays unchanged."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from mutation.modules import MODULES
from mutation.mutants import ROOT, make_mutants, read
from mutation.operators import list_edits
from mutation.source import Source
from mutation.swapping import Cannot, apply_mutant

from app.routing import fit

TABLE = """
_S, _A = State, Action
TABLE = Table(_S.DRAFT, (
    Step(_A.SEND, {_S.DRAFT, _S.SENT}, _S.SENT, {Side.LEAD}, set(), (Need.REASON,)),
    Step(_A.STOP, {_S.SENT}, None, {Side.DESK}),
))
"""


def list_mutants(text: str) -> set[str]:
    """Return every mutant of a module in the format of `ast.unparse`."""
    return {ast.unparse(ast.parse(mutant.text)) for mutant in make_mutants("a.py", text)}


def normalize_texts(*texts: str) -> set[str]:
    """Return these texts in the format of `ast.unparse`."""
    return {ast.unparse(ast.parse(text)) for text in texts}


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("x = a < b", ["x = a <= b", "x = a >= b"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a and b", ["x = a or b", "x = a", "x = b"]),
        ("x = not a", ["x = a"]),
        ("x = a | b", ["x = a & b", "x = a", "x = b"]),
        ("x = 7", ["x = 8"]),
        ("x = True", ["x = False"]),
        ("x = sorted(a)", ["x = list(a)", "x = sorted()"]),
        ("x = [a for a in b if c]", ["x = [a for a in b if True]"]),
        ("x = (a) == (b)", ["x = a != b"]),
        ("x = {a}", ["x = set()"]),
        ("x = {a: b, c: d}", ["x = {a: b}", "x = {c: d}"]),
        ("x = f(a, b=c)", ["x = f(a)"]),
        ("x = lambda f: f.met", ["x = lambda f: True", "x = lambda f: False"]),
        ("f(a)", ["pass", "f()"]),
        ("x.state = a", ["pass"]),
        ("if a:\n    f()", ["if True:\n    f()", "if False:\n    f()", "if a:\n    pass"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("x = 'code'", ["x = 'codeX'"]),
    ],
)
def test_each_of_these_mistakes_is_made(text: str, others: list[str]) -> None:
    assert list_mutants(text) == normalize_texts(*others)


@pytest.mark.parametrize(
    "text",
    [
        '"""Words of a module."""',
        'def f(a: "b" = None) -> c[0]:\n    """Words."""',
        "x: dict[str, int]",
        "type x = a | b",
        "import a, b",
        "class A(Protocol):\n    x = 1",
        "@dataclass(frozen=True)\nclass A:\n    x: int",
        'x = "words for people"',
    ],
)
def test_what_only_people_and_the_type_checker_read_stays(text: str) -> None:
    assert list_mutants(text) == set()


def test_of_a_table_each_row_state_side_role_and_need_is_left_out_once() -> None:
    made_of_it = list_mutants(TABLE)
    excluded = {
        "a row": TABLE.replace("    Step(_A.STOP, {_S.SENT}, None, {Side.DESK}),\n", ""),
        "a source": TABLE.replace("{_S.DRAFT, _S.SENT}", "{_S.SENT}"),
        "a target": TABLE.replace("}, _S.SENT,", "}, _S.DRAFT,"),
        "a side": TABLE.replace("{Side.LEAD}", "set()"),
        "a need": TABLE.replace("(Need.REASON,)", "()"),
        "another action": TABLE.replace("_A.SEND", "_A.STOP"),
    }

    assert {
        what for what, text in excluded.items() if normalize_texts(text) <= made_of_it
    } == set(excluded)


def test_a_mutant_keeps_its_name_when_something_else_changes() -> None:
    before = {mutant.key for mutant in make_mutants("a.py", "x = 1\ny = a < b\n")}
    after = {mutant.key for mutant in make_mutants("a.py", "y = a < b\n")}

    assert len(before) == 3
    assert after < before


def test_what_follows_a_change_stays_on_its_line() -> None:
    text = "f(\n    a,\n    b,\n)\ny = 1\n"

    for mutant in make_mutants("a.py", text):
        assert ast.parse(mutant.text).body[-1].lineno == 5


def test_only_what_is_done_when_a_function_is_called_can_be_changed_meanwhile() -> None:
    text = "x = 1\ndef f(a=2):\n    return 3\ny = lambda: 4\n"

    inside = {mutant.was for mutant in make_mutants("a.py", text) if mutant.body}

    assert inside == {"3", "4"}


def test_the_lines_to_reach_are_those_of_its_statement() -> None:
    [mutant] = make_mutants("a.py", "z = a\nx = (\n    a <\n    b\n)\n")[:1]

    assert mutant.lines == (2, 5)
    assert replace(mutant, text="").key == mutant.key


@pytest.mark.parametrize("module", MODULES)
def test_every_module_that_matters_is_there_and_so_are_its_tests(module: str) -> None:
    assert any(list_edits(Source(read(module))))
    assert all((ROOT / test).is_file() for test in MODULES[module])


@pytest.fixture
def frozen() -> Iterator[None]:
    """Exclude the existing objects from garbage collection, as conftest.py does."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("frozen")
def test_a_function_that_runs_is_changed_wherever_it_is_held_and_changed_back() -> None:
    module, held = "app/routing/fit.py", [fit.rank_match]
    text = read(module)
    mutant = next(
        m for m in make_mutants(module, text) if m.scope == "rank_match" and m.now == "None"
    )
    assert fit.rank_match(True, known=True) == 0

    apply_mutant(mutant, text)
    changed = held[0](True, known=True)
    apply_mutant(replace(mutant, text=text), mutant.text)

    assert changed is None
    assert fit.rank_match(True, known=True) == 0


def test_what_is_made_when_a_module_is_imported_cannot_be_changed_later() -> None:
    module = "app/routing/fit.py"
    text = read(module)
    mutant = next(m for m in make_mutants(module, text) if not m.body)

    with pytest.raises(Cannot):
        apply_mutant(mutant, text)
