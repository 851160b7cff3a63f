"""The files of a release of figures: a CSV file, and a spreadsheet with all tables."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from app.console.api_client import Json
from app.console.figure_names import Reader, name_cell, name_country, name_table
from app.console.translations import mark

COLUMNS: Final = ("quarters", "country", "table", "code", "subcode", "people", "name")
"""The columns of the CSV file, and of the sheet with all figures."""
ALL: Final = "all"
"""The value of `country` for the figures of all countries together."""
MAX_CODES: Final = 2
DAY: Final = len("2026-01-31")
MAX_SHEET_NAME: Final = 31
"""The maximum number of characters that programs accept in the name of a sheet."""
PLAIN_TEXTS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}
"""Options of a workbook: write each text as plain text, and write no temporary file."""
METHOD: Final = (
    mark(
        "Each number has a small random error and is rounded to 5, so numbers do not "
        "add up."
    ),
    mark(
        "A number is not shown if it is below 11, or if one below 11 would follow from it."
    ),
    mark("An empty cell is a number that is not shown. It does not mean zero."),
    mark("A difference of 5 between two quarters means nothing."),
    mark(
        "The figures count the people who were referred, and not all people who were "
        "trafficked."
    ),
    mark("Codes of forms of exploitation are those of the HTCDS (IOM)."),
)
"""Explanations of the numbers for the reader (docs/figures.md)."""


def build_csv(reader: Reader, release: Json) -> str:
    """Return a release as CSV, with the codes and the names in the reader's language.

    It begins with a byte order mark, because Excel would otherwise not read it as UTF-8.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(list_lines(reader, release["figures"]))
    return "\ufeff" + text.getvalue()


def list_lines(reader: Reader, figures: Iterable[Json]) -> Iterator[Sequence[Any]]:
    """Yield a line for each cell. A number that is not shown is None."""
    for one in figures:
        for table in one["tables"]:
            for cell in table["cells"]:
                yield (
                    " ".join(one["quarters"]),
                    one["country"] or ALL,
                    table["table"],
                    *fill_codes(cell),
                    cell["people"],
                    name_cell(reader, table["table"], cell["codes"]),
                )


def fill_codes(cell: Json) -> Sequence[str]:
    """Return the codes of a cell, with "" for each axis that its table does not have."""
    return [*cell["codes"], "", ""][:MAX_CODES]


def build_spreadsheet(reader: Reader, release: Json) -> bytes:
    """Return a release as an XLSX file in the reader's language.

    The first sheet describes the method. Each table then has a sheet, with a column for
    each country. The last sheet lists all figures with their codes, for programs. The same
    release always gives the same sheets in the same language.
    """
    import xlsxwriter  # noqa: PLC0415 - takes a fifth of a second, and is rarely needed

    output = io.BytesIO()
    with xlsxwriter.Workbook(output, PLAIN_TEXTS) as book:
        released = datetime.fromisoformat(release["released_at"])
        book.set_properties({"title": name_release(reader, release), "created": released})
        bold = book.add_format({"bold": True})
        add_method(book, reader, release, bold)
        for number, rows in enumerate(list_tables(reader, release["figures"]), 1):
            add_rows(book, f"{number} {rows[0][0]}", rows, bold)
        rows = [COLUMNS, *list_lines(reader, release["figures"])]
        add_rows(book, reader.texts.translate(mark("All figures")), rows, bold)
    return output.getvalue()


def add_method(book: Any, reader: Reader, release: Json, bold: Any) -> None:
    """Add the sheet that describes the release and explains how to read the figures."""
    translate = reader.texts.translate
    sheet = book.add_worksheet(name_sheet(translate(mark("About these figures"))))
    released = reader.formats.format_date(release["released_at"][:DAY])
    sheet.set_column(0, 0, 110, book.add_format({"text_wrap": True, "valign": "top"}))
    sheet.write(0, 0, name_release(reader, release), bold)
    lines = [
        translate(mark("Released on %(day)s"), day=released),
        *map(translate, METHOD),
        translate(mark("Digest (SHA-256): %(digest)s"), digest=release["digest"]),
    ]
    for row, line in enumerate(lines, 1):
        sheet.write(row, 0, line)


def add_rows(book: Any, name: str, rows: Sequence[Sequence[Any]], bold: Any) -> None:
    """Add a sheet of rows. The first row contains the titles of the columns."""
    sheet = book.add_worksheet(name_sheet(name))
    sheet.freeze_panes(1, 1)
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row, None if number else bold)
    sheet.autofilter(0, 0, len(rows) - 1, len(rows[0]) - 1)
    sheet.autofit()


def list_tables(
    reader: Reader, figures: Sequence[Json]
) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows of each table: its cells, with a column for each country."""
    titles = [name_column(reader, one) for one in figures]
    for tables in zip(*(one["tables"] for one in figures), strict=True):
        table = tables[0]["table"]
        cells = zip(*(one["cells"] for one in tables), strict=True)
        yield [
            [name_table(reader, table), *titles],
            *(
                [
                    name_cell(reader, table, cell[0]["codes"]),
                    *(one["people"] for one in cell),
                ]
                for cell in cells
            ),
        ]


def name_column(reader: Reader, figures: Json) -> str:
    """Return the title of a column: a country, and the quarters that its figures cover."""
    return f"{name_country(reader, figures['country'])}, {', '.join(figures['quarters'])}"


def name_release(reader: Reader, release: Json) -> str:
    """Return the title of a release of figures, in the reader's language."""
    title = mark("Figures of %(quarter)s")
    return reader.texts.translate(title, quarter=release["quarter"])


def name_sheet(name: str) -> str:
    """Shorten the name of a sheet, and replace characters that programs refuse."""
    kept = "".join(" " if one in "[]:*?/\\" else one for one in name)
    return kept[:MAX_SHEET_NAME].strip(" '")
