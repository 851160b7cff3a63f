"""The Human Trafficking Case Data Standard 2.0 of IOM: its fields and codes.

The source is https://github.com/UNMigration/HTCDS @3c2f653, of 2023-01-24. Errors in the
standard are kept, because other systems use them to exchange data: `verbatim` is the
original spelling of a code, and `issue` describes the error. One method of control that the
standard defines but does not list was added (DOMAIN.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.kernel.languages import ENGLISH
from app.reference.files import read_sheet
from app.reference.rows import (
    DefinitionRow,
    EnumerationRow,
    FieldRow,
    MappingRow,
    MigrationRow,
)
from app.reference.schemas import Item

ABOUT: Final = (
    "Human Trafficking Case Data Standard 2.0 (IOM, CC BY 4.0; no endorsement is implied), "
    "with its errors: `verbatim` is the original spelling of a code."
)
CONFIDENCE: Final = "high"
DEPRECATED_ISSUE: Final = "field deprecated in v2.0"
DEPRECATED: Final = "DEPRECATED"
FIELDS: Final[Mapping[str, FieldRow]] = {
    row.full_name: row for row in read_sheet("htcds_fields", FieldRow) if row.full_name
}
CODES: Final[Sequence[EnumerationRow]] = (
    *read_sheet("htcds_enumerations", EnumerationRow),
    *read_sheet("htcds_additions", EnumerationRow),
)
VERBATIM: Final[Mapping[tuple[str, str], str]] = {
    (row.list, row.code_clean): row.code_verbatim for row in CODES
}
MAPPING: Final[Sequence[MappingRow]] = read_sheet("htcds_mapping", MappingRow)
"""The mapping of values of a case to the standard. Other values are not exported."""


def build_fields(part: str, said: Mapping[str, object]) -> dict[str, list[str]]:
    """Return a part of a case as HTCDS fields, with codes as the standard spells them.

    `said` maps the names of fields of the case to their values. Codes, such as those of
    indicators, are keys as well; their value must not be None.
    """
    found: dict[str, dict[str, None]] = {}
    for row in MAPPING:
        value = said.get(row.ours)
        if row.part == part and value is not None:
            theirs = VERBATIM[row.field, row.theirs] if row.theirs else str(value)
            found.setdefault(row.field, {})[theirs] = None
    return {name: list(values) for name, values in found.items()}


def format_title(row: FieldRow) -> str:
    """Return the title of a list of codes: section and label, because labels can repeat."""
    return f"HTCDS: {row.section}, {row.label}"


LISTS: Final[Mapping[str, str]] = {
    **{row.list: format_title(FIELDS[row.list]) for row in CODES},
    "htcds_fields": "HTCDS: its fields",
    "htcds_definitions": "HTCDS: definitions of some codes",
    "htcds_migration_status": "HTCDS: migration status, from its guidance",
}
"""The titles of the lists of the HTCDS; a list of codes has the name of its field."""


def list_items(name: str) -> Iterable[Item]:
    """Return the items of one list of the HTCDS."""
    match name:
        case "htcds_fields":
            return map(build_field_item, FIELDS.values())
        case "htcds_definitions":
            definitions = read_sheet(name, DefinitionRow)
            return [
                build_term(row, row.code_or_label, row.definition) for row in definitions
            ]
        case "htcds_migration_status":
            terms = read_sheet(name, MigrationRow)
            return [build_term(r, r.value, r.definition_excerpt, r.issue) for r in terms]
        case _:
            return [build_code_item(row) for row in CODES if row.list == name]


def build_code_item(row: EnumerationRow) -> Item:
    """Return one code of a field as an item of a list."""
    return Item(
        code=row.code_clean,
        labels={ENGLISH: row.label},
        source=row.source,
        confidence=CONFIDENCE,
        verbatim=row.code_verbatim,
        issue=row.issue,
    )


def build_field_item(row: FieldRow) -> Item:
    """Return one field as an item of a list, with its section and description."""
    return Item(
        code=row.full_name,
        labels={ENGLISH: row.label or row.full_name},
        group=row.section,
        note=row.description,
        source=f"HTCDS v2.0 ODS row {row.ods_row} @3c2f653",
        confidence=CONFIDENCE,
        verbatim=row.full_name,
        issue=DEPRECATED_ISSUE if row.status == DEPRECATED else None,
    )


def build_term(
    row: DefinitionRow | MigrationRow, term: str, definition: str, issue: str | None = None
) -> Item:
    """Return a code or a migration status as an item of a list, with its definition."""
    return Item(
        code=term,
        labels={ENGLISH: term},
        group=row.group,
        note=definition,
        source=row.source,
        confidence=CONFIDENCE,
        verbatim=term,
        issue=issue,
    )
