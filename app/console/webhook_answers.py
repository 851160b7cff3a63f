"""The results of attempts to deliver a webhook, as text.

The API returns a status or a code. A code that has no text here is shown as it is.
"""

from collections.abc import Mapping
from typing import Final

from app.console.translations import Texts, mark

WORDS: Final[Mapping[str, str]] = {
    "name_not_found": mark("The name of the host was not found."),
    "address_refused": mark("The host has an address that is not on the public Internet."),
    "host_not_listed": mark(
        "The operator of this service does not list the host any more."
    ),
    "TimeoutError": mark("The receiver did not answer in time."),
    "ConnectTimeout": mark("The receiver did not answer in time."),
    "ReadTimeout": mark("The receiver did not answer in time."),
    "WriteTimeout": mark("The receiver did not answer in time."),
    "ConnectError": mark("No secure connection to the receiver was possible."),
    "ReadError": mark("The connection to the receiver ended before its answer."),
    "WriteError": mark("The connection to the receiver ended before its answer."),
}
"""The texts for the codes of attempts that got no status."""
STATUS_LENGTH: Final = 3
SUCCESS: Final = "2"


def describe_answer(texts: Texts, code: str) -> str:
    """Return the result of an attempt as text: the receiver's status, or the error."""
    if code.isdigit() and len(code) == STATUS_LENGTH:
        if code.startswith(SUCCESS):
            return texts.translate(
                mark("Delivered: the receiver answered %(code)s."), code=code
            )
        return texts.translate(mark("The receiver answered %(code)s."), code=code)
    return texts.translate(WORDS[code]) if code in WORDS else code
