"""The values that MACs cover, encoded as bytes that do not depend on the database."""

import json
from collections.abc import Sequence
from copy import copy
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

HOUR: Final = 3600
"""The seconds of an hour."""

type Values = Sequence[object]
"""The values of the protected columns of a row, in the order of the model's list."""


def copy_values(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values, with copies of the lists and dicts that the record may change."""
    return tuple(copy(one) if isinstance(one, (list, dict)) else one for one in values)


def encode(values: Values) -> bytes:
    """Encode the values of a row as bytes, which do not depend on the database."""
    return ENCODER.encode(values).encode()


def encode_value(value: Any) -> str:
    """Encode a value of a type that JSON lacks. Raises TypeError for an unknown type."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            raise TypeError(f"{type(value).__name__} cannot be encoded.")


ENCODER: Final = json.JSONEncoder(default=encode_value, sort_keys=True)
"""The encoder of values. `json.dumps` would create a new encoder for each call."""


def count_hours(until: datetime | None) -> int:
    """Return a time in hours since the Unix epoch, rounded up, or 0 for None.

    Fractions of a second are dropped before the rounding.
    """
    return 0 if until is None else -(-int(until.timestamp()) // HOUR)


def read_hours(hours: int) -> datetime | None:
    """Return the UTC time that is `hours` hours after the Unix epoch, or None for 0."""
    return datetime.fromtimestamp(hours * HOUR, UTC) if hours else None
