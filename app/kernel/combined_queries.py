"""Statements that read rows of several tables at once.

A statement costs more than the few rows that it returns. A combined query is a UNION ALL of
several queries, whose columns are aligned by the form in which their values are stored. The
driver returns each value as it does in a query of one table, and the type of the column
converts it as SQLAlchemy does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CompoundSelect,
    Date,
    Dialect,
    Integer,
    LargeBinary,
    Select,
    String,
    Uuid,
    cast,
    inspect,
    literal_column,
    null,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import (
    InstrumentedAttribute,
    Mapper,
    make_transient_to_detached,
)
from sqlalchemy.orm.util import identity_key
from sqlalchemy.types import DateTime, NullType, TypeDecorator, TypeEngine

from app.kernel.db import get_dialect
from app.kernel.protected_rows import ProtectedRow, verify_loaded_row, verify_values
from app.kernel.transactions import ReadTransaction, WriteTransaction

FORMS: Final[Sequence[TypeEngine[Any]]] = (
    BigInteger(),
    Boolean(create_constraint=False),
    Date(),
    DateTime(timezone=True),
    Integer(),
    JSON(),
    LargeBinary(),
    String(),
    Uuid(),
)
"""The forms in which values are stored, each as an SQLAlchemy type."""
MAX_IDS: Final = 1024
"""The maximum number of converted ids that are cached for each column."""
EMPTY: Final[Any] = text("NULL")
"""An empty column. It gets its type from the same column of the first query."""

type Query = Select[*tuple[Any, ...]]
type Values = dict[str, Any]
"""The converted values of a row, by column name."""
type Place = tuple[int, int]
"""A column of the UNION: the number of its form, and its number within the form."""
type Converter = Callable[[Any], Any]
type Reader = tuple[str, int, Converter | None]
"""The name of a column, its index in a row, and the function that converts its value."""


def list_columns(record: type[Any]) -> list[InstrumentedAttribute[Any]]:
    """List the columns of a mapped class, as attributes of the class."""
    mapper: Mapper[Any] = inspect(record)
    return [getattr(record, one.key) for one in mapper.column_attrs]


def get_form(kind: TypeEngine[Any]) -> int:
    """Return the number of the form in which values of a column type are stored."""
    stored = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next(n for n, form in enumerate(FORMS) if isinstance(stored, type(form)))


def assign_places(query: Query) -> list[Place]:
    """Return the column of the UNION for each column of a query."""
    used = Counter[int]()
    places = list[Place]()
    for form in (get_form(column["type"]) for column in query.column_descriptions):
        places.append((form, used[form]))
        used[form] += 1
    return places


def select_aligned(number: int, query: Query, order: Sequence[Place]) -> Query:
    """Return the query with its number as the first column, and columns at their places.

    `order` lists all places of the UNION; places that the query does not use are empty. The
    first query sets the types of the UNION, so that SQLAlchemy converts no value.
    """
    columns: list[Any] = [column["expr"] for column in query.column_descriptions]
    filled = dict(zip(assign_places(query), columns, strict=True))
    if number:
        aligned = [filled.get(place, EMPTY) for place in order]
    else:
        typed = [filled.get(place, cast(null(), FORMS[place[0]])) for place in order]
        aligned = [type_coerce(one, NullType()).label(None) for one in typed]
    head = literal_column(str(number), Integer())
    return query.with_only_columns(head, *aligned, maintain_column_froms=True)


def find_converter(kind: TypeEngine[Any], dialect: Dialect) -> Converter | None:
    """Return the function that converts values of a column type, or None if not needed.

    Most ids occur in several rows, and SQLite stores them as text, so their conversions are
    cached.
    """
    convert: Converter | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return lru_cache(MAX_IDS)(convert) if convert and isinstance(kind, Uuid) else convert


class CombinedQuery:
    """A constant statement that reads the rows of several queries."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self.queries = queries
        places = (place for query in queries.values() for place in assign_places(query))
        self.order = sorted(set(places))
        self.statement: CompoundSelect[Any] = union_all(
            *(select_aligned(n, one, self.order) for n, one in enumerate(queries.values()))
        )
        self.readers = dict[str, list[list[Reader]]]()
        """The readers of the rows of each query, by the name of the database's dialect."""

    def read(
        self, tx: ReadTransaction, parameters: Mapping[str, Any]
    ) -> Mapping[str, list[Values]]:
        """Flush pending writes, and return the rows of each query, keyed by its name."""
        readers = self.load_readers(get_dialect(tx.session))
        found: list[list[Values]] = [[] for _ in self.queries]
        for row in tx.read_columns(self.statement, parameters):
            values = {
                name: convert(row[index]) if convert else row[index]
                for name, index, convert in readers[row[0]]
            }
            found[row[0]].append(values)
        return dict(zip(self.queries, found, strict=True))

    def load_readers(self, dialect: Dialect) -> list[list[Reader]]:
        """Return the readers of the rows of each query, built at the first call."""
        if dialect.name not in self.readers:
            queries = self.queries.values()
            self.readers[dialect.name] = [self.build_readers(q, dialect) for q in queries]
        return self.readers[dialect.name]

    def build_readers(self, query: Query, dialect: Dialect) -> list[Reader]:
        """Build the readers of one query, which convert values by their column types."""
        columns = zip(query.column_descriptions, assign_places(query), strict=True)
        return [
            (
                column["name"],
                self.order.index(place) + 1,
                find_converter(column["type"], dialect),
            )
            for column, place in columns
        ]


def build_record[R](tx: ReadTransaction, record: type[R], values: Values) -> R:
    """Return a row as an object of its class, which is read-only if possible.

    The object is in the session if the transaction may write, or if the class has
    relationships, which only a session can load. Raises NotAuthentic as `verify_values`
    does.
    """
    mapper: Mapper[R] = inspect(record)
    if isinstance(tx, WriteTransaction) or mapper.relationships:
        return load_into_session(tx, record, values)
    built = build_read_only(record, values)
    if isinstance(built, ProtectedRow):
        verify_values(tx.session, built, values)
    return built


def build_read_only[R](record: type[R], values: Values) -> R:
    """Return a row as an object without SQLAlchemy state, because that is faster.

    Setting a column, or reading an attribute that is not in `values`, raises an error.
    """
    found = record.__new__(record)
    vars(found).update(values)
    return found


def load_into_session[R](tx: ReadTransaction, record: type[R], values: Values) -> R:
    """Return the session's object for a row, as if the session had queried it.

    A protected row is verified here, because SQLAlchemy sends no `load` event for it.
    """
    mapper: Mapper[R] = inspect(record)
    names = [mapper.get_property_by_column(one).key for one in mapper.primary_key]
    key = identity_key(record, tuple(values[name] for name in names))
    loaded: R | None = tx.session.identity_map.get(key)
    if loaded is None:
        loaded = record(**values)
        make_transient_to_detached(loaded)
        tx.session.add(loaded)
        if isinstance(loaded, ProtectedRow):
            verify_loaded_row(loaded, None)
    return loaded
