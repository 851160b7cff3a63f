"""JSON that means one thing: UTF-8, no duplicate keys, no NaN, not too deep (R68)."""

import json
import re
from collections.abc import Mapping
from email.message import Message
from typing import Any, Final

from app.kernel.problems import Problem

DEPTH: Final = 32
DIGITS: Final = 18


class JsonRefused(Problem):
    """The body is not JSON that can mean only one thing."""

    status = 422


def is_json(headers: Mapping[str, str]) -> bool:
    """Say whether the caller says it sent what we read: JSON, in UTF-8, not compressed."""
    kind = media_type(headers)
    return kind == "application/json" or kind.endswith("+json")


def media_type(headers: Mapping[str, str]) -> str:
    """Read what the caller says it sent; "" if compressed, or in other than UTF-8."""
    said = Message()
    said["content-type"] = headers.get("content-type", "")
    plain = headers.get("content-encoding", "identity").strip().lower() == "identity"
    utf_8 = (said.get_content_charset() or "utf-8") == "utf-8"
    return said.get_content_type() if plain and utf_8 else ""


def must_be_strict(body: bytes) -> None:
    """Raise JsonRefused (422) if two readers could understand the body differently."""
    if depth(body) > DEPTH:
        raise JsonRefused(f"It is nested deeper than {DEPTH} levels.")
    try:
        json.loads(
            body.decode(),
            object_pairs_hook=unique,
            parse_constant=refuse_constant,
            parse_int=bounded,
        )
    except UnicodeDecodeError as error:
        raise JsonRefused("It is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise JsonRefused("It is not JSON.") from error


def depth(body: bytes) -> int:
    """Count how deep it is nested, without the brackets within texts.

    Counted before parsing, which recurses.
    """
    level = deepest = 0
    for bracket in BRACKETS.findall(TEXTS.sub(b"", body)):
        level += 1 if bracket in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
BRACKETS: Final = re.compile(rb"[\[\]{}]")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says two things under one name."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("An object has the same key twice.")
    return found


def refuse_constant(_: str) -> float:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise JsonRefused("NaN and Infinity are not JSON.")


def bounded(digits: str) -> int:
    """Refuse a number that no database holds."""
    if len(digits.lstrip("-")) > DIGITS:
        raise JsonRefused("A number is too large.")
    return int(digits)
