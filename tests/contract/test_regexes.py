"""Tests that patterns take linear time, so no text can keep the service busy (R70).

Pydantic uses an engine that is always linear. The patterns with which `re` reads received
text are listed here. Each has at most one unbounded repetition, and alternatives only if
that repetition is possessive or absent.
"""

import ast
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from re import _constants as codes
from re import _parser as parser
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.api.http import strict_json
from app.api.http.conditional_requests import matches_tag
from app.api.http.dependencies import KeyText
from app.api.http.strict_json import parse_strict_json
from app.casework.schemas import CaseInput
from app.consents.schemas import ConsentInput
from app.console import form_drafts, visits
from app.directory import opening_hours
from app.feed import cursors
from app.kernel import codes as case_codes
from app.kernel import stored_keys, versions
from app.kernel import text as texts
from app.kernel.codes import CaseCodeText, parse_case_code
from app.kernel.languages import rank_languages
from app.kernel.problems import Problem
from app.kernel.versions import SeenVersions
from tests.support.source_code import TREES

READ_BY_RE = {
    "app/api/http/strict_json.py": ["compile", "compile"],
    "app/console/form_drafts.py": ["compile"],
    "app/console/visits.py": ["compile"],
    "app/directory/opening_hours.py": ["compile"],
    "app/feed/cursors.py": ["compile"],
    "app/kernel/codes.py": ["fullmatch"],
    "app/kernel/stored_keys.py": ["compile"],
    "app/kernel/versions.py": ["compile"],
}
"""Files in which `re` reads text that somebody sent."""
OURS_ALONE = {
    "app/api/http/openapi.py",
    "app/api/http/operation_examples.py",
    "app/api/http/validation_errors.py",
    "app/cli/account_load_command.py",
    "app/cli/transit.py",
    "app/directory/cell_errors.py",
    "app/kernel/keyfile.py",
    "app/kernel/ledger_file.py",
    "app/kernel/problems.py",
    "app/setting_types.py",
    "app/kernel/guards.py",
}
"""Files in which `re` reads only text of the code, the operator or the database."""
PATTERNS: dict[str, re.Pattern[Any]] = {
    "texts of JSON": strict_json.TEXTS,
    "brackets of JSON": strict_json.BRACKETS,
    "cursor of the feed": cursors.CLEAR_CURSOR,
    "opening hours": opening_hours.SPAN,
    "entity tag": versions.TAG,
    "key of a form draft": form_drafts.KEY_PATTERN,
    "part of an address of the console": visits.PLAIN,
    "encrypted key": stored_keys.CIPHERTEXT,
    "case code": re.compile(case_codes.CODE_PATTERN),
}
SIZE, LIMIT = 64 * 1024, 0.05


def list_calls(tree: ast.Module) -> list[str]:
    """Return the functions of `re` that a file calls."""
    return [
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    ]


