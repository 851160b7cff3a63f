"""Case codes: pseudonymous, random, easy to type, and with a check character (API.md).

`SC-7K3F-9QXM-4T2B-3` has twelve random symbols of Crockford's base 32 and one check
character of ISO 7064 mod 37,36. It detects a single wrong symbol and most transpositions.
"""

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
READ_AS: Final = str.maketrans("OIL", "011")
SYMBOLS: Final = 12
MISREAD: Final = frozenset("01OIL")
CODE_PATTERN: Final = (
    r"^[Ss][Cc]-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}-?[0-9A-Za-z]$"
)


def create_case_code(source: UUID) -> str:
    """Create a case code from 60 bits of a random id."""
    bits, symbols = source.int, ""
    for _ in range(SYMBOLS):
        bits, index = divmod(bits, len(CROCKFORD))
        symbols += CROCKFORD[index]
    while compute_check_character(symbols) in MISREAD:
        last = CROCKFORD.index(symbols[-1])
        symbols = symbols[:-1] + CROCKFORD[(last + 1) % len(CROCKFORD)]
    return format_case_code(symbols)


def format_case_code(symbols: str) -> str:
    """Format twelve symbols as a case code, with groups of four and a check character."""
    groups = (symbols[start : start + 4] for start in range(0, SYMBOLS, 4))
    return "-".join(["SC", *groups, compute_check_character(symbols)])


def compute_check_character(symbols: str) -> str:
    """Compute the check character (ISO/IEC 7064, hybrid system mod 37,36)."""
    product = 36
    for symbol in symbols:
        total = (product + ALPHABET.index(symbol)) % 36 or 36
        product = total * 2 % 37
    return ALPHABET[(37 - product) % 36]


def parse_case_code(text: str) -> str | None:
    """Return the stored form of an entered case code, or None if the code is not valid."""
    if not re.fullmatch(CODE_PATTERN, text):
        return None
    plain = text.upper().replace("-", "")[2:]
    symbols, check = plain[:SYMBOLS].translate(READ_AS), plain[SYMBOLS:]
    if len(symbols) != SYMBOLS or set(symbols) - set(CROCKFORD):
        return None
    return format_case_code(symbols) if check == compute_check_character(symbols) else None


def normalize_case_code(text: str) -> str:
    """Return the stored form of a case code, or raise PydanticCustomError."""
    code = parse_case_code(text)
    if code is None:
        raise PydanticCustomError("case_code_mistyped", "The case code has a typing error.")
    return code


CODE_FORMAT: Final = {"format": "case-code"}
CaseCodeText = Annotated[
    str,
    Field(
        pattern=CODE_PATTERN,
        description="The code of a case.",
        json_schema_extra=CODE_FORMAT,
    ),
    AfterValidator(normalize_case_code),
]
