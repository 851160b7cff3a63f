"""The rows of the reference files, and the checks of their cells."""

from typing import Annotated, Final, override

from pydantic import (
    BeforeValidator,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from app.directory.cell_types import (
    OptionalCell,
    Prose,
    make_error,
    parse_list,
    parse_optional,
)
from app.directory.file_rows import Row
from app.kernel.languages import ENGLISH, LANGUAGES
from app.kernel.text import Code
from app.reference.kinds import Element, Weight

type Tags = list[str]


class ItemRow(Row):
    """A code of a list, with its English label, its group, its note and its source."""

    code: Code
    label_en: Prose
    group: Annotated[Code | None, BeforeValidator(parse_optional)]
    note: OptionalCell[Prose]
    source: OptionalCell[Prose]
    confidence: Prose


class IndicatorRow(ItemRow):
    """An indicator. Without weights, it is recorded but does not affect the score."""

    element: OptionalCell[Element]
    weight_adult: OptionalCell[Weight]
    weight_child: OptionalCell[Weight]


class Wording(Row):
    """A text in each language; an empty cell means that there is no translation.

    `en` is the text that was translated, so that an outdated translation can be detected.
    """

    en: Prose
    es: OptionalCell[Prose]
    fr: OptionalCell[Prose]
    ru: OptionalCell[Prose]
    uz: OptionalCell[Prose]
    uz_cyrl: OptionalCell[Prose]
    kk: OptionalCell[Prose]
    ky: OptionalCell[Prose]
    tg: OptionalCell[Prose]
    ht: OptionalCell[Prose]
    pt: OptionalCell[Prose]
    nl: OptionalCell[Prose]
    confidence: Prose

    @property
    def texts(self) -> dict[str, str]:
        """The texts by language tag."""
        said = {tag: getattr(self, get_column(tag)) for tag in LANGUAGES}
        return {tag: text for tag, text in said.items() if text}


class ReviewedWording(Wording):
    """A text in each language; `reviewed` lists the languages that were reviewed.

    A file without the column `reviewed` has no reviewed text.
    """

    reviewed: Annotated[Tags, BeforeValidator(parse_list)] = []

    @field_validator("reviewed")
    @classmethod
    def has_texts(cls, tags: Tags, info: ValidationInfo) -> Tags:
        """Raise a validation error if `reviewed` has English or a language without text."""
        texts = {tag for tag in LANGUAGES if info.data.get(get_column(tag))}
        if not texts.issuperset(tags) or ENGLISH in tags:
            raise make_error("must be languages into which this row is translated")
        return tags


def get_column(tag: str) -> str:
    """Return the name of the column of a language."""
    return tag.replace("-", "_").lower()


TRANSLATED: Final = frozenset({"ru", "es", "fr", "uz"})
"""The languages into which the label of every code of the service is translated."""


class TranslationRow(ReviewedWording):
    """The translations of a label or note of a list."""

    list: str
    code: Code

    @property
    @override
    def reference(self) -> str:
        """The list and the code, which name the row in an error."""
        return f"{self.list} {self.code}"


class WordRow(Row):
    """The labels of one code in each language; `reviewed` lists the reviewed languages."""

    list: str
    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{1,59}$")]
    en: Prose
    ru: Prose
    es: Prose
    fr: Prose
    uz: Prose
    reviewed: Annotated[Tags, BeforeValidator(parse_list)]

    @field_validator("reviewed")
    @classmethod
    def check_reviewed(cls, tags: Tags) -> Tags:
        """Raise a validation error for a language into which no label is translated."""
        if not TRANSLATED.issuperset(tags):
            raise make_error("must be languages into which this row is translated")
        return tags

    @property
    def texts(self) -> dict[str, str]:
        """The labels by language tag, English first."""
        return {tag: getattr(self, tag) for tag in (ENGLISH, *sorted(TRANSLATED))}

    @property
    @override
    def reference(self) -> str:
        """The list and the code, which name the row in an error."""
        return f"{self.list} {self.code}"


class EnumerationRow(Row):
    """A code of the HTCDS, in the original spelling and in a corrected spelling."""

    list: str
    position: int
    code_verbatim: str
    code_clean: str
    label: Prose
    source: Prose
    issue: OptionalCell[Prose]

    @property
    @override
    def reference(self) -> str:
        """The list and the code, which name the row in an error."""
        return f"{self.list} {self.code_clean}"


class FieldRow(Row):
    """A field of the HTCDS, or (without a field name) an example of a question to ask."""

    key = "ods_row"

    ods_row: int
    section: Prose
    status: Prose
    core: Prose
    prefix: str
    field_name: str
    label: str
    full_name: str
    type: str
    value_list: str
    n_values: str
    description: OptionalCell[Prose]
    notes: OptionalCell[Prose]


class DefinitionRow(Row):
    """The definition of a code of the HTCDS."""

    key = "code_or_label"

    group: Prose
    code_or_label: Prose
    definition: Prose
    source: Prose


class MigrationRow(Row):
    """A migration status from the guidance of the HTCDS."""

    key = "value"

    group: Prose
    value: Prose
    definition_excerpt: Prose
    source: Prose
    issue: OptionalCell[Prose]


class MappingRow(Row):
    """A mapping from a case value to the HTCDS; without `theirs`, the value is copied."""

    field: Prose
    part: Prose
    ours: Prose
    theirs: OptionalCell[Prose]
    source: Prose
    confidence: Prose

    @property
    @override
    def reference(self) -> str:
        """The field, the part and the value in the case, which name the row in an error."""
        return f"{self.field} {self.part} {self.ours}"
