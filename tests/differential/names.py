"""Names for ids, keys, codes, cursors and entity tags, given by their first appearance.

Two answers are equal if their texts are equal with names in the place of these values. A
request contains names too, so that each side gets its own values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

OPAQUE: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\bSC-\w{4}-\w{4}-\w{4}-[\w*~$=]"
    r"|(?<![\w-])[0-9A-Z]{4}-[0-9A-Z]{4}(?![\w-])"
    r"|whsec_[\w+/=-]+|\bsc[a-z]*_[0-9a-f]{10}_[\w-]{43}"
    r"|(?<![\w-])(?:[0-9a-f]{16}|[0-9a-f]{10})(?![\w-])"
    r"|(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[\w-]{24,}={0,2}(?![\w-])"
    r"|(?<![\w-])[\w-]{43}(?![\w-])",
    re.ASCII,
)
"""A pattern for values that are drawn at random, or derived from such values."""
NAME: Final = re.compile(r"«([0-9]+\.[0-9]+)»".encode().decode("latin-1"))
"""A pattern for a name in a text that has one character for each byte."""

type Texts = tuple[str, str]
"""A text of each side: of the other commit, and of this working tree."""


def mark(name: str) -> str:
    """Return a name as it is written into texts."""
    return f"«{name}»".encode().decode("latin-1")


@dataclass
class Names:
    """The names that replace opaque values in the texts of both sides.

    A name has the form `<step>.<number>`: `3.0` names the first new value of step 3.
    """

    known: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    values: dict[str, list[str]] = field(default_factory=dict)

    def rename(self, texts: Texts, step: int) -> Texts:
        """Return the answers to a step with names in the place of opaque values."""
        first, second = (
            self.rename_side(side, text, step) for side, text in enumerate(texts)
        )
        return first, second

    def rename_side(self, side: int, text: str, step: int) -> str:
        """Return the answer of one side with names, and store the names that are new."""
        known, fresh = self.known[side], 0

        def find_name(found: re.Match[str]) -> str:
            nonlocal fresh
            value = found[0]
            if value not in known:
                known[value] = f"{step}.{fresh}"
                self.values.setdefault(known[value], ["", ""])[side] = value
                fresh += 1
            return mark(known[value])

        return OPAQUE.sub(find_name, text)

    def write_template(self, text: str) -> str:
        """Return the text of a request with names in the place of known values."""
        known = self.known[0]

        def replace_value(found: re.Match[str]) -> str:
            value = found[0]
            return mark(known[value]) if value in known else value

        return OPAQUE.sub(replace_value, text)

    def list_literals(self, template: str) -> dict[str, str]:
        """Return the values of the names in a template, as the other commit has them."""
        return {name: self.values[name][0] for name in NAME.findall(template)}

    def fill(self, template: str, side: int, literals: Mapping[str, str]) -> str:
        """Return the text of a request for one side.

        A name is unknown if the step in which it appeared was left out. Both sides then get
        the literal value.
        """

        def get_value(found: re.Match[str]) -> str:
            name = found[1]
            value = self.values.get(name, ["", ""])[side]
            return value or literals[name]

        return NAME.sub(get_value, template)
