"""Time zone files (RFC 9636, TZif) whose rules differ from those of the pinned package."""

import io
import struct
from typing import Final
from zoneinfo import ZoneInfo

PREVIOUS_RULES_OF_HAVANA: Final = "CST5CDT,M3.2.0/0,M11.1.0/1"
"""Release 2026e: summer time from March's second Sunday to November's first Sunday."""


def build_zone_file(rule: str) -> bytes:
    """Build a TZif file of version 2 in which one POSIX TZ rule is valid at all times."""
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    local_time = struct.pack(">lbb", 0, 0, 0) + b"LMT\0"
    return (header + local_time) * 2 + f"\n{rule}\n".encode()


def make_zone(rule: str, key: str) -> ZoneInfo:
    """Return a time zone with a single rule."""
    return ZoneInfo.from_file(io.BytesIO(build_zone_file(rule)), key)
