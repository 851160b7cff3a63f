"""A load of files refuses a desk without a country."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.directory.files import FilesRefused
from app.directory.models import FocalPoint
from app.kernel.db import Base, Database
from tests.rules.test_directory_loading import (
    ALL,
    DESK,
    OFFICE,
    load_folder,
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
