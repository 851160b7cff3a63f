"""The names of countries, tables and cells of released figures."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from app.console.formats import Formats
from app.console.translations import Texts, mark

TABLES: Final[Mapping[str, str]] = {
    "cases": mark("People who were referred"),
    "age_and_gender": mark("Age and gender"),
    "exploitation": mark("Presumed exploitation"),
    "services_asked": mark("Services asked for"),
    "services_given": mark("Services given"),
    "assistance": mark("Time until the first help"),
    "handovers": mark("Cases handed over to another country"),
    "returns": mark("Decisions about a return"),
}
"""The names of the tables."""
CODES: Final[Mapping[str, str]] = {
    "female": mark("Female"),
    "male": mark("Male"),
    "other": mark("Another gender"),
    "not_recorded": mark("Not recorded"),
    "within_24_hours": mark("Within 24 hours"),
    "within_72_hours": mark("Within 72 hours"),
    "within_7_days": mark("Within 7 days"),
    "later": mark("Later, or not at all"),
    "go": mark("May return"),
    "no_go": mark("Must not return"),
}
"""The names of codes that no reference list has."""
LISTS: Final[Mapping[str, Sequence[str]]] = {
    "age_and_gender": ("age_groups",),
    "exploitation": ("exploitation_forms",),
    "services_asked": ("services",),
    "services_given": ("services",),
}
"""The reference lists of the codes of a table, one for each axis."""


class Reader(Protocol):
    """The reader of a page or file, with the texts and formats in the reader's language."""

    @property
    def texts(self) -> Texts:
        """The texts in the language of the reader."""

    @property
    def formats(self) -> Formats:
        """The formats of numbers, dates and names in the language of the reader."""


def name_country(reader: Reader, country: str | None) -> str:
    """Return the name of a country, or of all countries together."""
    if country is None:
        return reader.texts.translate(mark("All of these countries together"))
    return reader.formats.name_country(country)


def name_table(reader: Reader, table: str) -> str:
    """Return the name of a table of figures, in the reader's language."""
    return reader.texts.translate(TABLES[table])


def name_cell(reader: Reader, table: str, codes: Sequence[str]) -> str:
    """Return the translated name of a cell, or of its table if `codes` is empty."""
    if not codes:
        return name_table(reader, table)
    return ", ".join(
        reader.texts.translate(CODES[code])
        if code in CODES
        else reader.formats.name_code(LISTS[table][axis], code)
        for axis, code in enumerate(codes)
    )
