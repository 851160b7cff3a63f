"""The length of a sealed document reveals almost nothing about its text (ADR 37)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.padding import (
    MIN_SIZE,
    OVERHEAD,
    STEPPED_KINDS,
    compute_padme_length,
    is_padded,
    pad,
    pad_length,
)
from app.cases.sections import Paper, Sealable, Section
from app.kernel.padding import MIN_STEP

KINDS: tuple[Sealable, ...] = (*Section, *Paper)


@pytest.mark.parametrize(
    ("length", "padded"),
    [(1024, 1024), (1025, 1088), (2000, 2048), (9000, 9216), (100_000, 100_352)],
)
def test_padme_rounds_up_as_it_was_published(length: int, padded: int) -> None:
    assert compute_padme_length(length) == padded


@pytest.mark.parametrize("kind", sorted(STEPPED_KINDS))
def test_short_answers_are_not_told_apart(kind: Sealable) -> None:
    lengths = [pad_length(kind, size) for size in (2, MIN_STEP, MIN_STEP + 1, 3 * MIN_STEP)]

    assert lengths == [MIN_STEP, MIN_STEP, 2 * MIN_STEP, 4 * MIN_STEP]


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in STEPPED_KINDS])
def test_everything_else_has_a_kibibyte_at_least(kind: Sealable) -> None:
    assert {pad_length(kind, size) for size in (2, 500, MIN_SIZE)} == {MIN_SIZE}


@given(st.sampled_from(KINDS), st.integers(min_value=2, max_value=300_000))
def test_filled_up_content_stays_as_it_is(kind: Sealable, length: int) -> None:
    padded = pad_length(kind, length)

    assert length <= padded
    assert padded <= max(MIN_STEP, 2 * length)
    assert pad_length(kind, padded) == padded
    assert is_padded(kind, padded + OVERHEAD)


def test_content_is_filled_up_with_spaces_after_it() -> None:
    padded = pad(Paper.SAFEGUARDS, b'{"a":1}')

    assert padded.startswith(b'{"a":1} ')
    assert (len(padded), padded.rstrip()) == (MIN_STEP, b'{"a":1}')
