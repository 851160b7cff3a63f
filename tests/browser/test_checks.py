"""Tests that the checks of tests/browser/windows.py find faults planted in small pages."""

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import OpenWindow
from tests.browser.windows import MOST_HTML, NARROW

PAGE = """<!doctype html><html lang="en"><head><title>Test</title><style>
:focus-visible {{ outline: 3px solid black }} {style}</style></head>
<body><main><h1>Test</h1><button>Save</button>{body}</main></body></html>"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FAULTS = [
    ("sound", "", ""),
    ("accessibility", "", "<input type=text>"),
    ("accessibility", "h1 { color: #ccc }", ""),
    ("overflow", ".wide { width: 361px }", "<p class=wide>wide</p>"),
    ("focus", "a:focus-visible { outline: none }", "<a href=/>next</a>"),
    ("focus", ".on { position: fixed; inset: 0; background: white }", "<p class=on>on</p>"),
    ("messages", "", "<script>document.title = 'changed'</script>"),
    ("sizes", "", "<!-- " + "".join(map(chr, range(0x4E00, 0x4E00 + MOST_HTML))) + " -->"),
]


@pytest.mark.parametrize(("kind", "style", "body"), FAULTS)
def test_a_planted_fault_is_found(
    open_window: OpenWindow, kind: str, style: str, body: str
) -> None:
    window = open_window(NARROW)
    page = PAGE.format(style=style, body=body)

    def answer(route: Route) -> None:
        route.fulfill(
            body=page,
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": POLICY},
        )

    window.page.route("**/planted", answer)
    window.visit("/planted")
    if kind == "sound":
        window.check("planted")
        return

    with pytest.raises(AssertionError, match=f'"{kind}"'):
        window.check("planted")


def test_a_page_that_keeps_the_focus_is_found(open_window: OpenWindow) -> None:
    window = open_window()
    trap = "<button onkeydown='event.preventDefault()'>Stay</button>"
    window.page.route(
        "**/planted",
        lambda route: route.fulfill(
            body=PAGE.format(style="", body=trap), content_type="text/html"
        ),
    )
    window.visit("/planted")

    with pytest.raises(AssertionError, match="never leaves"):
        window.check("planted")
