"""Windows of the browser, and the checks that every page of the console has to pass."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "build" / "screenshots"
NARROW, WIDE = 360, 1280
WIDTHS: Final = (NARROW, WIDE)
HEIGHT: Final = 800
MOST_HTML: Final = 12_000
"""Maximum bytes of the compressed HTML of a page."""
MOST_FILES: Final = 10_000
"""Maximum bytes of the script and the style together, compressed."""
MOST_STEPS: Final = 250
"""Number of presses of the tab key after which the focus must have left a page."""
STEPS: Final = 25
"""Number of presses of the tab key after which a test reads where the focus was."""
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE: Final = Axe()
AXE_OPTIONS: Final = {
    "runOnly": {"type": "tag", "values": RULES},
    "resultTypes": ["violations"],
}
OWN_STATUS: Final = "Failed to load resource: the server responded with a status of"
"""The beginning of the message that the browser logs for a page with an error status."""

READ_SIZES: Final = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const files = performance.getEntriesByType('resource')
    .filter(one => /\\.(css|js|mjs)(\\?|$)/.test(one.name));
  return {html: page.encodedBodySize, files: files.map(one => one.encodedBodySize)};
}"""
FIND_OVERFLOW: Final = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const out = [...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility() && (box.right > width + 1 || box.left < -1);
  });
  return [`page: ${document.documentElement.scrollWidth} px of ${width}`,
          ...out.slice(0, 5).map(one => one.outerHTML.slice(0, 100))];
}"""
WATCH_FOCUS: Final = """() => {
  const describe = () => {
    const one = document.activeElement;
    if (!one || one === document.body || one === document.documentElement) return null;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const x = (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2;
    const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
    const top = document.elementFromPoint(x, y);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      || style.boxShadow !== 'none';
    const free = top && (one === top || one.contains(top) || top.contains(one));
    return {html: one.outerHTML.slice(0, 120), ring, free: Boolean(free)};
  };
  document.activeElement?.blur();
  scrollTo(0, 0);
  const steps = [];
  addEventListener('keydown', () => steps.push(describe()), {capture: true});
  window.listFocused = () => [...steps.splice(0), describe()];
}"""
"""Record the element with focus before each press of a key, and define `listFocused`.

The first record is made before the first press."""
LIST_FOCUSED: Final = "() => window.listFocused()"


@dataclass
class Window:
    """A window of one person at one width, with the messages that its pages logged."""

    context: BrowserContext
    page: Page
    url: str
    takes_screenshots: ClassVar[bool] = False
    """Whether `check` writes a screenshot of each page into build/screenshots."""
    messages: list[str] = field(default_factory=list)
    interactions: int = 0
    """Number of taps, choices and filled fields."""

    def __post_init__(self) -> None:
        """Listen to the console of the page, and to its uncaught errors."""
        self.page.on("console", self.record_message)
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))

    def record_message(self, message: ConsoleMessage) -> None:
        """Record a warning or an error, such as a refusal by the Content Security Policy.

        The error that the browser logs for the status of the page itself is ignored.
        """
        own = (
            message.text.startswith(OWN_STATUS) and self.page.url == message.location["url"]
        )
        if message.type in {"error", "warning"} and not own:
            self.messages.append(message.text)

    def visit(self, path: str) -> Response:
        """Go to a page by its path, wait for its files, and return the response."""
        answer = self.page.goto(f"{self.url}{path}", wait_until="load")
        assert answer is not None, path
        return answer

    def sign_in(self, link: str, label: str) -> None:
        """Sign in as a demo user; `link` is the path of the page with the demo users."""
        self.visit(link)
        self.follow(self.page.locator(f'button[name=person][value$="/{label}"]'))
        self.interactions = 0

    def press(self, name: str) -> None:
        """Press the button or the link with this name, and wait for the next page."""
        main = self.page.locator("main")
        found = main.get_by_role("button", name=name, exact=True)
        found = found.or_(main.get_by_role("link", name=name, exact=True))
        self.follow(found.first)

    def follow(self, element: Locator) -> None:
        """Press an element that leads to another page, and wait for the page."""
        self.interactions += 1
        with self.page.expect_navigation(wait_until="load"):
            element.click()

    def unfold(self, summary: str) -> None:
        """Show the details below a summary."""
        self.interactions += 1
        self.page.locator("main summary").get_by_text(summary, exact=True).first.click()

    def tick(self, name: str, value: str) -> None:
        """Tick the box or choose the radio button with this value in a field."""
        self.interactions += 1
        self.page.locator(f'main input[name="{name}"][value="{value}"]:visible').check()

    def choose(self, name: str, value: str) -> None:
        """Choose a value in the list of a field."""
        self.interactions += 1
        self.page.locator(f'main select[name="{name}"]:visible').select_option(value)

    def fill(self, name: str, text: str) -> None:
        """Type text into a field."""
        self.interactions += 1
        self.page.locator(f'main [name="{name}"]:visible').fill(text)

    def list_menu(self) -> list[str]:
        """Return the paths of the entries of the main menu."""
        links = self.page.locator("nav a").all()
        return [str(link.get_attribute("href")) for link in links]

    def get_heading(self) -> str:
        """Return the text of the first heading."""
        return self.page.locator("h1").inner_text()

    def check(self, name: str) -> None:
        """Check the current page. If it has a fault, write a screenshot and fail."""
        width = self.page.evaluate("innerWidth")
        faults = {
            "accessibility": find_violations(self.page),
            "overflow": self.page.evaluate(FIND_OVERFLOW),
            "sizes": find_large_files(self.page),
            "focus": find_hidden_focus(self.page),
            "messages": self.messages,
        }
        found = {kind: faults[kind] for kind in faults if faults[kind]}
        if found or self.takes_screenshots:
            self.take_screenshot(f"{name}-{width}")
        assert not found, f"{name} at {width} px: {json.dumps(found, indent=1)}"

    def take_screenshot(self, name: str) -> None:
        """Write a screenshot of the whole page into build/screenshots."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def find_violations(page: Page) -> list[dict[str, Any]]:
    """Return the rules that a page breaks, each with the first element that breaks it.

    The rules are those of WCAG 2.2 AA and the best practices of axe.
    """
    found = AXE.run(page, options=AXE_OPTIONS).response["violations"]
    return [
        {
            "rule": one["id"],
            "help": one["help"],
            "count": len(one["nodes"]),
            "first": one["nodes"][0]["html"][:160],
            "why": one["nodes"][0]["failureSummary"][:240],
        }
        for one in found
    ]


def find_large_files(page: Page) -> dict[str, int]:
    """Return the sizes of files, as they were sent, that exceed their limits in bytes."""
    read = page.evaluate(READ_SIZES)
    sizes = {
        "html": (read["html"], MOST_HTML),
        "script and style": (sum(read["files"]), MOST_FILES),
    }
    return {name: size for name, (size, most) in sizes.items() if size > most}


def find_hidden_focus(page: Page) -> list[str]:
    """Walk through a page with the tab key, and return the elements without visible focus.

    Raises AssertionError if the page cannot be left with the tab key.
    """
    page.evaluate(WATCH_FOCUS)
    hidden: list[str] = []
    for _ in range(0, MOST_STEPS, STEPS):
        for _ in range(STEPS):
            page.keyboard.press("Tab")
        [_, *focused] = page.evaluate(LIST_FOCUSED)
        for one in focused:
            if one is None:
                return hidden
            if not one["ring"]:
                hidden.append(f"no ring: {one['html']}")
            if not one["free"]:
                hidden.append(f"covered: {one['html']}")
    raise AssertionError(f"the tab key never leaves {page.url}")
