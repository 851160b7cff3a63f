"""Reading the files of this package."""

from importlib.resources import files

from app.directory.files import open_sheet, refuse, rows
from app.directory.rows import Row


def read_sheet[R: Row](name: str, model: type[R]) -> list[R]:
    """Return the rows of one file, in their order; raises FilesRefused."""
    found = open_sheet(files("app.reference").joinpath("data"), f"{name}.csv", model)
    refuse(found.faults)
    return rows(found)
