"""The pins in requirements files."""

import re
from dataclasses import dataclass
from typing import Final

PIN: Final = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.+))?")
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
REQUIRED_BY: Final = re.compile(r"# (?:via )?\s*([a-z0-9._-]+)")
NEXT_PIN: Final = re.compile(r"\n(?=\S)")
NOT_A_NAME: Final = {"via", "-c"}


@dataclass(frozen=True)
class Pin:
    """A pinned package: version, platforms, hashes, and the packages that require it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    required_by: frozenset[str]


def parse_pins(text: str) -> list[Pin]:
    """Return every pin of a requirements file, or raise ValueError for any other line."""
    return [parse_pin(one) for one in NEXT_PIN.split(text.replace(" \\\n", "\n").strip())]


def parse_pin(text: str) -> Pin:
    """Return a pin with its hashes, and the packages that require it according to uv."""
    head = text.partition("\n")[0]
    found, hashes = PIN.fullmatch(head), HASH.findall(text)
    if not found or not hashes:
        raise ValueError(f"Not a pin with a hash: {head}")
    return Pin(
        name=found["name"],
        version=found["version"],
        marker=found["marker"] or "",
        hashes=tuple(hashes),
        required_by=frozenset(REQUIRED_BY.findall(text)) - NOT_A_NAME,
    )
