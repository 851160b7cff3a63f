"""Tests of limits.csv. The standard file is empty, because no source gives a number."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.administration.directory_load import load
from app.administration.row_changes import RowChange
from app.administration.second_person_columns import list_time_limit_columns
from app.deadlines.models import TimeLimit
from app.deadlines.rows import TimeLimitRow
from app.directory.actions import ChangedRow, Count, get_standard_data
from app.directory.files import FilesRefused, load_sheet
from app.directory.history import ChangeAuthor, DirectoryChange
from app.kernel.db import Base, Database
from tests.rules.test_directory_loading import ALL, TODAY

HEAD = "of,deadline,priority,amount,unit,confidence,source,as_of\n"
ROWS = (
    "KZ,acknowledge,normal,2,working_days,configured,Order 1,2026\n"
    "KZ_UZ,erase,any,12,months,configured,,\n"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/t.db")
    Base.metadata.create_all(database.engine)
    yield database
    database.engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in (ALL | {"limits.csv": HEAD + ROWS}).items():
        (folder / name).write_text(text)
    return folder


def load_limits(database: Database, folder: Path) -> Count:
    with database.begin_write() as session:
        return load(ChangeAuthor(session, uuid4, TODAY), folder).limits


def test_limits_are_loaded_with_the_countries_and_agreements_they_are_of(
    database: Database, folder: Path
) -> None:
    counts = [load_limits(database, folder), load_limits(database, folder)]

    with database.begin_read() as session:
        kept = {(row.of, row.amount) for row in session.scalars(select(TimeLimit))}
        subjects = list(session.scalars(select(DirectoryChange.subject)))
    assert counts == [Count(2, 0, 0), Count(0, 0, 2)]
    assert kept == {("KZ", 2), ("KZ_UZ", 12)}
    assert "time-limits/KZ/acknowledge/normal" in subjects


def test_a_file_of_limits_alone_changes_what_is_there(
    database: Database, folder: Path, tmp_path: Path
) -> None:
    load_limits(database, folder)
    alone = tmp_path / "alone"
    alone.mkdir()
    changed = ROWS.replace("normal,2,working_days", "normal,,")
    (alone / "limits.csv").write_text(HEAD + changed)

    counts = load_limits(database, alone)

    with database.begin_read() as session:
        [row] = session.scalars(select(TimeLimit).where(TimeLimit.of == "KZ"))
    changed_row = ChangedRow("time-limits/KZ/acknowledge/normal", ("amount", "unit"))
    assert counts == Count(0, 1, 1, (changed_row,))
    assert (row.amount, row.unit) == (None, None)


def test_all_faults_are_told_at_once_with_those_of_other_files(
    database: Database, folder: Path
) -> None:
    wrong = (
        "KZ,acknowledge,normal,9,working_days,configured,,\n"
        "KZ,monitor,any,9,days,configured,,\n"
        "KZ,erase,any,24,months,sure,,\n"
    )
    (folder / "limits.csv").write_text(HEAD + wrong)
    (folder / "agreements.csv").write_text(ALL["agreements.csv"].replace("L1", "L9"))

    with pytest.raises(FilesRefused) as refused:
        load_limits(database, folder)

    faults = [(f.file, f.line, f.column) for f in refused.value.faults]
    assert faults == [
        ("agreements.csv", 2, "level"),
        ("limits.csv", 2, "unit"),
        ("limits.csv", 3, "deadline"),
        ("limits.csv", 4, "confidence"),
    ]
    with database.begin_read() as session:
        assert list(session.scalars(select(TimeLimit))) == []


def test_a_limit_of_nobody_or_said_twice_is_refused(
    database: Database, folder: Path
) -> None:
    strange = ROWS.replace("KZ,", "JM,").replace("KZ_UZ,", "JM_TT,")
    (folder / "limits.csv").write_text(HEAD + strange)
    with pytest.raises(FilesRefused) as unknown:
        load_limits(database, folder)
    (folder / "limits.csv").write_text(HEAD + ROWS + ROWS.splitlines()[0] + "\n")

    with pytest.raises(FilesRefused) as twice:
        load_limits(database, folder)

    assert [fault.what for fault in unknown.value.faults] == [
        "must be the code of a country of the directory",
        "must be the code of an agreement of the directory",
    ]
    assert [fault.what for fault in twice.value.faults] == [
        "repeats line 2, and must occur once"
    ]


@pytest.mark.parametrize(
    "folder", [get_standard_data(), files("app.demo").joinpath("data")], ids=str
)
def test_we_ship_no_limit_for_no_source_gives_one_of_these_countries(
    folder: Path,
) -> None:
    sheet = load_sheet(folder, "limits.csv", TimeLimitRow)

    assert [*sheet.lines, *sheet.faults] == []


def build_row(**said: object) -> dict[str, object]:
    """Return a row that limits `meet_person` to 14 days; a miss causes only a reminder."""
    return {
        "of": "KZ",
        "deadline": "meet_person",
        "priority": "normal",
        "amount": 14,
        "unit": "days",
        "confidence": "configured",
        "source": None,
        "as_of": None,
        **said,
    }


@pytest.mark.parametrize(
    ("before", "after", "people"),
    [
        (None, {"amount": 14}, 1),
        (None, {"amount": 10}, 1),
        (None, {"amount": 15}, 2),
        (None, {"amount": 10, "unit": "working_days"}, 1),
        (None, {"amount": 11, "unit": "working_days"}, 2),
        ({"amount": 10}, {"amount": 11}, 2),
        ({"amount": 10}, {"amount": None, "unit": None}, 2),
        ({"amount": 20}, {"amount": None, "unit": None}, 1),
        ({"amount": 20}, {"amount": 19}, 1),
        ({"amount": 10}, {"amount": 10, "source": "its law"}, 1),
        (None, {"of": "KZ_UZ", "amount": 1}, 2),
        ({"of": "KZ_UZ", "amount": 10}, {"of": "KZ_UZ", "amount": 9}, 1),
        ({"of": "KZ_UZ", "amount": 10}, {"of": "KZ_UZ", "amount": None, "unit": None}, 2),
        *(
            (None, {"deadline": clock, "amount": 1, "unit": "hours"}, 2)
            for clock in (
                "acknowledge",
                "decide_lead",
                "decide_referral",
                "answer_handover",
            )
        ),
        *(
            (None, {"deadline": clock, "priority": "any", "amount": 1, "unit": "hours"}, 2)
            for clock in ("approve", "finish_draft", "erase")
        ),
    ],
)
def test_one_person_shortens_reminders_and_everything_else_takes_two(
    before: dict[str, object] | None, after: dict[str, object], people: int
) -> None:
    turn = RowChange(None if before is None else build_row(**before), build_row(**after))

    assert 1 + bool(list_time_limit_columns(turn)) == people
