"""How long sealed content is: so that its length does not tell what it says (ADR 37).

Whoever has a copy of the database and no key sees how many bytes each sealed row has. Of
short answers that tells the answer: whether asylum is sought, or how long a name is. So
content is padded with spaces after its JSON, which do not change what it says.
"""

from typing import Final

from app.cases.sections import Paper, Sealable, Section

STEP: Final = 4 * 1024
"""Bytes of what is short and must not be told apart; what is longer has twice as many."""
LEAST: Final = 1024
"""Bytes that everything else has at least."""
ALIKE: Final[frozenset[Sealable]] = frozenset(
    {
        *(Paper.SAFEGUARDS, Paper.SAFEGUARDS_PAST, Paper.TRAVEL_PLAN, Paper.ROUTING),
        Section.IDENTITY,
    }
)
"""What is padded in steps that double; everything else by Padme."""
OVERHEAD: Final = 12 + 16
"""Bytes of the nonce and of the tag of AES-GCM."""


def padded_length(kind: Sealable, length: int) -> int:
    """Return how many bytes content of a kind has once it is padded."""
    if kind not in ALIKE:
        return padme(max(length, LEAST))
    size = STEP
    while size < length:
        size *= 2
    return size


def padme(length: int) -> int:
    """Round a length up so that at most 12 % is added, and log log of it is told.

    Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
    PURBs", 2019, section 4.
    """
    exponent = length.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return (length + mask) & ~mask


def pad(kind: Sealable, plain: bytes) -> bytes:
    """Pad JSON with spaces."""
    return plain.ljust(padded_length(kind, len(plain)))


def is_padded(kind: Sealable, sealed_length: int) -> bool:
    """Return whether a sealed row has the length of padded content."""
    length = sealed_length - OVERHEAD
    return padded_length(kind, length) == length
