"""Reading and validation of directory files. Faults of all files are reported together."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Final

from pydantic import ValidationError

from app.directory.cell_errors import describe_cell_error
from app.directory.file_rows import AgreementRow, ContactRow, CountryRow, FocalPointRow, Row

COUNTRIES: Final = "countries.csv"
FOCAL_POINTS: Final = "focal_points.csv"
AGREEMENTS: Final = "agreements.csv"
CONTACTS: Final = "contacts.csv"
LIMITS: Final = "limits.csv"
FILES: Final = (COUNTRIES, FOCAL_POINTS, AGREEMENTS, CONTACTS, LIMITS)
"""The files that a folder may have; the rows of the last file belong to `deadlines`."""


@dataclass(frozen=True)
class Fault:
    """A fault in a cell, a line (`column` is empty) or a file (`line` is 0)."""

    file: str
    line: int
    column: str
    what: str

    def format(self) -> str:
        """Format the fault with its file, line and column."""
        line = f", line {self.line}" if self.line else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{line}{column}: {self.what}"


class FilesRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """Directory files are invalid: `faults` lists the reasons. Nothing was written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(fault.format() for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Line[R: Row]:
    """A row with its line number."""

    number: int
    row: R


@dataclass(frozen=True)
class Sheet[R: Row]:
    """The rows of a file whose cells are valid, and all faults of the file."""

    file: str
    lines: Sequence[Line[R]] = ()
    faults: Sequence[Fault] = ()


@dataclass(frozen=True)
class Folder:
    """The rows of the files in a folder."""

    countries: list[CountryRow]
    focal_points: list[FocalPointRow]
    agreements: list[AgreementRow]
    contacts: list[ContactRow]


@dataclass(frozen=True)
class Known:
    """The keys that are already in the directory and that rows may refer to."""

    countries: Collection[str] = ()
    offices: Collection[str] = ()
    agreements: Collection[str] = ()


NOTHING_KNOWN: Final = Known()


def read_folder[R: Row](
    folder: Traversable, known: Known = NOTHING_KNOWN, beside: Sheet[R] | None = None
) -> Folder:
    """Read and validate the files of a folder, or raise FilesRefused.

    Rows may refer to each other and to the keys in `known`. `beside` is a sheet of the same
    folder that the caller has already read. The faults of all sheets are reported together.
    References to unknown keys are reported only if there are no other faults.
    """
    require_any_file(folder)
    countries = load_sheet(folder, COUNTRIES, CountryRow)
    offices = load_sheet(folder, FOCAL_POINTS, FocalPointRow)
    agreements = load_sheet(folder, AGREEMENTS, AgreementRow)
    contacts = load_sheet(folder, CONTACTS, ContactRow)
    others = [] if beside is None else [beside]
    sheets: list[Sheet[Any]] = [countries, offices, agreements, contacts, *others]
    require_no_faults([fault for sheet in sheets for fault in sheet.faults])
    known_keys = Known(
        {*known.countries, *(line.row.code for line in countries.lines)},
        {*known.offices, *(line.row.code for line in offices.lines)},
        {*known.agreements, *(line.row.code for line in agreements.lines)},
    )
    unknown = [fault for sheet in sheets for fault in find_unknown_keys(sheet, known_keys)]
    require_no_faults(unknown)
    return Folder(
        get_rows(countries), get_rows(offices), get_rows(agreements), get_rows(contacts)
    )


def require_any_file(folder: Traversable) -> None:
    """Raise FilesRefused if none of the files is in the folder."""
    if not any(folder.joinpath(file).is_file() for file in FILES):
        what = "is missing, and so are all the other files"
        raise FilesRefused([Fault(file, 0, "", what) for file in FILES])


def require_no_faults(faults: Sequence[Fault]) -> None:
    """Raise FilesRefused if there is any fault."""
    if faults:
        raise FilesRefused(faults)


def get_rows[R: Row](sheet: Sheet[R]) -> list[R]:
    """Return the rows of a sheet without their line numbers."""
    return [line.row for line in sheet.lines]


def load_sheet[R: Row](folder: Traversable, file: str, model: type[R]) -> Sheet[R]:
    """Read one file, or return an empty sheet if the file is missing."""
    path = folder.joinpath(file)
    if not path.is_file():
        return Sheet(file)
    try:
        parsed = list(parse_lines(file, path.read_bytes().decode("utf-8-sig"), model))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Sheet(file, faults=[Fault(file, line, "", "must be UTF-8")])
    lines = [line for line in parsed if isinstance(line, Line)]
    faults = [fault for fault in parsed if isinstance(fault, Fault)]
    return Sheet(file, lines, [*faults, *find_duplicates(file, lines)])


def parse_lines[R: Row](file: str, text: str, model: type[R]) -> Iterator[Line[R] | Fault]:
    """Yield the row or faults of each line. If the header has faults, yield only these."""
    table = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(table, [])
        header_faults = list(check_header(file, header, model))
        yield from header_faults
        for cells in () if header_faults else filter(None, table):
            yield from parse_line(file, table.line_num, header, cells, model)
    except csv.Error as error:
        yield Fault(file, table.line_num, "", f"is not CSV: {error}")


def check_header(file: str, header: Sequence[str], model: type[Row]) -> Iterator[Fault]:
    """Yield a fault for each unknown or duplicated column, or missing required column."""
    count = Counter(header)
    columns = ", ".join(model.model_fields)
    for number, name in enumerate(header, start=1):
        if name not in model.model_fields:
            yield Fault(file, 1, str(number), f"must be one of {columns}")
    for column, field in model.model_fields.items():
        if count[column] > 1 or (not count[column] and field.is_required()):
            yield Fault(file, 1, column, "must occur exactly once")


def parse_line[R: Row](
    file: str, number: int, header: Sequence[str], cells: Sequence[str], model: type[R]
) -> Iterator[Line[R] | Fault]:
    """Yield the row of a line, or a fault for each invalid cell or a wrong cell count."""
    if len(cells) != len(header):
        yield Fault(file, number, "", f"has {len(cells)} cells, not {len(header)}")
        return
    try:
        row = model.model_validate(dict(zip(header, cells, strict=True)))
        yield Line(number, row)
    except ValidationError as refused:
        for error in refused.errors(include_input=False):
            yield Fault(file, number, str(error["loc"][0]), describe_cell_error(error))


def find_duplicates[R: Row](file: str, lines: Iterable[Line[R]]) -> Iterator[Fault]:
    """Yield a fault for each row whose key occurs on an earlier line."""
    first: dict[str, int] = {}
    for line in lines:
        name = line.row.reference
        if first.setdefault(name, line.number) != line.number:
            message = f"repeats line {first[name]}, and must occur once"
            yield Fault(file, line.number, line.row.key, message)


def find_unknown_keys[R: Row](sheet: Sheet[R], known: Known) -> Iterator[Fault]:
    """Yield a fault for each reference to an unknown country, office or agreement."""
    for line in sheet.lines:
        row = line.row
        groups = (
            ("a country", row.list_countries(), known.countries),
            ("a focal point", row.list_offices(), known.offices),
            ("an agreement", row.list_agreements(), known.agreements),
        )
        for noun, names, keys in groups:
            for column, name in names:
                if name not in keys:
                    message = f"must be the code of {noun} of the directory"
                    yield Fault(sheet.file, line.number, column, message)
