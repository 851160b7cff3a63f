"""A function that waits for a condition."""

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until a condition holds. Raises AssertionError after `seconds`."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "The condition did not come true in time."
        time.sleep(0.02)
