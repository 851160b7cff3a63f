"""Padding of sealed content, so that its length does not reveal it (ADR 37).

Anybody with a copy of the database and no key sees the size of each sealed row. For short
answers the size would reveal the answer, such as whether asylum is sought, or how long a
name is. So the JSON is padded with spaces at its end, which do not change its meaning.
"""

from typing import Final

from app.cases.sections import Paper, Sealable, Section

MIN_STEP: Final = 4 * 1024
"""The smallest size in bytes of `STEPPED_KINDS`; a larger document doubles it."""
MIN_SIZE: Final = 1024
"""The smallest size in bytes of all other documents."""
STEPPED_KINDS: Final[frozenset[Sealable]] = frozenset(
    {
        Paper.SAFEGUARDS,
        Paper.SAFEGUARDS_PAST,
        Paper.TRAVEL_PLAN,
        Paper.ROUTING,
        Section.IDENTITY,
    }
)
"""Kinds padded to sizes that double; all others are padded by Padmé."""
OVERHEAD: Final = 12 + 16
"""Bytes of the nonce and of the tag of AES-GCM."""


def pad_length(kind: Sealable, length: int) -> int:
    """Return the length in bytes of content of a kind after padding."""
    if kind not in STEPPED_KINDS:
        return compute_padme_length(max(length, MIN_SIZE))
    size = MIN_STEP
    while size < length:
        size *= 2
    return size


def compute_padme_length(length: int) -> int:
    """Round a length up by at most 12 %, so that it reveals O(log log length) bits.

    Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
    PURBs", 2019, section 4.
    """
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return (length + mask) & ~mask


def pad(kind: Sealable, plain: bytes) -> bytes:
    """Return JSON padded with spaces."""
    return plain.ljust(pad_length(kind, len(plain)))


def is_padded(kind: Sealable, sealed_length: int) -> bool:
    """Return whether a sealed row has the length of padded content."""
    length = sealed_length - OVERHEAD
    return pad_length(kind, length) == length
