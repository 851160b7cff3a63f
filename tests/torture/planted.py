"""Faults that a service could have, planted into a child before it runs: a test finds them.

Nothing of this is in the product. `python -m torture --plant NAME` shows what is found.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Final
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from app.api import acting
from app.kernel import db
from app.kernel.idempotency import Ticket, settle
from app.kernel.work import Writing, writing

LATE: Final = 0.1
"""Seconds by which the second of two steps comes later: a kill may come between."""


def apart_keys() -> None:
    """Keep what came of a request in a transaction of its own, after the act's."""

    def settle_later(work: Writing, once: Ticket, made: UUID, status: int) -> None:
        def keep() -> None:
            time.sleep(LATE)
            with writing(work.ground, work.actor) as another:
                settle(another, once, made, status)

        @event.listens_for(work.session, "after_commit", once=True)
        def _(_: Session) -> None:
            Thread(target=keep, daemon=True).start()

    patch.object(acting, "settle", settle_later).start()


def early_answers() -> None:
    """Answer first and commit then."""

    @contextmanager
    def begin(engine: Engine, acts_for: str | None) -> Iterator[Session]:
        session = Session(engine, expire_on_commit=False, info={db.ACTS_FOR: acts_for})
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
    "apart-keys": apart_keys,
    "early-answers": early_answers,
}
