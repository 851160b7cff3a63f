"""The length of sealed content reveals almost nothing about the text (ADR 37)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.padding import (
    ALIKE,
    LEAST,
    OVERHEAD,
    STEP,
    is_padded,
    pad,
    padded_length,
    padme,
)
from app.cases.sections import Paper, Sealable, Section

KINDS: tuple[Sealable, ...] = (*Section, *Paper)


@pytest.mark.parametrize(
    ("length", "padded"),
    [(1024, 1024), (1025, 1088), (2000, 2048), (9000, 9216), (100_000, 100_352)],
)
def test_padme_rounds_up_as_it_was_published(length: int, padded: int) -> None:
    assert padme(length) == padded


@pytest.mark.parametrize("kind", sorted(ALIKE))
def test_short_answers_are_not_told_apart(kind: Sealable) -> None:
    lengths = [padded_length(kind, size) for size in (2, STEP, STEP + 1, 3 * STEP)]

    assert lengths == [STEP, STEP, 2 * STEP, 4 * STEP]


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ALIKE])
def test_everything_else_has_a_kibibyte_at_least(kind: Sealable) -> None:
    assert {padded_length(kind, size) for size in (2, 500, LEAST)} == {LEAST}


@given(st.sampled_from(KINDS), st.integers(min_value=2, max_value=300_000))
def test_filled_up_content_stays_as_it_is(kind: Sealable, length: int) -> None:
    padded = padded_length(kind, length)

    assert length <= padded
    assert padded <= max(STEP, 2 * length)
    assert padded_length(kind, padded) == padded
    assert is_padded(kind, padded + OVERHEAD)


def test_content_is_filled_up_with_spaces_after_it() -> None:
    padded = pad(Paper.SAFEGUARDS, b'{"a":1}')

    assert padded.startswith(b'{"a":1} ')
    assert (len(padded), padded.rstrip()) == (STEP, b'{"a":1}')
