"""Keyset pagination: one format of pages and cursors for every list and for the feed."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import ColumnElement, Select, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.instants import UtcDateTime
from app.kernel.problems import Problem
from app.kernel.text import describe_optional, encode_base64url
from app.kernel.transactions import ReadTransaction
from app.kernel.vault import Unopenable, Vault

NUMBER_BYTES: Final = 8
NOT_OF_THIS_LIST: Final = "`after` must be a cursor of this list or feed."
PAGE_SIZE, PAGE_START = "page_size", "page_start_"
"""The name of the parameter for the page size, and the name prefix for the start keys."""
MAX_STATEMENTS: Final = 32
"""The maximum number of statements of pages that are cached."""
START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class CursorUnknown(Problem):
    """The cursor did not come from this list."""

    status = 422


CursorText = Annotated[str, Field(max_length=120)]


class PageQuery(BaseModel):
    """The query parameters of a list."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        CursorText | SkipJsonSchema[None],
        Field(description="`next` of the previous page. Omit it to get the first page."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Items per page.")] = 50


class Page[T](BaseModel):
    """One page of a list. The last page has no `next`."""

    items: list[T]
    next: Annotated[
        str | SkipJsonSchema[None],
        describe_optional("`after` of the next page. Absent on the last page."),
    ] = None


type Key = ColumnElement[Any] | InstrumentedAttribute[Any]
type Keys = tuple[Key, ...]


def load_page(  # noqa: PLR0913 - each is a property of the list
    tx: ReadTransaction,
    statement: Select[*tuple[Any, ...]],
    keys: Keys,
    query: PageQuery,
    *,
    name: str,
    extra_rows: Sequence[tuple[Any, ...]] = (),
    parameters: Mapping[str, Any] | None = None,
) -> tuple[list[Any], str | None]:
    """Return a page sorted by the keys, and the cursor of the next page if there is one.

    Keys are numbers or instants and must be the last columns of the statement. `extra_rows`
    are rows whose keys are not stored in the database; they are sorted into the page. A
    statement with `parameters` must be a constant and select only columns; the statement of
    its page is cached. A cursor is encrypted, because its numbers reveal how many records
    exist. Raises CursorUnknown (422) for a cursor of another list or another focal point.
    """
    context, count = [name, str(tx.actor.focal_point_id)], len(keys)
    values: dict[str, Any] = {PAGE_SIZE: query.limit + 1}
    if query.after is not None:
        numbers = read_cursor(tx, query.after, context, count)
        extra_rows = [r for r in extra_rows if get_key_numbers(r, count) > tuple(numbers)]
        pairs = enumerate(zip(keys, numbers, strict=True))
        values |= {f"{PAGE_START}{n}": to_value(key, number) for n, (key, number) in pairs}
    has_start = query.after is not None
    if parameters is None:
        page = limit_to_page(statement, keys, has_start=has_start)
        read: Sequence[Any] = tx.session.execute(page, values).all()
    else:
        page = limit_constant_to_page(statement, keys, has_start=has_start)
        read = tx.read_columns(page, {**parameters, **values}).all()
    found: list[Any] = [*read, *extra_rows]
    if extra_rows:
        found.sort(key=lambda row: get_key_numbers(row, count))
    rows = found[: query.limit]
    if len(found) == len(rows):
        return rows, None
    return rows, create_cursor(tx, get_key_numbers(rows[-1], count), context)


def get_key_numbers(row: Sequence[Any], count: int) -> tuple[int, ...]:
    """Return the keys of a row, which are its last columns, as numbers."""
    return tuple(to_number(value) for value in row[-count:])


def to_number(value: int | datetime) -> int:
    """Return a key as a number: a datetime becomes its microseconds since 1970."""
    if isinstance(value, datetime):
        return (value - START) // timedelta(microseconds=1)
    return value


def to_value(key: Key, number: int) -> int | datetime:
    """Return a number of a cursor as a value of the sort key."""
    instant = isinstance(key.type, UtcDateTime)
    return START + timedelta(microseconds=number) if instant else number


def limit_to_page(
    statement: Select[*tuple[Any, ...]], keys: Keys, *, has_start: bool
) -> Select[*tuple[Any, ...]]:
    """Return the statement of a page.

    With `has_start`, the page begins after the keys in the parameters `page_start_0` etc.
    """
    if has_start:
        parameters = [
            bindparam(f"{PAGE_START}{n}", type_=key.type) for n, key in enumerate(keys)
        ]
        statement = statement.where(tuple_(*keys) > tuple_(*parameters))
    return statement.order_by(*keys).limit(bindparam(PAGE_SIZE))


limit_constant_to_page = lru_cache(MAX_STATEMENTS)(limit_to_page)
"""The function `limit_to_page` with a cache, for constant statements."""


def create_cursor(tx: ReadTransaction, numbers: tuple[int, ...], context: list[str]) -> str:
    """Return the encrypted cursor of the row whose keys are `numbers`."""
    plain = b"".join(number.to_bytes(NUMBER_BYTES) for number in numbers)
    return encrypt_cursor(tx.vault, plain, context)


def read_cursor(
    tx: ReadTransaction, text: str, context: list[str], count: int
) -> list[int]:
    """Return the numbers in a cursor. Raises CursorUnknown (422) if it is not valid."""
    plain = decrypt_cursor(tx.vault, text, context)
    if len(plain) != count * NUMBER_BYTES:
        raise CursorUnknown(NOT_OF_THIS_LIST)
    starts = range(0, len(plain), NUMBER_BYTES)
    return [int.from_bytes(plain[start : start + NUMBER_BYTES]) for start in starts]


def encrypt_cursor(vault: Vault, plain: bytes, context: list[str]) -> str:
    """Encrypt a cursor as text; equal input gives equal text until a key is activated."""
    return encode_base64url(vault.encrypt_cursor(plain, context))


def decrypt_cursor(vault: Vault, text: str, context: list[str]) -> bytes:
    """Return the content of a cursor. Raises CursorUnknown (422) if it is not valid."""
    try:
        hidden = base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)
        if encode_base64url(hidden) != text:
            raise CursorUnknown(NOT_OF_THIS_LIST)
        return vault.decrypt_cursor(hidden, context)
    except (Unopenable, ValueError) as error:
        raise CursorUnknown(NOT_OF_THIS_LIST) from error
