"""The function that reads the CSV files of this package."""

from importlib.resources import files

from app.directory.file_rows import Row
from app.directory.files import get_rows, load_sheet, require_no_faults


def read_sheet[R: Row](name: str, model: type[R]) -> list[R]:
    """Return the rows of a CSV file in their order, or raise FilesRefused."""
    found = load_sheet(files("app.reference").joinpath("data"), f"{name}.csv", model)
    require_no_faults(found.faults)
    return get_rows(found)
