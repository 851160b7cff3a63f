"""A cache of query results within one transaction.

An action checks the same case before its changes, between them, and for its response. With
the cache, each rule can query its data without slowing the action down. A result is removed
when a table that it depends on is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import wraps
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import CursorResult, UpdateBase, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.kernel.transactions import ReadTransaction

CACHE_KEY: Final = "recall"
"""The key of the cache in `Session.info`; the cache ends with the session."""
WRITTEN_KEY: Final = "written"
"""The key, in `Session.info`, of the classes whose tables this session has written."""
ANY_CLASS: Final = object
"""A stand-in for every class, for a statement that does not name the table it wrote."""


class CachedResult(NamedTuple):
    """A result, the classes that it depends on, and the pending objects that it includes.

    The result is not outdated when these objects are written.
    """

    rows_of: frozenset[type]
    result: Any
    includes: frozenset[object] = frozenset()


type Cache = dict[tuple[Any, ...], CachedResult]
READS: Final[dict[Callable[..., Any], tuple[Callable[..., Any], frozenset[type]]]] = {}
"""The function that each cached function wraps, and the classes that it depends on."""


def load_once[F: Callable[..., Any]](*rows_of: type) -> Callable[[F], F]:
    """Return a decorator that caches the results of a function within a transaction.

    The function may depend only on its arguments, on the time of the transaction, and on
    the tables of the classes `rows_of`. Its arguments are ids, names or collections of ids.
    Callers must not modify the result.
    """

    def wrap(read: F) -> F:
        @wraps(read)
        def load(tx: ReadTransaction, *arguments: object) -> Any:
            hashable = tuple(map(to_hashable, arguments))
            key = (read, tx.now, *hashable)
            cache: Cache = tx.session.info.get(CACHE_KEY, {})
            if key not in cache or is_outdated(cache[key], list_pending(tx.session)):
                cache = open_cache(tx)
            if key not in cache:
                cache[key] = CachedResult(frozenset(rows_of), read(tx, *hashable))
            return cache[key].result

        READS[load] = (read, frozenset(rows_of))
        return cast("F", load)

    return wrap


def store_result(
    tx: ReadTransaction, load: Callable[..., Any], result: object, *arguments: object
) -> None:
    """Store a result of the cached function `load` that is known without a query.

    The result must include the pending objects of its tables. It remains when these objects
    are written, and is removed by any other write to one of these tables.
    """
    read, rows_of = READS[load]
    pending = frozenset(one for one in list_pending(tx.session) if type(one) in rows_of)
    cache: Cache = tx.session.info.setdefault(CACHE_KEY, {})
    key = (read, tx.now, *map(to_hashable, arguments))
    cache[key] = CachedResult(rows_of, result, pending)


def store_missing(
    tx: ReadTransaction, results: Mapping[Callable[..., Any], object], *arguments: object
) -> None:
    """Store the results of cached functions, unless the cache contains them.

    `results` maps each cached function to its result for `arguments`.
    """
    cache = open_cache(tx)
    given = tuple(map(to_hashable, arguments))
    for load, result in results.items():
        read, rows_of = READS[load]
        cache.setdefault((read, tx.now, *given), CachedResult(rows_of, result))


def open_cache(tx: ReadTransaction) -> Cache:
    """Write pending changes, as a query does, and return the cache of a transaction."""
    tx.session.flush()
    cache: Cache = tx.session.info.setdefault(CACHE_KEY, {})
    return cache


def list_pending(session: Session) -> list[object]:
    """List the objects whose changes the session has yet to write."""
    return [*session.new, *session.dirty, *session.deleted]


def is_outdated(cached: CachedResult, changed: Iterable[object]) -> bool:
    """Return whether a changed object affects a cached result but is not included in it."""
    return any(
        type(one) in cached.rows_of and one not in cached.includes for one in changed
    )


def to_hashable(argument: object) -> object:
    """Return an argument in hashable form: a collection of ids becomes a frozenset."""
    several = isinstance(argument, Iterable) and not isinstance(argument, str)
    return frozenset(argument) if several else argument  # type: ignore[call-overload]


def may_have_rows[R](
    tx: ReadTransaction, table: type[R], owner: UUID, is_about: Callable[[R], bool]
) -> bool:
    """Return whether a table may have rows about a record, so that they must be queried.

    It has none if this transaction created the id of the record, and has not written to the
    table. New objects of the table that are yet to be written count if `is_about` returns
    True for them; changed objects always count.
    """
    written: AbstractSet[type] = tx.session.info.get(WRITTEN_KEY, frozenset())
    if owner not in tx.created or not written.isdisjoint({table, ANY_CLASS}):
        return True
    pending = (one for one in list_pending(tx.session) if isinstance(one, table))
    return any(one not in tx.session.new or is_about(one) for one in pending)


def drop_results(session: Session, written: AbstractSet[type]) -> None:
    """Record the written classes, and remove the cached results that depend on them."""
    session.info.setdefault(WRITTEN_KEY, set()).update(written)
    cache: Cache = session.info.get(CACHE_KEY, {})
    for key in [key for key, (rows, *_) in cache.items() if not rows.isdisjoint(written)]:
        del cache[key]


def write_rows(
    session: Session,
    statement: UpdateBase,
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> CursorResult[Any]:
    """Insert or update rows without creating objects, and expire objects of their class.

    Do not delete rows with this function: their objects would remain in the session.
    Do not commit after a database error, because the session does not notice it.
    """
    session.flush()
    result = session.connection().execute(statement, parameters)
    written: type = statement.entity_description["entity"]
    drop_results(session, {written})
    for record in session.identity_map.values():
        if isinstance(record, written):
            session.expire(record)
    return result


@event.listens_for(Session, "after_flush")
def drop_flushed(session: Session, _: UOWTransaction) -> None:
    """Remove the cached results that the flushed objects make outdated (`is_outdated`).

    The remaining results no longer include a pending object, so a later change removes
    them.
    """
    cache: Cache = session.info.get(CACHE_KEY, {})
    flushed = list_pending(session)
    kept = {
        key: cached._replace(includes=frozenset())
        for key, cached in cache.items()
        if not is_outdated(cached, flushed)
    }
    drop_results(session, {type(one) for one in flushed})
    cache.update(kept)


@event.listens_for(Session, "do_orm_execute")
def drop_written(execution: ORMExecuteState) -> None:
    """Remove the cached results that a statement may make outdated, before it runs.

    A write removes the results that depend on its table. A statement that locks or
    refreshes rows, or that names no table, such as a wait for a lock (`db.lock_name`),
    removes all results, because other transactions may have written.
    """
    mapper, options = execution.bind_mapper, execution.execution_options
    if execution.is_select and mapper is not None and not options.get("populate_existing"):
        return
    if execution.is_select or mapper is None:
        execution.session.info.pop(CACHE_KEY, None)
    if not execution.is_select:
        written = ANY_CLASS if mapper is None else mapper.class_
        drop_results(execution.session, {written})
