"""Most typing errors in a case code are detected; letter case and hyphens do not matter."""

import re
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.codes import (
    ALPHABET,
    CODE_PATTERN,
    CROCKFORD,
    compute_check_character,
    create_case_code,
    parse_case_code,
)

CODES = [create_case_code(UUID(int=seed * 0x1234_5678_9ABC_DEF1)) for seed in range(1, 31)]
LOOKALIKES = ["OI", "OL", "oi", "ol", "0l"]


def is_valid_check(text: str) -> bool:
    """Return whether the check character is right according to ISO/IEC 7064.

    P begins at 36. For each character `a`, S = P + a, and the next P is twice S modulo 36
    (36 instead of 0), modulo 37. The last S must be 1 modulo 36.
    """
    carry = 36
    for char in text[:-1]:
        carry = 2 * ((carry + int(char, 36) - 1) % 36 + 1) % 37
    return (carry + int(text[-1], 36)) % 36 == 1


def remove_format(code: str) -> str:
    return code.removeprefix("SC-").replace("-", "")


def format_code(symbols: str) -> str:
    """Format twelve symbols and a check character as a case code."""
    return f"SC-{symbols[:4]}-{symbols[4:8]}-{symbols[8:12]}-{symbols[12:]}"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (
            "A12425GABC1234002",
            "M",
        ),  # the example of the GRid standard, which uses this system
        ("7K3F9QXM4T2B", "3"),
    ],
)
def test_the_check_character_is_that_of_the_standard(text: str, check: str) -> None:
    found = compute_check_character(text)

    assert found == check
    assert [char for char in ALPHABET if is_valid_check(text + char)] == [check]


@given(st.text(ALPHABET, min_size=1, max_size=40))
def test_exactly_one_check_character_fits(text: str) -> None:
    found = compute_check_character(text)

    assert [char for char in ALPHABET if is_valid_check(text + char)] == [found]


@given(st.uuids())
def test_every_new_code_can_be_read(source: UUID) -> None:
    code = create_case_code(source)

    assert re.fullmatch(CODE_PATTERN, code)
    assert set(remove_format(code)[:12]) <= set(CROCKFORD)
    assert is_valid_check(remove_format(code))
    assert parse_case_code(code) == code


def test_different_ids_have_different_codes() -> None:
    codes = {
        create_case_code(UUID(int=seed * 0x9E37_79B9_7F4A_7C15)) for seed in range(5000)
    }

    assert len(codes) == 5000
    assert [len({code[place] for code in codes}) for place in (3, 6, 8, 11, 13)] == [32] * 5


@pytest.mark.parametrize("code", CODES)
def test_every_single_wrong_symbol_is_noticed(code: str) -> None:
    right = remove_format(code)

    wrong = [
        right[:place] + symbol + right[place + 1 :]
        for place in range(13)
        for symbol in (CROCKFORD if place < 12 else ALPHABET)
        if symbol != right[place]
    ]

    assert len(wrong) == 12 * 31 + 35
    assert {parse_case_code(format_code(text)) for text in wrong} == {None}


def test_nearly_every_swap_of_neighbours_is_noticed() -> None:
    swapped = [
        right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        for right in map(remove_format, CODES)
        for place, (one, other) in enumerate(pairwise(right))
        if one != other
    ]

    noticed = [text for text in swapped if parse_case_code(format_code(text)) is None]

    assert len(swapped) > 300
    assert len(noticed) / len(swapped) > 0.97


@given(st.sampled_from(CODES), st.lists(st.booleans(), min_size=19, max_size=19))
def test_case_and_hyphens_do_not_matter(code: str, choices: list[bool]) -> None:
    careless = "".join(
        char if keep else {"-": ""}.get(char, char.lower())
        for char, keep in zip(code, choices, strict=True)
    )

    assert re.fullmatch(CODE_PATTERN, careless)
    assert parse_case_code(careless) == code


@given(st.uuids())
def test_whoever_takes_a_digit_for_a_letter_is_understood(source: UUID) -> None:
    code = create_case_code(source)
    body, check = code[3:-2], code[-2:]

    misread = [body.translate(str.maketrans("01", letters)) for letters in LOOKALIKES]

    assert {parse_case_code(f"SC-{text}{check}") for text in misread} == {code}


def test_whoever_misreads_the_check_character_is_understood() -> None:
    codes = [
        create_case_code(UUID(int=seed * 0x9E37_79B9_7F4A_7C15)) for seed in range(500)
    ]

    misread = {
        code[:-1] + other: code
        for code in codes
        for alike in ("0O", "1IL")
        if code[-1] in alike
        for other in alike
    }

    assert {text: parse_case_code(text) for text in misread} == misread


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "-",
        "SC",
        "SC-",
        "SC-7K3F-9QXM-4T2B",  # no check character
        "SC-7K3F-9QXM-4T2B-33",  # one too many
        "SC-7K3F-9QXM-4T2-3",  # one too few
        "SC-7K3F-9QXM-4T2U-3",  # U is no symbol
        "SC-7K3F 9QXM 4T2B-3",
        "SC-7K3F-9QXM-4T2B-*",
        "SC-7K3F-9QXM-4T2B-3\n",
        "SC-\u0667K3F-9QXM-4T2B-3",  # an Arabic digit
        "SC-7K3F-9QXM-4T2B-\uff13",  # a full-width digit
        "SC-\U0001d7d5K3F-9QXM-4T2B-3",  # a mathematical digit
        "SC-7K3F-9QXM-4T2B-\u0663",
        "SC\u20107K3F\u20109QXM\u20104T2B\u20103",  # another hyphen
        "SC-7K3F-9QXM-4T2B-3" * 10_000,
        "\ud800" * 15,
        "\0" * 15,
    ],
)
def test_what_is_no_code_is_none(wrong: str) -> None:
    assert parse_case_code(wrong) is None


@pytest.mark.parametrize("prefix", ["", "XX-", "CS-", "7K-", "ß-", "🚧🚧-"])
def test_another_prefix_is_no_case_code(prefix: str) -> None:
    assert parse_case_code("SC-7K3F-9QXM-4T2B-3") == "SC-7K3F-9QXM-4T2B-3"
    assert parse_case_code(f"{prefix}7K3F-9QXM-4T2B-3") is None


@given(st.text())
def test_no_text_at_all_makes_reading_fail(text: str) -> None:
    assert parse_case_code(text) in {None, format_code(remove_format(text.upper()))}
    assert parse_case_code(f"SC-{text}") in {
        None,
        format_code(remove_format(f"SC-{text}".upper())),
    }
