"""A test that pages are shown in time on an old telephone with a slow connection."""

from typing import Any, Final

from tests.browser.cases import LEAD, Records
from tests.browser.conftest import OpenAs
from tests.browser.windows import NARROW, Window
from tests.support.waiting import wait_until

SLOW: Final = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400 * 1024 / 8,
    "uploadThroughput": 200 * 1024 / 8,
}
"""A connection with 400 kbit/s down, 200 kbit/s up, and a latency of 400 milliseconds."""
SLOWER_PROCESSOR: Final = 6
MOST_SECONDS: Final = 5
"""Maximum seconds until the first text: two round trips and less than a second suffice."""
MOST_WAIT: Final = 30
"""Seconds until a page that has shown no text counts as lost."""
MOST_REQUESTS: Final = 4
"""Maximum requests of a first visit: the page, its style, its script and its icon."""
HAS_TEXT: Final = "performance.getEntriesByName('first-contentful-paint').length"
READ_LOAD: Final = """() => {
  const files = performance.getEntriesByType('resource');
  return {
    seconds: performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000,
    requests: 1 + files.filter(one => one.transferSize).length,
  };
}"""


def slow_down(window: Window) -> None:
    """Give a window a slow connection and a slow processor."""
    session = window.context.new_cdp_session(window.page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_PROCESSOR})


def read_load(window: Window, path: str) -> Any:
    """Visit a page, and return the seconds until its first text and its number of requests.

    Playwright's `wait_for_function` is not used, because it evaluates text in the page. The
    Content Security Policy refuses that if the condition does not hold at first.
    """
    window.visit(path)
    wait_until(lambda: bool(window.page.evaluate(HAS_TEXT)), seconds=MOST_WAIT)
    return window.page.evaluate(READ_LOAD)


def test_a_first_visit_and_the_next_page_are_fast_on_a_slow_connection(
    open_as: OpenAs, records: Records
) -> None:
    window = open_as(LEAD, NARROW)
    slow_down(window)
    first = read_load(window, "/console/")
    second = read_load(window, f"/console/cases/{records['led']}")

    assert first["requests"] <= MOST_REQUESTS
    assert second["requests"] == 1
    assert first["seconds"] < MOST_SECONDS
    assert second["seconds"] < MOST_SECONDS
