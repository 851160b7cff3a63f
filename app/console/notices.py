"""The notices that a page shows after an action.

The URL of the page contains a code from a fixed list, never a text.
"""

from typing import Final

from markupsafe import Markup

from app.console.formats import Formats
from app.console.translations import Texts, mark

DONE: Final = "done"
"""The query parameter that contains the code."""
ASKED: Final = "asked"
ENDED: Final = "ended"
RECORDED: Final = "recorded"
DECIDED: Final = "decided"
NOTICES: Final = {
    ASKED: mark("Nothing has changed yet. A second person has to approve this first."),
    ENDED: mark("This is done. Your office has no further part in it."),
    RECORDED: mark("This was recorded."),
    DECIDED: mark("Your decision was recorded."),
}
ACTION_DONE: Final = mark("“%(action)s” is done.")
ACTION_WORDS: Final = (
    "case_actions",
    "referral_actions",
    "handover_actions",
    "return_actions",
)
"""The lists of actions that have notices, with codes like `referral_actions.accept`."""


def find_notice(code: str, texts: Texts, formats: Formats) -> Markup | None:
    """Return the notice for a code, or None if the code is unknown."""
    if code in NOTICES:
        return texts.translate(NOTICES[code])
    words, _, action = code.partition(".")
    if words in ACTION_WORDS and action in formats.list_codes(words):
        return texts.translate(ACTION_DONE, action=formats.name_code(words, action))
    return None
