"""A load of files names the rows and columns that it changes, and may be a dry run."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.administration.directory_load import Loaded, load
from app.cli.operator_actions import describe_load
from app.directory.actions import ChangedRow, Count
from app.directory.files import FilesRefused
from app.directory.history import ChangeAuthor, DirectoryChange
from app.directory.models import FocalPoint
from app.kernel.db import Base, Database
from tests.rules.test_directory_loading import (
    ALL,
    CONTACT,
    COUNTRY,
    DESK,
    OFFICE,
    TODAY,
    TWIN,
    load_folder,
    load_office,
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
    for name, text in ALL.items():
        (folder / name).write_text(text)
    return folder


def test_desk_that_serves_no_country_is_refused(
    database: Database,
    folder: Path,
) -> None:
    text = OFFICE + DESK.replace(",,*,", ",,,", 1)
    (folder / "focal_points.csv").write_text(text)

    with pytest.raises(FilesRefused) as refused:
        load_folder(database, folder)

    assert str(refused.value) == (
        "focal_points.csv, line 3, column serves: must name the countries of the desk, or "
        "* for all"
    )
    with database.begin_read() as session:
        assert session.scalar(select(FocalPoint)) is None


def test_oversight_office_may_serve_no_country(
    database: Database,
    folder: Path,
) -> None:
    watch = DESK.splitlines(keepends=True)[1].replace(",,*,", ",,,")
    (folder / "focal_points.csv").write_text(OFFICE + watch)

    loaded = load_folder(database, folder)

    assert loaded.focal_points.added == 2


def run_dry(database: Database, folder: Path) -> Loaded:
    """Return the changes that a load would make, in a read-only transaction."""
    with database.begin_read() as session:
        return load(ChangeAuthor(session, uuid4, TODAY), folder, dry_run=True)


def test_changed_row_is_listed_with_its_columns_and_changes_alone(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    text = OFFICE.replace("SHELTER,", "MEDICAL,").replace(",false,", ",true,")
    (folder / "focal_points.csv").write_text(text)

    counts = load_folder(database, folder)

    changed = ChangedRow("focal-points/UZ_POST", ("services", "can_lead"))
    assert counts == Loaded(
        Count(0, 0, 2),
        Count(0, 1, 0, (changed,)),
        Count(0, 0, 1),
        Count(0, 0, 0),
        Count(0, 0, 1),
    )
    assert load_office(database, "UZ_POST").services == ["MEDICAL"]
    assert load_office(database, "UZ_POST").can_lead


def test_dry_run_returns_what_the_load_returns_and_writes_nothing(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "countries.csv").write_text(COUNTRY.replace("Uzbekistan", "Republic"))
    (folder / "focal_points.csv").write_text(
        OFFICE.replace(",true,conf", ",false,conf") + TWIN
    )
    (folder / "contacts.csv").write_text(CONTACT.replace("duty@", "other@"))

    planned = run_dry(database, folder)

    with database.begin_read() as session:
        changes = list(session.scalars(select(DirectoryChange.subject)))
        codes = list(session.scalars(select(FocalPoint.code)))
    assert (len(changes), codes) == (5, ["UZ_POST"])
    assert planned.activations.deactivated == ("focal-points/UZ_POST",)
    assert planned.focal_points.added == 1
    assert load_folder(database, folder) == planned


def test_load_prints_the_columns_of_changed_rows_without_their_values(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "countries.csv").write_text(COUNTRY.replace("Uzbekistan", "Republic"))
    (folder / "contacts.csv").write_text(
        CONTACT.replace("duty@", "zarina@").replace("night desk", "Zarina")
    )

    lines = list(describe_load(run_dry(database, folder)))

    assert lines[0] == "countries: 0 added, 1 changed, 1 unchanged"
    assert lines[5:] == [
        "Changed: countries/UZ (name)",
        "Changed: contacts/UZ_POST_MAIL (address, label)",
    ]


def test_dry_run_reports_the_faults_of_the_files(database: Database, folder: Path) -> None:
    (folder / "countries.csv").write_text(COUNTRY.replace("Asia/Almaty", "Almaty"))

    with pytest.raises(FilesRefused, match=r"countries\.csv, line 2, column time_zone"):
        run_dry(database, folder)
