"""A message about a wrong cell says what is allowed, and never repeats the cell."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.administration.account_load import AccountRow
from app.deadlines.rows import TimeLimitRow
from app.directory import files
from app.directory.cell_errors import FORMS, RULES
from app.directory.file_rows import AgreementRow, ContactRow, CountryRow, FocalPointRow, Row
from app.kernel.actors import Role

WRONG: Final = "Зарина_Каримова"
ROWS: Final[tuple[type[Row], ...]] = (
    AccountRow,
    AgreementRow,
    ContactRow,
    CountryRow,
    FocalPointRow,
    TimeLimitRow,
)


def list_faults(folder: Path, model: type[Row], cells: list[str]) -> list[files.Fault]:
    """Return the faults of a file with a header and one row of cells."""
    lines = ",".join(model.model_fields), ",".join(cells)
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return list(files.load_sheet(folder, "rows.csv", model).faults)


@pytest.mark.parametrize("model", ROWS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("cell", [WRONG, "", "x" * 3000, "-1", "a\u202eb"], ids=ascii)
def test_a_message_is_plain_and_repeats_no_cell(
    tmp_path: Path, model: type[Row], cell: str
) -> None:
    faults = list_faults(tmp_path, model, [cell] * len(model.model_fields))

    assert faults
    for fault in faults:
        assert fault.line == 2
        assert fault.column in model.model_fields
        assert fault.what.removeprefix("item 1 ").startswith(("must ", "requires "))
        assert "Input" not in fault.what
        assert len(cell) < 3 or cell not in fault.format()


def test_an_unknown_column_is_named_by_its_position(tmp_path: Path) -> None:
    """Without a header, a fault names the column by number and omits the value."""
    (tmp_path / "rows.csv").write_text(f"KZ_LEAD,{WRONG},person,officer,\n")

    faults = files.load_sheet(tmp_path, "rows.csv", AccountRow).faults

    assert [fault.column for fault in faults[:5]] == ["1", "2", "3", "4", "5"]
    assert faults[0].format() == (
        "rows.csv, line 1, column 1: must be one of focal_point, label, kind, roles, scopes"
    )
    assert WRONG not in str([fault.format() for fault in faults])


def test_a_code_is_refused_with_the_codes_that_are_allowed(tmp_path: Path) -> None:
    faults = list_faults(
        tmp_path, AccountRow, ["kz", "duty 1", "robot", "officer boss", ""]
    )

    assert [(fault.column, fault.what) for fault in faults] == [
        ("focal_point", f"must be {FORMS[get_patterns(AccountRow)[0]]}"),
        ("kind", "must be person or integration"),
        (
            "roles",
            f"item 2 must be {', '.join(list(Role)[:-1])} or {list(Role)[-1]}",
        ),
    ]


def list_schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON schema."""
    if isinstance(part, dict):
        yield part
        for child in part.values():
            yield from list_schemas(child)
    elif isinstance(part, list):
        for child in part:
            yield from list_schemas(child)


def get_patterns(model: type[Row]) -> list[str]:
    """Return the patterns of the cells of a file."""
    schemas = list_schemas(model.model_json_schema())
    return [one["pattern"] for one in schemas if isinstance(one.get("pattern"), str)]


def test_every_pattern_of_a_cell_is_described_in_words() -> None:
    patterns = {pattern for model in ROWS for pattern in get_patterns(model)}

    assert patterns == set(FORMS)
    assert "string_pattern_mismatch" in RULES
