"""The time zone database: on every host, the pinned package `tzdata`."""

import zoneinfo
from functools import cache

import tzdata


def select_pinned_database() -> None:
    """Make `zoneinfo` use the package `tzdata` instead of the database of the host.

    Otherwise two hosts could compute different deadlines for the same case.
    """
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()


def get_version() -> str:
    """Return the release of the IANA time zone database in use, such as 2026f."""
    return str(tzdata.IANA_VERSION)


@cache
def list_time_zones() -> frozenset[str]:
    """Return the names of all time zones of the time zone database."""
    return frozenset(zoneinfo.available_timezones())
