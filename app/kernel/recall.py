"""What a unit of work has read it does not ask again, until something of it is written.

An act judges the same case several times over: before, on the way, and to show what came of
it. The rules ask as if nobody had asked before; here is known what still holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import wraps
from typing import Any, Final, cast

from sqlalchemy import CursorResult, UpdateBase, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.kernel.work import Reading

RECALLED: Final = "what was read and still holds"
"""Where a session keeps it: it ends with the unit of work."""

type Kept = dict[tuple[Any, ...], tuple[frozenset[type], Any]]


def recalled[F: Callable[..., Any]](*rows_of: type) -> Callable[[F], F]:
    """Answer from memory what is asked again, unless what it rests on was written.

    It reads rows of these tables and of no other, for the ids or names it is given; and
    whoever has the answer changes nothing of it.
    """

    def decorate(read: F) -> F:
        @wraps(read)
        def ask(work: Reading, *asked: object) -> Any:
            work.session.flush()  # as a question would: what waits to be written counts
            kept: Kept = work.session.info.setdefault(RECALLED, {})
            settled = tuple(map(settle, asked))
            key = (read, work.now, *settled)
            if key not in kept:
                kept[key] = (frozenset(rows_of), read(work, *settled))
            return kept[key][1]

        return cast("F", ask)

    return decorate


def settle(asked: object) -> object:
    """Turn a list of ids, of whatever kind, into what can be compared and read again."""
    several = isinstance(asked, Iterable) and not isinstance(asked, str)
    return frozenset(asked) if several else asked  # type: ignore[call-overload]


def forget(session: Session, written: AbstractSet[type]) -> None:
    """Drop what rests on tables that were written."""
    kept: Kept = session.info.get(RECALLED, {})
    for key in [key for key, (of, _) in kept.items() if not of.isdisjoint(written)]:
        del kept[key]


def change(
    session: Session,
    statement: UpdateBase,
    asked: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> CursorResult[Any]:
    """Write rows without making records of them; those in memory are read anew if needed.

    For what adds or changes rows: a record whose row is deleted would not hear of it. A
    session does not notice what fails here: whoever catches it must not commit.
    """
    session.flush()
    done = session.connection().execute(statement, asked)
    written: type = statement.entity_description["entity"]
    forget(session, {written})
    for record in session.identity_map.values():
        if isinstance(record, written):
            session.expire(record)
    return done


@event.listens_for(Session, "after_flush")
def forget_what_was_flushed(session: Session, _: UOWTransaction) -> None:
    """Drop what rests on records that were written."""
    if RECALLED in session.info:
        records = (*session.new, *session.dirty, *session.deleted)
        forget(session, {type(record) for record in records})


@event.listens_for(Session, "do_orm_execute")
def forget_what_a_statement_writes(asked: ORMExecuteState) -> None:
    """Drop what a statement writes, and all where it does not say what.

    All as well where others may have written meanwhile: once rows are held, and after what
    reads no table at all, as waiting for a turn does (`db.hold`).
    """
    mapper, options = asked.bind_mapper, asked.execution_options
    if asked.is_select and mapper is not None and not options.get("populate_existing"):
        return
    if asked.is_select or mapper is None:
        asked.session.info.pop(RECALLED, None)
    else:
        forget(asked.session, {mapper.class_})
