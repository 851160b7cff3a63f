"""Keyset pages: one shape for every list, the change feed included."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.instants import UtcDateTime
from app.kernel.problems import Problem
from app.kernel.vault import Unopenable, Vault
from app.kernel.work import Reading

NUMBER_BYTES: Final = 8
NOT_OF_THIS_LIST: Final = "`after` must be a `next` of this list."
START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CursorUnknown(Problem):
    """The cursor did not come from this list."""

    status = 422


CursorText = Annotated[str, Field(max_length=120)]


class PageQuery(BaseModel):
    """Where to start and how much to return."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        CursorText | SkipJsonSchema[None],
        Field(description="`next` of the last page; absent: the start."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Items a page.")] = 50


class Page[T](BaseModel):
    """Some items, where the next ones start, and whether there are more now."""

    items: list[T]
    next: Annotated[
        str | None, Field(description="Send as `after` for what follows; null: empty list.")
    ]
    more: Annotated[bool, Field(description="Whether there is more now.")]


type Key = ColumnElement[Any] | InstrumentedAttribute[Any]
type Keys = tuple[Key, ...]


def paginate(  # noqa: PLR0913 - each says one thing of the list
    work: Reading,
    statement: Select[*tuple[Any, ...]],
    keys: Keys,
    query: PageQuery,
    *,
    name: str,
    beside: Sequence[tuple[Any, ...]] = (),
) -> tuple[list[Any], str | None, bool]:
    """Run the statement from the cursor on, in the order of its keys: numbers or instants.

    Returns the rows, the next cursor and whether there is more. The statement's last
    columns must be the keys. `beside` has rows that it leaves out, since the database does
    not know their keys. A cursor is bound to this list of this focal point and hides its
    numbers, which would say how many records there are. Raises CursorUnknown (422).
    """
    context, count = [name, str(work.actor.focal_point_id)], len(keys)
    if query.after is not None:
        numbers = read_cursor(work, query.after, context, count)
        start = [place(key, number) for key, number in zip(keys, numbers, strict=True)]
        statement = statement.where(tuple_(*keys) > tuple_(*start))
        beside = [row for row in beside if numbers_of(row, count) > tuple(numbers)]
    limited = statement.order_by(*keys).limit(query.limit + 1)
    found: list[Any] = [*work.session.execute(limited), *beside]
    if beside:
        found.sort(key=lambda row: numbers_of(row, count))
    rows = found[: query.limit]
    if not rows:
        return [], query.after, False
    last = numbers_of(rows[-1], count)
    return rows, cursor(work, last, context), len(found) > len(rows)


def numbers_of(row: Sequence[Any], count: int) -> tuple[int, ...]:
    """Return the keys of a row, which are its last columns, as numbers."""
    return tuple(number_of(value) for value in row[-count:])


def number_of(value: int | datetime) -> int:
    """Spell a key as a number: an instant in microseconds since 1970."""
    if isinstance(value, datetime):
        return (value - START) // timedelta(microseconds=1)
    return value


def place(key: Key, number: int) -> ColumnElement[Any]:
    """Spell a number as a value of the key's own type."""
    instant = isinstance(key.type, UtcDateTime)
    value = START + timedelta(microseconds=number) if instant else number
    return literal(value, key.type)


def cursor(work: Reading, numbers: tuple[int, ...], context: list[str]) -> str:
    """Hide a place in a list."""
    plain = b"".join(number.to_bytes(NUMBER_BYTES) for number in numbers)
    return encrypt_cursor(work.vault, plain, context)


def read_cursor(work: Reading, text: str, context: list[str], count: int) -> list[int]:
    """Find the place again, or raise CursorUnknown (422)."""
    plain = decrypt_cursor(work.vault, text, context)
    starts = range(0, len(plain), NUMBER_BYTES)
    numbers = [int.from_bytes(plain[start : start + NUMBER_BYTES]) for start in starts]
    if len(numbers) != count or text != cursor(work, tuple(numbers), context):
        raise CursorUnknown(NOT_OF_THIS_LIST)
    return numbers


def encrypt_cursor(vault: Vault, plain: bytes, context: list[str]) -> str:
    """Encrypt what a cursor says, as text. The same always gives the same."""
    return base64.urlsafe_b64encode(vault.hide(plain, context)).decode().rstrip("=")


def decrypt_cursor(vault: Vault, text: str, context: list[str]) -> bytes:
    """Return what a cursor says. Raises CursorUnknown (422) if it was made elsewhere."""
    try:
        hidden = base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)
        return vault.reveal(hidden, context)
    except (Unopenable, ValueError) as error:
        raise CursorUnknown(NOT_OF_THIS_LIST) from error
