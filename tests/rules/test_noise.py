"""The noise on published counts is repeatable, centred on 0, and hides a single case."""

import hashlib
from collections import Counter

from app.consents.noise import MAX_NOISE, SMALLEST_COUNT, derive_noise

DRAWN = [derive_noise(hashlib.sha256(str(n).encode()).hexdigest()) for n in range(20_000)]


def test_noise_lies_around_zero_and_is_never_large() -> None:
    counts = Counter(DRAWN)

    assert abs(sum(DRAWN) / len(DRAWN)) < 0.1
    assert max(map(abs, DRAWN)) <= MAX_NOISE
    assert counts.most_common(1)[0][0] == 0
    within_one = counts[-1] + counts[0] + counts[1]
    assert 0.5 < within_one / len(DRAWN) < 0.65
    assert abs(counts[3] - counts[-3]) < 0.02 * len(DRAWN)


def test_noise_of_one_fingerprint_is_always_the_same() -> None:
    digest = hashlib.sha256(b"KZ").hexdigest()

    assert derive_noise(digest) == derive_noise(digest)
    assert derive_noise("0" * 64) == 0
    assert derive_noise("f" * 13 + "0" * 51) == MAX_NOISE


def test_who_adds_ten_learns_little_of_one_that_was_there() -> None:
    """Counts of 10 and of 11 are published in 25 % to 75 % of draws, 11 more often."""
    shown = [sum(count + noise >= SMALLEST_COUNT for noise in DRAWN) for count in (10, 11)]
    chance = [one / len(DRAWN) for one in shown]

    assert 0.25 < chance[0] < chance[1] < 0.75
