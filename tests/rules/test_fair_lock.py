"""The lock for writers admits one thread at a time, in order of arrival."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from app.kernel.fair_lock import FairLock

A_MOMENT = 0.01  # seconds for an announced thread to reach the queue


@contextmanager
def queue_threads(lock: FairLock, count: int) -> Iterator[list[int]]:
    """Queue `count` threads; yield a list that gets their numbers in order of admission."""
    served = list[int]()

    def wait(number: int, comes: Event) -> None:
        comes.set()
        with lock:
            served.append(number)

    waiters = list[Thread]()
    with lock:
        for number in range(count):
            comes = Event()
            waiters.append(Thread(target=wait, args=[number, comes], daemon=True))
            waiters[-1].start()
            comes.wait()
            time.sleep(A_MOMENT)
        yield served
    for waiter in waiters:
        waiter.join(5)


def test_writers_are_served_in_the_order_they_came() -> None:
    lock = FairLock()

    with queue_threads(lock, 20) as served:
        nobody_yet = list(served)

    assert nobody_yet == []
    assert served == list(range(20))


def test_a_newcomer_never_overtakes() -> None:
    lock = FairLock()

    with queue_threads(lock, 5) as served:
        pass
    with lock:
        served.append(99)

    assert served == [0, 1, 2, 3, 4, 99]


def test_there_is_never_more_than_one() -> None:
    lock, inside, most = FairLock(), list[int](), list[int]()

    def work(number: int) -> None:
        for _ in range(200):
            with lock:
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    workers = [Thread(target=work, args=[number]) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(most) == 1600
    assert set(most) == {1}


def test_whoever_fails_hands_the_lock_on() -> None:
    lock = FairLock()

    with pytest.raises(OSError, match="on fire"), lock:
        raise OSError("on fire")
    with queue_threads(lock, 3) as served:
        pass

    assert served == [0, 1, 2]


def test_whoever_stops_waiting_holds_up_nobody() -> None:
    def lose_patience(*_: object) -> None:
        raise TimeoutError

    lock, holds, done = FairLock(), Event(), Event()

    def hold() -> None:
        with lock:
            holds.set()
            done.wait(5)

    holder = Thread(target=hold)
    holder.start()
    holds.wait()
    before = signal.signal(signal.SIGALRM, lose_patience)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(TimeoutError), lock:
        pass
    signal.signal(signal.SIGALRM, before)
    done.set()
    holder.join()

    served = Event()

    def come_later() -> None:
        with lock:
            served.set()

    Thread(target=come_later, daemon=True).start()
    assert served.wait(1)
