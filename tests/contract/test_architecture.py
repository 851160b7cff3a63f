"""Tests of the rules of docs/ARCHITECTURE.md that Ruff and mypy do not check.

The tests read the source code, so they find mistakes but not deliberate evasion.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from app.api.http.validation_errors import CELL_RULE, MESSAGES, OWN_CODES
from app.cases.schemas import SummaryFields
from app.cli.row_protection import REGISTERS
from app.cli.wrapped_keys import WRAPPED
from tests.support.source_code import APP, ROOT, TREES, Trees, read_sources

FILE_CAP, TEST_FILE_CAP = 300, 500
FUNCTION_CAP, FUNCTION_MEDIAN = 40, 10

MIGRATIONS, TESTS = read_sources("migrations"), read_sources("tests")
PROGRAMS = {
    name: text
    for name, text in TESTS.items()
    if name.startswith(("tests/bench/", "tests/torture/")) and "/test_" not in name
}
OURS = Trees(APP | PROGRAMS)
"""The syntax trees of the service and of the programs that measure and test it."""

CONSTANTS: Final = (ast.Assign, ast.AnnAssign, ast.TypeAlias)

type Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_files[N: ast.AST](
    kind: type[N], matches: Callable[[N], bool], trees: Mapping[str, ast.Module] = TREES
) -> set[str]:
    return {
        name
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, kind) and matches(node)
    }


def match_calls(*names: str) -> Callable[[ast.Call], bool]:
    """Return a function that recognises calls of methods with these names."""
    return lambda call: isinstance(call.func, ast.Attribute) and call.func.attr in names


def match_names(*names: str) -> Callable[[ast.expr], bool]:
    """Return a function that recognises uses of `name` and `x.name`."""
    return lambda node: get_name(node) in names


def get_name(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def list_functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def count_lines(function: Function) -> int:
    """Return the number of lines of a function, without its decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_one_place_assigns_a_state() -> None:
    def assigns(node: ast.Attribute) -> bool:
        return node.attr == "state" and isinstance(node.ctx, ast.Store | ast.Del)

    assert find_files(ast.Attribute, assigns) == {"app/kernel/lifecycle.py"}


def test_nobody_assigns_a_state_by_another_road() -> None:
    def writes_rows(call: ast.Call) -> bool:
        given = {keyword.arg for keyword in call.keywords}
        keys = [k for a in call.args if isinstance(a, ast.Dict) for k in a.keys]
        texts = {k.value if isinstance(k, ast.Constant) else get_name(k) for k in keys if k}
        return match_calls("values", "update")(call) and "state" in given | texts

    assert find_files(ast.Call, writes_rows) == set()


SET_BY_NAME: Final = {
    "app/cases/actions.py:update_summary",
    "app/cli/wrapped_keys.py:wrap_again",
    "app/directory/actions.py:store",
    "app/kernel/protected_rows.py:set_defaults",
}
"""The functions that set attributes by name. None of them sets the state of a record."""


def test_fields_are_set_by_name_in_few_places_and_never_the_state() -> None:
    sets = match_names("setattr", "__setattr__")
    users = {
        f"{name}:{function.name}"
        for name, tree in TREES.items()
        for function in list_functions(tree)
        if any(isinstance(n, ast.expr) and sets(n) for n in ast.walk(function))
    }

    assert users == SET_BY_NAME
    assert find_files(ast.expr, sets) == {user.split(":")[0] for user in users}
    assert "state" not in SummaryFields.model_fields
    columns = {(one.wrapped, one.version, one.sealed) for one in WRAPPED}
    assert "state" not in {name for names in columns for name in names}
    assert not [one for one in REGISTERS if "state" in one.table.__table__.columns]


def test_one_place_begins_transactions() -> None:
    opens = match_names("create_engine", "sessionmaker", "Session")

    assert find_files(ast.Call, match_calls("begin", "begin_nested")) == {
        "app/kernel/db.py"
    }
    assert find_files(ast.Call, lambda call: opens(call.func)) == {"app/kernel/db.py"}


def test_only_the_begin_of_a_read_on_sqlite_rolls_back() -> None:
    assert find_files(ast.Call, match_calls("commit", "rollback")) == {
        "app/kernel/sqlite.py"
    }


def test_one_place_asks_which_database_it_is() -> None:
    assert find_files(ast.Attribute, match_names("dialect")) == {"app/kernel/db.py"}


def test_one_place_reads_the_clock() -> None:
    def is_clock(node: ast.Attribute) -> bool:
        owner = get_name(node.value)
        asks_a_class = owner in {"datetime", "date"} and node.attr in {"now", "today"}
        return asks_a_class or (owner == "time" and node.attr in {"time", "time_ns"})

    assert find_files(ast.Call, match_calls("now", "utcnow", "today")) <= {"app/clock.py"}
    assert find_files(ast.Attribute, is_clock) <= {"app/clock.py"}


