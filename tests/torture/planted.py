"""Faults that are planted in a child process, and that `make torture` must find.

The faults are not part of Safe Conduct. `python -m tests.torture --plant NAME` shows the
findings for one fault.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.api import idempotent_requests
from app.kernel import db
from app.kernel.idempotency import KeyedRequest, store_outcome
from app.kernel.transactions import WriteTransaction, begin_write

LATE: Final = 0.1
"""Seconds between the two steps of a fault, so that a kill can come between them."""


def split_key_transaction() -> None:
    """Make the service store the outcome of a request in a second, later transaction."""

    def store_later(
        tx: WriteTransaction, once: KeyedRequest, made: UUID, status: int
    ) -> None:
        def store() -> None:
            time.sleep(LATE)
            with begin_write(tx.runtime, tx.actor) as another:
                store_outcome(another, once, made, status)

        @event.listens_for(tx.session, "after_commit", once=True)
        def start_thread(_: Session) -> None:
            Thread(target=store, daemon=True).start()

    patch.object(idempotent_requests, "store_outcome", store_later).start()


def answer_before_commit() -> None:
    """Make the service send the response before the transaction is committed."""

    @contextmanager
    def begin(engine: Engine, info: dict[str, Any]) -> Iterator[Session]:
        session = Session(engine, expire_on_commit=False, info=info)
        session.begin()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        Thread(target=end, args=(session,), daemon=True).start()

    def end(session: Session) -> None:
        time.sleep(LATE)
        session.commit()
        session.close()

    patch.object(db, "begin", begin).start()


PLANTS: Final[Mapping[str, Callable[[], None]]] = {
    "apart-keys": split_key_transaction,
    "early-answers": answer_before_commit,
}
