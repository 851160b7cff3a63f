"""Deprecated operations: the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).

A route is declared deprecated with a dependency:
`dependencies=[Depends(Deprecation(since=..., sunset=..., link=...))]`. All responses of
the route then have the headers, and the contract marks its operation as deprecated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Final

from fastapi.params import Depends

from app.api.http.response_headers import DEPRECATION_HEADERS

LEAST: Final = timedelta(days=365)
"""The minimum time for which a deprecated operation keeps working."""
type RawHeaders = tuple[tuple[bytes, bytes], ...]


class SunsetTooEarlyError(ValueError):
    """An operation is declared to end less than `LEAST` after its deprecation."""


@dataclass(frozen=True)
class Deprecation:
    """The day on which an operation was deprecated, its last day, and a page about it.

    The page behind `link` says what to use instead. Both days are in UTC.
    """

    since: date
    sunset: date
    link: str

    def __post_init__(self) -> None:
        """Raise SunsetTooEarlyError unless the operation works long enough."""
        if self.sunset - self.since < LEAST:
            raise SunsetTooEarlyError(
                f"The sunset {self.sunset} is less than {LEAST} after {self.since}."
            )

    async def __call__(self) -> None:
        """Do nothing. The route adds the headers, so that error responses have them too."""

    @property
    def headers(self) -> RawHeaders:
        """The headers of each response, in the order of `DEPRECATION_HEADERS`."""
        since = int(datetime.combine(self.since, time.min, UTC).timestamp())
        end = datetime.combine(self.sunset, time(23, 59, 59), UTC)
        link = f'<{self.link}>; rel="deprecation"; type="text/html"'
        values = (f"@{since}", format_datetime(end, usegmt=True), link)
        pairs = zip(DEPRECATION_HEADERS, values, strict=True)
        return tuple((name.lower().encode(), value.encode()) for name, value in pairs)

    def describe(self) -> str:
        """Return a sentence for the description of the operation."""
        return f"Deprecated since {self.since}. Works until {self.sunset}. See {self.link}."


def find_deprecation(dependencies: Iterable[Depends]) -> Deprecation | None:
    """Return the deprecation in the dependencies of a route, or None if there is none."""
    declared = (one.dependency for one in dependencies)
    return next((one for one in declared if isinstance(one, Deprecation)), None)
