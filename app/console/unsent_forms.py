"""Forms that could not be sent. They are kept, and can be sent later.

The API keeps such a form sealed for the person (ADR 71). The browser keeps nothing.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final, Self

from starlette.datastructures import FormData

from app.console.api_client import ApiProblem, Json, Withheld
from app.console.form_drafts import NEW
from app.console.forms import KEY, TAG, read_texts
from app.console.translations import mark
from app.kernel.problems import RecordsAltered

UNSENT: Final = "unsent"
"""The hidden field with the name of the kept form that is sent again."""
PAGE: Final = "console-page"
"""The field in which the page's script names the address to which a form would be sent."""
HIDDEN: Final = frozenset({KEY, TAG, NEW, UNSENT, PAGE})
"""The fields that the person does not fill in."""
NOT_KEPT: Final = frozenset({UNSENT, PAGE})
RECORDS: Final = frozenset({"cases", "referrals", "handovers", "returns"})
"""The kinds of records that a kept form can be about."""
CODE: Final = frozenset(f"{ascii_letters}{digits}_@:./-")
"""The characters that the codes of choices contain."""
PARTS: Final = 4
RETRIED: Final = 500
TOO_MANY: Final = 429
NOT_SENT: Final = mark("This form was not sent")
CHECK: Final = mark("Check what you typed, and send it.")


@dataclass(frozen=True)
class TypedForm:
    """A form as the browser sent it: the address, and the names and values in order."""

    path: str
    fields: Sequence[tuple[str, str]]

    @classmethod
    def read(cls, path: str, form: FormData) -> Self:
        """Return the form sent to `path`, without files and the fields in NOT_KEPT."""
        names = dict.fromkeys(name for name in form if name not in NOT_KEPT)
        return cls(
            path, [(name, text) for name in names for text in read_texts(form, name)]
        )

    @classmethod
    def parse(cls, content: str) -> Self:
        """Return a form from the content that the API kept.

        Raises ValueError or TypeError if the content is not in the format of the console.
        """
        path, fields = json.loads(content)
        typed = cls(str(path), [(str(name), str(text)) for name, text in fields])
        typed.content.encode()  # a lone surrogate raises an error that is a ValueError
        return typed

    @property
    def content(self) -> str:
        """The form as JSON text, which the API keeps."""
        return json.dumps([self.path, self.fields], ensure_ascii=False)

    @property
    def is_filled(self) -> bool:
        """Whether a person typed or chose anything."""
        return any(name not in HIDDEN and text.strip() for name, text in self.fields)

    @property
    def texts(self) -> Sequence[str]:
        """The entered texts, without values that look like the code of a choice."""
        shown = [text for name, text in self.fields if name not in HIDDEN]
        return [text for text in shown if set(text) - CODE]

    @property
    def record(self) -> str | None:
        """The path in the API of the record that the form is about, or None if none."""
        _, _, kind, identity, *_ = [*self.path.split("/"), *[""] * PARTS]
        return f"{kind}/{identity}" if kind in RECORDS and identity else None

    @property
    def body(self) -> Json:
        """The body of the request that saves the form."""
        about = {"record": self.record} if self.record else {}
        return {"content": self.content, **about}


@dataclass(frozen=True)
class UnsentForm:
    """A form that the API keeps, with the times at which it was saved and expires."""

    name: str
    saved_at: str
    expires_at: str
    typed: TypedForm

    @property
    def key(self) -> str:
        """The idempotency key with which the form is sent, or an empty string if none."""
        return next((text for name, text in self.typed.fields if name == KEY), "")


def read_unsent(items: Sequence[Json]) -> Sequence[UnsentForm]:
    """Return the forms that the console wrote from items of `GET /v1/unsent-forms`."""
    found = list[UnsentForm]()
    for item in items:
        with suppress(TypeError, ValueError):
            typed = TypedForm.parse(item["content"])
            times = item["saved_at"], item["expires_at"]
            found.append(UnsentForm(item["form"], *times, typed))
    return found


def can_be_retried(problem: ApiProblem) -> bool:
    """Return whether the same request may succeed later, without an operator's help."""
    if problem.code == RecordsAltered.code:
        return False
    is_passing = problem.status == TOO_MANY or problem.status >= RETRIED
    return is_passing or isinstance(problem, Withheld)
