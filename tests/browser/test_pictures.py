"""Tests that the pictures of docs/console.md show the current pages.

`make screenshots` takes the pictures anew, with an outline of each page: its heading, its
buttons and its questions. A page whose outline has changed needs a new picture. Pictures
are not compared byte by byte, because fonts and times differ.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

import pytest

from tests.browser.cases import LEAD, OFFICER, SUPERVISOR, Records
from tests.browser.conftest import OpenAs
from tests.browser.referring import GO_ON, STEPS
from tests.browser.windows import NARROW, ROOT, Window

FOLDER: Final = ROOT / "docs" / "images"
OUTLINES: Final = FOLDER / "outlines.txt"
PAGE: Final = ROOT / "docs" / "console.md"
MEDIUM: Final = 1000
HEIGHT: Final = 720
QUALITY: Final = 60
MOST_BYTES: Final = 60_000
READ_OUTLINE: Final = """() => {
  const parts = 'h1, main button, main .btn, main legend, main label.q';
  return [...document.querySelectorAll(parts)].filter(one => one.checkVisibility())
    .map(one => one.innerText.trim().replace(/\\s+/g, ' '));
}"""


@dataclass(frozen=True)
class Picture:
    """A picture, with its person, its page, its width and the element at its top."""

    label: str
    path: str
    width: int = MEDIUM
    shown: str = "body"


PICTURES: Final = {
    "to-do": Picture(LEAD, "/console/"),
    "case": Picture(LEAD, "/console/cases/{new}"),
    "ask": Picture(LEAD, "/console/cases/{led}/ask"),
    "consent": Picture(LEAD, "/console/cases/{led}/consent"),
    "approval": Picture(SUPERVISOR, "/console/approvals/{approval}"),
    "refer-1": Picture(OFFICER, "/console/refer/1", NARROW),
    "refer-4": Picture(OFFICER, "/console/refer/4", shown="#refer-allow"),
    "refer-5": Picture(OFFICER, "/console/refer/5"),
}


def fill_draft(window: Window) -> None:
    """Fill in the steps of a referral, because the pages of later steps show the values."""
    window.visit("/console/refer/1")
    for fill in STEPS.values():
        fill(window)
        window.press(GO_ON)


def take_picture(window: Window, picture: Picture) -> bytes:
    """Return a picture of the part of a page that begins at an element, as WebP."""
    box = window.page.locator(picture.shown).bounding_box()
    assert box is not None
    clip = {"x": 0, "y": box["y"], "width": picture.width, "height": HEIGHT, "scale": 1}
    session = window.context.new_cdp_session(window.page)
    options = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": True}
    taken = session.send("Page.captureScreenshot", options | {"clip": clip})
    return base64.b64decode(taken["data"])


def read_outlines() -> dict[str, str]:
    """Return the outlines that were recorded with the pictures, by their names."""
    parts = OUTLINES.read_text("utf-8").split("# ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def write_picture(name: str, taken: bytes, outline: str) -> None:
    """Replace a picture and its outline."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.webp").write_bytes(taken)
    kept = read_outlines() if OUTLINES.exists() else {}
    outlines = {key: text for key, text in kept.items() if key in PICTURES}
    outlines[name] = outline
    OUTLINES.write_text(
        "\n".join(f"# {key}\n{text}\n" for key, text in sorted(outlines.items())), "utf-8"
    )


@pytest.mark.parametrize("name", PICTURES)
def test_picture_of_the_manual_shows_the_page(
    visit_as: OpenAs, records: Records, pytestconfig: pytest.Config, name: str
) -> None:
    picture = PICTURES[name]
    window = visit_as(picture.label, picture.width)
    if "/refer/" in picture.path:
        fill_draft(window)
    window.visit(picture.path.format(**records))
    outline = "\n".join(dict.fromkeys(window.page.evaluate(READ_OUTLINE)))
    if pytestconfig.option.write_pictures:
        write_picture(name, take_picture(window, picture), outline)

    assert read_outlines()[name] == outline, "the page has changed: make screenshots"


def test_pictures_are_small_and_each_is_shown_in_the_manual() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.webp")}
    shown = re.findall(r"\(images/([\w-]+)\.webp\)", PAGE.read_text("utf-8"))

    assert sorted(shown) == sorted(sizes) == sorted(PICTURES)
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