def list_imports(tree: ast.Module) -> set[str]:
    """Return the modules that a file imports, in either form of the import statement."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    ]
    return {alias.name for node in found for alias in node.names} | set(froms)


def test_each_use_of_re_is_known() -> None:
    used = {name: list_calls(tree) for name, tree in TREES.items() if list_calls(tree)}

    assert {n: u for n, u in used.items() if n not in OURS_ALONE} == READ_BY_RE


def test_no_other_engine_is_used_and_none_under_another_name() -> None:
    others = {"regex", "fnmatch", "sre_compile", "sre_parse", "string.templatelib"}

    for name, tree in TREES.items():
        assert not list_imports(tree) & others, name
        froms = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        assert "re" not in {node.module for node in froms}, name
        named = [a for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert [a for a in named if a.name == "re" and a.asname] == [], name
        assert "python-re" not in ast.unparse(tree), name


def find_repetitions(parsed: Any) -> Iterator[tuple[Any, bool]]:
    """Yield every unbounded repetition, and whether the engine may backtrack in it."""
    for operation, argument in parsed:
        if operation in {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}:
            _, most, inner = argument
            if most == codes.MAXREPEAT:
                yield inner, operation is not codes.POSSESSIVE_REPEAT
            yield from find_repetitions(inner)
        elif operation is codes.SUBPATTERN:
            yield from find_repetitions(argument[-1])
        elif operation is codes.BRANCH:
            for branch in argument[1]:
                yield from find_repetitions(branch)


def is_linear(pattern: re.Pattern[Any]) -> bool:
    """Return whether a pattern reads each character a limited number of times."""
    parsed = parser.parse(pattern.pattern, pattern.flags)
    found = list(find_repetitions(parsed))
    words = set(re.findall(r"[A-Z_]+", str(parsed.data)))
    chooses = "BRANCH" in words and [again for _, again in found] != [False]
    nested = any(list(find_repetitions(inner)) for inner, _ in found)
    looks = words & {"GROUPREF", "ASSERT", "ASSERT_NOT"}
    if not found:
        return not looks  # a fixed number of characters
    return len(found) <= 1 and not (chooses or nested or looks)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_that_reads_what_is_sent_is_linear(name: str) -> None:
    assert is_linear(PATTERNS[name])


@pytest.mark.parametrize("evil", [r"(a+)+b", r"a*a*b", r"(a|ab)*c", r"(.*)\1", r"(?=a+)b"])
def test_the_rule_knows_an_evil_pattern(evil: str) -> None:
    assert not is_linear(re.compile(evil))


TYPES: dict[str, Any] = {
    "SafeLine": texts.SafeLine,
    "SafeText": texts.SafeText,
    "CountryCode": texts.CountryCode,
    "LanguageTag": texts.LanguageTag,
    "Phone": texts.Phone,
    "Code": texts.Code,
    "Day": texts.Day,
    "Instant": texts.Instant,
    "case code": CaseCodeText,
    "idempotency key": KeyText,
    **{
        f: ConsentInput.model_fields[f].rebuild_annotation()
        for f in ("form_version", "language")
    },
    "external_reference": CaseInput.model_fields["external_reference"].rebuild_annotation(),
}
EVIL = {
    "letters": "a" * SIZE,
    "capitals": "A" * SIZE,
    "digits": "1" * SIZE,
    "hyphens": "a-" * (SIZE // 2),
    "zeros and a sign": "+" + "0" * SIZE,
    "a code without end": "SC-" + "7" * SIZE,
    "fractions": "2026-06-01T12:00:00." + "1" * SIZE + "Z",
    "white space": " " * SIZE + "!",
    "joiners": "ب\u200c" * (SIZE // 2),
    "marks": "a" + "\u0301\u0327" * (SIZE // 2),
    "quotes": '"' * SIZE,
    "backslashes": "\\" * SIZE,
}
BODIES = {
    "quotes": b'"' * SIZE,
    "texts": b'""' * (SIZE // 2),
    "a text without end": b'"' + b"a" * SIZE,
    "backslashes": b'"' + b"\\" * SIZE,
    "escaped quotes": b'"' + b'\\"' * (SIZE // 2),
    "escaped quotes, escaped": b'"' + b'\\\\"' * (SIZE // 3),
    "arrays": b"[" * SIZE,
    "closing": b"]" * SIZE,
    "objects": b'{"a":' * (SIZE // 5),
    "brackets in texts": b'["[{",' * (SIZE // 6),
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(SIZE // 10)) + b"}",
    "one key": b"{" + b",".join([b'"a":1'] * (SIZE // 6)) + b"}",
    "digits": b"9" * SIZE,
    "fraction": b"0." + b"9" * SIZE,
    "exponent": b"1e" + b"9" * SIZE,
    "minus": b"-" * SIZE,
    "escapes": b'"' + b"\\ud800" * (SIZE // 6) + b'"',
    "white space": b" " * SIZE,
    "no UTF-8": b"\xff" * SIZE,
    "half of UTF-8": '"ж'.encode()[:-1] * (SIZE // 2),
    "numbers": b"[" + b"1," * (SIZE // 2) + b"1]",
}


def measure_shortest(act: Callable[[], object], tries: int = 5) -> float:
    """Call a function several times, and return its shortest CPU time in seconds."""
    took = []
    for _ in range(tries):
        begun = time.thread_time()
        with suppress(ValidationError, Problem):
            act()
        took.append(time.thread_time() - begun)
    return min(took)


@pytest.mark.parametrize("kind", TYPES)
def test_no_text_keeps_a_type_busy(kind: str) -> None:
    adapter = TypeAdapter(TYPES[kind])

    took = {
        name: measure_shortest(partial(adapter.validate_python, text))
        for name, text in EVIL.items()
    }

    assert {name: seconds for name, seconds in took.items() if seconds > LIMIT} == {}


@pytest.mark.parametrize("name", BODIES)
def test_no_body_keeps_the_reader_busy(name: str) -> None:
    assert measure_shortest(lambda: parse_strict_json(BODIES[name])) < LIMIT


@pytest.mark.parametrize("name", EVIL)
def test_no_header_or_path_keeps_its_reader_busy(name: str) -> None:
    text = EVIL[name]
    commas = ",".join(text[: SIZE // 2])

    readers: list[Callable[[], object]] = [
        lambda: parse_case_code(text),
        lambda: matches_tag(commas, "tag"),
        lambda: SeenVersions(commas).require_version(1),
        lambda: SeenVersions(text).require_version(1),
        lambda: cursors.CLEAR_CURSOR.fullmatch(text),
        lambda: rank_languages(commas),
        lambda: rank_languages(text),
    ]

    assert max(measure_shortest(reader) for reader in readers) < LIMIT
