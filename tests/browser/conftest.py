"""Fixtures of the browser tests: a demonstration, a browser and its windows."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.cases import (
    ALIAS,
    NEEDED,
    Casework,
    Records,
    build_casework,
    make_records,
)
from tests.browser.demonstration import Demonstration, serve_demonstration
from tests.browser.passkeys import Enrolment, begin_enrolment
from tests.browser.windows import HEIGHT, WIDE, Window

CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
"""Chromium without the parts that only a window on a screen needs, which saves time."""
PATIENCE: Final = 10_000
"""Milliseconds that a test waits for an element or a page."""

type OpenWindow = Callable[..., Window]
type OpenAs = Callable[..., Window]
type Invite = Callable[[str, str], Enrolment]
type SignedIn = dict[str, Window]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make screenshots`, and one for the screenshots of all pages."""
    parser.addoption(
        "--write-pictures",
        action="store_true",
        help="take the pictures of docs/console.md anew",
    )
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="write a screenshot of each checked page into build/screenshots",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Write screenshots of all checked pages if the option `--screenshots` is given."""
    Window.takes_screenshots = config.getoption("--screenshots")


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Yield the demonstration, which all tests share.

    At the end, its log must contain no error and no secret.
    """
    with serve_demonstration(tmp_path_factory.mktemp("demonstration")) as served:
        yield served
        log = served.read_log()
    assert '"level": "error"' not in log, log
    assert "Traceback" not in log, log
    for secret in (served.link, "scs_", ALIAS, NEEDED):
        assert secret not in log, secret


@pytest.fixture(scope="session")
def casework(demonstration: Demonstration) -> Casework:
    """Return the people who prepare cases for the tests, through the API."""
    return build_casework(demonstration)


@pytest.fixture(scope="session")
def records(casework: Casework) -> Records:
    """Return the records that the pages show. Tests do not change them."""
    return make_records(casework)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield a browser. Root needs `--no-sandbox`."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield started
        started.close()


@pytest.fixture
def open_window(demonstration: Demonstration, browser: Browser) -> Iterator[OpenWindow]:
    """Yield a function that opens a window with its own cookies and cache."""
    contexts = []

    def open_one(width: int = WIDE, **options: Any) -> Window:
        viewport = {"width": width, "height": HEIGHT}
        context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return Window(context, context.new_page(), demonstration.url)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def open_as(demonstration: Demonstration, open_window: OpenWindow) -> OpenAs:
    """Return a function that opens a window in which a person signs in."""

    def open_signed_in(label: str, width: int = WIDE, **options: Any) -> Window:
        window = open_window(width, **options)
        window.sign_in(demonstration.link, label)
        return window

    return open_signed_in


@pytest.fixture(scope="session")
def signed_in() -> Iterator[SignedIn]:
    """Yield the windows of people who stay signed in, by the label of the account."""
    windows: SignedIn = {}
    yield windows
    for window in windows.values():
        window.context.close()


@pytest.fixture
def visit_as(
    browser: Browser, demonstration: Demonstration, signed_in: SignedIn
) -> Iterator[OpenAs]:
    """Yield a function that opens a page in a session that several tests share."""
    pages = []

    def open_page(label: str, width: int = WIDE) -> Window:
        if label not in signed_in:
            context = browser.new_context()
            context.set_default_timeout(PATIENCE)
            signed_in[label] = Window(context, context.new_page(), demonstration.url)
            signed_in[label].sign_in(demonstration.link, label)
        context = signed_in[label].context
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": HEIGHT})
        pages.append(page)
        return Window(context, page, demonstration.url)

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def invite(demonstration: Demonstration, signed_in: SignedIn) -> Invite:
    """Return a function that begins the enrolment of an account of an office.

    The enrolment may end the sessions of the person, so their shared window is closed.
    """

    def begin(office: str, label: str) -> Enrolment:
        if label in signed_in:
            signed_in.pop(label).context.close()
        return begin_enrolment(demonstration, office, label)

    return begin
