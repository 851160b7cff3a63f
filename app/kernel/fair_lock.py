"""A lock for which threads wait in the order of their arrival."""

from collections import deque
from threading import Lock


class FairLock:
    """A first-in, first-out lock for the writers of the embedded database.

    The busy handler of SQLite is not fair: with many writers, some wait for seconds.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._queue = deque[Lock]()

    def __enter__(self) -> None:
        """Wait until every earlier waiter has released the lock, and take the lock."""
        turn = Lock()
        turn.acquire()
        with self._guard:
            self._queue.append(turn)
            if self._queue[0] is turn:
                turn.release()
        try:
            turn.acquire()
        except BaseException:
            self._leave(turn)
            raise

    def __exit__(self, *_: object) -> None:
        """Release the lock and wake only the next waiter."""
        self._leave(self._queue[0])

    def _leave(self, turn: Lock) -> None:
        with self._guard:
            was_first = self._queue[0] is turn
            self._queue.remove(turn)
            if was_first and self._queue:
                self._queue[0].release()
