"""The time zone database: the pinned `tzdata` package, on every host."""

import zoneinfo
from functools import cache

import tzdata


def select_pinned_database() -> None:
    """Make `zoneinfo` use the `tzdata` package and not the database of the host.

    By default, `zoneinfo` prefers the database of the host, so that two hosts could compute
    different deadlines for the same case. The cache of zones is cleared.
    """
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()


def get_version() -> str:
    """Return the release of the IANA time zone database in use, such as 2026f."""
    return str(tzdata.IANA_VERSION)


@cache
def list_time_zones() -> frozenset[str]:
    """Return the names of all time zones in the database in use."""
    return frozenset(zoneinfo.available_timezones())
