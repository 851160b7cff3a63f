"""The rows of reference files, and what each cell must be; read as directory files are."""

from typing import Annotated, override

from pydantic import BeforeValidator, ValidationInfo, field_validator

from app.directory.cells import Known, Prose, known_or_none, refuse, words
from app.directory.rows import Row
from app.kernel.languages import ENGLISH, LANGUAGES
from app.kernel.text import Code
from app.reference.kinds import Element, Weight


class ItemRow(Row):
    """One code, in words of its source.

    Other languages: `translations.csv`, and for notes `note_translations.csv`.
    """

    code: Code
    label_en: Prose
    group: Annotated[Code | None, BeforeValidator(known_or_none)]
    note: Known[Prose]
    source: Known[Prose]
    confidence: Prose


class IndicatorRow(ItemRow):
    """One sign that may be seen; without weights it is noted, and does not count."""

    element: Known[Element]
    weight_adult: Known[Weight]
    weight_child: Known[Weight]


class Wording(Row):
    """Something in each language that somebody put it into; an empty cell: nobody did.

    `en` is what was translated, so that a translation of what it was before is noticed.
    """

    en: Prose
    es: Known[Prose]
    fr: Known[Prose]
    ru: Known[Prose]
    uz: Known[Prose]
    uz_cyrl: Known[Prose]
    kk: Known[Prose]
    ky: Known[Prose]
    tg: Known[Prose]
    ht: Known[Prose]
    pt: Known[Prose]
    nl: Known[Prose]
    confidence: Prose

    @property
    def texts(self) -> dict[str, str]:
        """Say it in each language, by its tag."""
        said = {tag: getattr(self, column_of(tag)) for tag in LANGUAGES}
        return {tag: text for tag, text in said.items() if text}


def column_of(tag: str) -> str:
    """Return the name of the column that has the texts of a language."""
    return tag.replace("-", "_").lower()


type Tags = list[str]


class TranslationRow(Wording):
    """The label, or the note, of one code of a list.

    `reviewed` lists the languages, by their tags, whose text in this row a native speaker
    has reviewed. An empty cell: nobody has reviewed any of them.
    """

    list: str
    code: Code
    reviewed: Annotated[Tags, BeforeValidator(words)]

    @field_validator("reviewed")
    @classmethod
    def has_texts(cls, tags: Tags, info: ValidationInfo) -> Tags:
        """Refuse a language that has no translation in this row."""
        translated = {
            tag for tag in LANGUAGES if tag != ENGLISH and info.data.get(column_of(tag))
        }
        if not translated.issuperset(tags):
            raise refuse("must be languages of which this row has a translation")
        return tags

    @property
    @override
    def reference(self) -> str:
        """Which code of which list."""
        return f"{self.list} {self.code}"


class EnumerationRow(Row):
    """A code of the HTCDS: as the standard spells it, faults included, and cleaned."""

    list: str
    position: int
    code_verbatim: str
    code_clean: str
    label: Prose
    source: Prose
    issue: Known[Prose]

    @property
    @override
    def reference(self) -> str:
        """Which code of which list."""
        return f"{self.list} {self.code_clean}"


class FieldRow(Row):
    """A field of the HTCDS; without a name of its own it is an example of a question."""

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
    description: Known[Prose]
    notes: Known[Prose]


class DefinitionRow(Row):
    """What the HTCDS means by a code."""

    key = "code_or_label"

    group: Prose
    code_or_label: Prose
    definition: Prose
    source: Prose


class MigrationRow(Row):
    """A migration status that the guidance of the HTCDS tells from others."""

    key = "value"

    group: Prose
    value: Prose
    definition_excerpt: Prose
    source: Prose
    issue: Known[Prose]


class MappingRow(Row):
    """What of a case is a value of the HTCDS; without `theirs`: as it was written.

    `part` is a section, or what is known of the case itself.
    """

    field: Prose
    part: Prose
    ours: Prose
    theirs: Known[Prose]
    source: Prose
    confidence: Prose

    @property
    @override
    def reference(self) -> str:
        """Which field, of what."""
        return f"{self.field} {self.part} {self.ours}"
