"""Tests that pages can be shown from right to left, in a pseudo-locale with long words.

The pages are changed in the browser, because no language of the console is written from
right to left yet. Each text gets Arabic letters, so that the browser orders it as Arabic,
and is a third longer, as translations are.
"""

from typing import Final

import pytest

from tests.browser.cases import Records
from tests.browser.conftest import OpenAs
from tests.browser.pages import PAGES
from tests.browser.windows import WIDTHS

TURN: Final = """() => {
  document.documentElement.dir = 'rtl';
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, text = node.data.trim();
    if (!text || node.parentElement.closest('script, .code')) continue;
    const longer = '\\u062a'.repeat(text.length / 3);
    node.data = '\\u0628' + text.replace(/[aeiou]/g, '\\u0627') + longer;
  }
}"""
SIDES: Final = """() => {
  const middle = innerWidth / 2;
  const find = query => {
    const box = document.querySelector(query).getBoundingClientRect();
    return (box.left + box.right) / 2 > middle ? 'right' : 'left';
  };
  return {brand: find('.brand'), menu: find('.nav li')};
}"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["to-do", "cases-sent", "case-new", "case-led"])
def test_a_page_can_be_turned(
    visit_as: OpenAs, records: Records, name: str, width: int
) -> None:
    label, path = PAGES[name]
    window = visit_as(label, width)
    window.visit(path.format(**records))
    before = window.page.evaluate(SIDES)
    window.page.evaluate(TURN)
    window.check(f"{name}-rtl")

    assert before == {"brand": "left", "menu": "left"}
    assert window.page.evaluate(SIDES) == {"brand": "right", "menu": "right"}
