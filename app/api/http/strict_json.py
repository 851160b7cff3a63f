"""Strict JSON: UTF-8, no duplicate keys, no NaN, limits on depth and numbers (R68)."""

import json
import re
from collections.abc import Mapping
from email.message import Message
from typing import Any, Final

from app.kernel.problems import Problem

DEPTH: Final = 32
DIGITS: Final = 18
FORM: Final = "application/x-www-form-urlencoded"


class JsonInvalid(Problem):
    """The body is not valid, unambiguous JSON."""

    status = 422


def is_json(headers: Mapping[str, str]) -> bool:
    """Return whether the headers declare an uncompressed JSON body in UTF-8."""
    kind = parse_media_type(headers)
    return kind == "application/json" or kind.endswith("+json")


def parse_media_type(headers: Mapping[str, str]) -> str:
    """Return the media type, or an empty string if the body is compressed or not UTF-8."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    plain = headers.get("content-encoding", "identity").strip().lower() == "identity"
    utf_8 = (message.get_content_charset() or "utf-8") == "utf-8"
    return message.get_content_type() if plain and utf_8 else ""


def parse_strict_json(body: bytes) -> Any:
    """Parse a body. Raises JsonInvalid (422) unless it is valid, unambiguous JSON."""
    if measure_depth(body) > DEPTH:
        raise JsonInvalid(f"The JSON is nested more than {DEPTH} levels deep.")
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=require_unique_keys,
            parse_constant=fail_on_constant,
            parse_int=parse_bounded_int,
        )
    except UnicodeDecodeError as error:
        raise JsonInvalid("It is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise JsonInvalid("It is not JSON.") from error


def measure_depth(body: bytes) -> int:
    """Return the nesting depth of a body without parsing it, because parsing recurses.

    Brackets within strings do not count.
    """
    level = deepest = 0
    for bracket in BRACKETS.findall(TEXTS.sub(b"", body)):
        level += 1 if bracket in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
BRACKETS: Final = re.compile(rb"[\[\]{}]")


def require_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict. Raises JsonInvalid (422) for a duplicate key."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonInvalid("An object has the same key twice.")
    return found


def fail_on_constant(_: str) -> float:
    """Raise JsonInvalid (422), because JSON has no NaN and no infinities."""
    raise JsonInvalid("NaN and Infinity are not JSON.")


def parse_bounded_int(digits: str) -> int:
    """Parse an integer. Raises JsonInvalid (422) if it has more than 18 digits."""
    if len(digits.lstrip("-")) > DIGITS:
        raise JsonInvalid("A number is too large.")
    return int(digits)