def test_only_the_ground_makes_ids() -> None:
    makes = match_names("uuid1", "uuid4", "uuid6", "uuid7")

    assert find_files(ast.expr, makes) <= {"app/runtime.py"}


def get_slice(name: str) -> str:
    """Return the name of the folder or module directly under app."""
    return name.split("/")[1]


def list_owners() -> dict[str, str]:
    """Return the package of each table class, that is, a class with a `__tablename__`."""
    return {
        node.name: get_slice(name)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(map(is_table_name, node.body))
    }


def is_table_name(line: ast.stmt) -> bool:
    """Return whether a line assigns `__tablename__`."""
    targets = line.targets if isinstance(line, ast.Assign) else []
    return any(get_name(target) == "__tablename__" for target in targets)


READ_ELSEWHERE = dict.fromkeys(("Entry", "Delivery", "Retrieval", "Mailbox"), "feed")
"""Tables of the kernel's journal that the package of the feed may select, too."""


def list_selected(tree: ast.AST) -> set[str]:
    """Return the names in the arguments of every `select(...)`."""
    arguments = [
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and get_name(call.func) == "select"
        for argument in call.args
    ]
    return {
        name for node in arguments for part in ast.walk(node) if (name := get_name(part))
    }


def test_a_table_is_selected_in_its_slice_or_in_queries() -> None:
    tables = list_owners()
    foreign = {
        (name, table)
        for name in APP
        for table in list_selected(TREES[name]) & set(tables)
        if get_slice(name) not in {tables[table], READ_ELSEWHERE.get(table)}
    }

    assert len(tables) > len(READ_ELSEWHERE)
    assert {found for found in foreign if not found[0].endswith("queries.py")} == set()


def find_long_files(texts: Mapping[str, str], cap: int) -> dict[str, int]:
    """Return the files that have more than `cap` lines, with their numbers of lines."""
    lines = {name: len(text.splitlines()) for name, text in texts.items()}
    return {name: count for name, count in lines.items() if count > cap}


def test_a_file_stays_small() -> None:
    assert find_long_files(APP | PROGRAMS | MIGRATIONS, FILE_CAP) == {}


def test_a_test_file_stays_readable() -> None:
    assert find_long_files(TESTS, TEST_FILE_CAP) == {}


def test_a_function_stays_small() -> None:
    long = {
        (name, function.name): count_lines(function)
        for name, tree in OURS.items()
        for function in list_functions(tree)
        if count_lines(function) > FUNCTION_CAP
    }

    assert long == {}


def test_most_functions_say_one_thing() -> None:
    lengths = [count_lines(f) for tree in OURS.values() for f in list_functions(tree)]

    assert median(lengths) <= FUNCTION_MEDIAN


def test_a_module_says_what_it_is_for() -> None:
    written = {name for name in OURS if OURS.texts[name].strip()}

    assert {name for name in written if not ast.get_docstring(OURS[name])} == set()


def test_what_is_said_of_a_constant_stands_under_it() -> None:
    orphans = {
        (name, after.lineno)
        for name, tree in OURS.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef)
        for before, after in pairwise(node.body)
        if isinstance(after, ast.Expr) and not isinstance(before, CONSTANTS)
        if isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
    }

    assert orphans == set()


IMPORTING_LATER: Final = {
    "app/access/passkeys.py",
    "app/cli/startup.py",
    "app/console/release_files.py",
}
"""Files that import a library at its first use: `webauthn` needs 5 MiB, Alembic 8 MiB, and
`xlsxwriter` a fifth of a second."""


def test_imports_stay_at_the_top() -> None:
    lower = {
        (name, node.lineno)
        for name, tree in OURS.items()
        if name not in IMPORTING_LATER
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in tree.body
    }

    assert lower == set()


def test_no_import_hides() -> None:
    assert (
        find_files(ast.expr, match_names("TYPE_CHECKING", "import_module", "__import__"))
        == set()
    )


def test_no_test_is_skipped() -> None:
    skips = match_names("skip", "skipif", "xfail", "importorskip")

    assert find_files(ast.expr, skips, Trees(TESTS)) == set()


def test_what_this_house_says_of_a_fault_is_said() -> None:
    raised = {
        node.args[0].value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and get_name(node.func) == "PydanticCustomError"
        if isinstance(node.args[0], ast.Constant)
    }

    assert len(raised) >= 6
    assert raised <= {*OWN_CODES, *MESSAGES, CELL_RULE}


def test_imports_point_down() -> None:
    # In a subprocess, because the linter would disable all loggers of this process.
    linter = Path(sys.executable).with_name("lint-imports")

    linted = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, check=False
    )

    assert linted.returncode == 0, linted.stdout.decode()
