"""A digest of values that every host of a mechanism must compute in the same way.

Run as a program, it prints the digest: `python -m tests.support.host_digest`.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime
from typing import Final

from app.deadlines.limits import days, months, working_days
from app.directory.calendars import Place
from app.kernel import time_zones
from app.reference.cldr import list_countries

ZONES: Final = {
    "CU": "America/Havana",
    "GT": "America/Guatemala",
    "KZ": "Asia/Almaty",
    "AF": "Asia/Kabul",
    "TT": "America/Port_of_Spain",
    "UZ": "Asia/Tashkent",
}
STARTS: Final = [
    datetime(year, month, 27, 21, 30, tzinfo=UTC)
    for year in (2025, 2026, 2027)
    for month in range(1, 13)
]
LIMITS: Final = (days(7), months(1), working_days(5))


def compute_deadlines() -> list[str]:
    """Compute deadlines in six countries, over three years."""
    return [
        limit.compute_end(start, Place(zone, country).get_calendar(start)).isoformat()
        for country, zone in ZONES.items()
        for start in STARTS
        for limit in LIMITS
    ]


def compute_digest() -> str:
    """Return the digest of the time zone release, of deadlines and of country names."""
    names = [item.model_dump() for item in list_countries()]
    text = json.dumps(
        [time_zones.get_version(), compute_deadlines(), names], ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(compute_digest())
