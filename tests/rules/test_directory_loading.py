"""A directory folder is loaded as a whole or not at all. Loading again deletes no row."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app.administration.directory_load import Activations, Loaded, load
from app.directory.actions import FOCAL_POINTS, Count, get_standard_data, store
from app.directory.files import FilesRefused
from app.directory.history import ChangeAuthor, DirectoryChange
from app.directory.models import Country, FocalPoint
from app.directory.queries import has_lost_oversight
from app.kernel.db import Base, Database
from app.kernel.journal import Mailbox
from tests.support.directory_changes import update_directory

DEMONSTRATION = files("app.demo").joinpath("data")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOTHING = Count(0, 0, 0)
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)
COUNTRY = (
    "code,name,region,languages,time_zone,state_routing,first_contact,needs_criminal_case,"
    "routing_reason,lead_body,source,as_of,confidence\n"
    "KZ,Kazakhstan,central_asia,kk ru,Asia/Almaty,auto,,,,,,,high\n"
    "UZ,Uzbekistan,central_asia,uz,Asia/Tashkent,auto,,,,,,,high\n"
)
OFFICE = (
    "code,name,kind,function,of_state,serves,time_zone,languages,services,sexes,ages,"
    "opening,capacity,capacity_as_of,deputy,can_lead,active,confidence,source,as_of\n"
    "UZ_POST,Post,state,consular,UZ,KZ,Asia/Almaty,uz,SHELTER,female,adult,"
    "mo-fr/09:00-18:00,4,2026-06-01T12:00:00Z,,false,true,configured,,\n"
)
TWIN = "UZ_TWIN,Twin,state,consular,UZ,KZ,Asia/Almaty,,,,,always,,,,false,true,low,,\n"
AGREEMENT = (
    "code,name,countries,level,in_force_from,in_force_until,confidence,source\n"
    "KZ_UZ,Both,KZ UZ,L1,2026-01-01,2027-01-01,configured,\n"
)
CONTACT = (
    "code,focal_point,channel,address,language,label,active\n"
    "UZ_POST_MAIL,UZ_POST,email,duty@example.org,uz-Cyrl,night desk,true\n"
)
ALL = {
    "countries.csv": COUNTRY,
    "focal_points.csv": OFFICE,
    "agreements.csv": AGREEMENT,
    "contacts.csv": CONTACT,
}


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


def load_folder(database: Database, folder: Traversable) -> Loaded:
    with database.begin_write() as session:
        return load(ChangeAuthor(session, uuid4, TODAY), folder)


def load_office(database: Database, code: str) -> FocalPoint:
    with database.begin_read() as session:
        return session.scalars(select(FocalPoint).where(FocalPoint.code == code)).one()


def test_what_we_ship_loads_and_loading_it_again_changes_nothing(
    database: Database,
) -> None:
    first = [
        load_folder(database, folder) for folder in (get_standard_data(), DEMONSTRATION)
    ]

    again = [
        load_folder(database, folder) for folder in (get_standard_data(), DEMONSTRATION)
    ]

    assert first == [
        Loaded(Count(28, 0, 0), Count(40, 0, 0), NOTHING, NOTHING, NOTHING),
        Loaded(NOTHING, Count(23, 0, 0), Count(2, 0, 0), NOTHING, Count(12, 0, 0)),
    ]
    assert again == [
        Loaded(Count(0, 0, 28), Count(0, 0, 40), NOTHING, NOTHING, NOTHING),
        Loaded(NOTHING, Count(0, 0, 23), Count(0, 0, 2), NOTHING, Count(0, 0, 12)),
    ]


def test_each_focal_point_gets_one_mailbox_and_keeps_it(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    before = load_office(database, "UZ_POST")

    load_folder(database, folder)

    with database.begin_read() as session:
        assert list(session.scalars(select(Mailbox.focal_point_id))) == [before.id]
    assert load_office(database, "UZ_POST").id == before.id


def test_what_a_file_changed_is_kept_once_and_as_an_operators(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "focal_points.csv").write_text(OFFICE.replace("SHELTER", "MEDICAL"))

    load_folder(database, folder)
    load_folder(database, folder)

    named = DirectoryChange.subject == "focal-points/UZ_POST"
    by_number = select(DirectoryChange).order_by(DirectoryChange.number)
    with database.begin_read() as session:
        everything = list(session.scalars(by_number))
        first, second = session.scalars(by_number.where(named))
    assert len(everything) == 6
    assert (first.before, first.after["services"]) == (None, ["SHELTER"])
    assert second.before == first.after
    assert second.after == first.after | {"services": ["MEDICAL"]}
    assert (second.account_id, second.approved_by, second.at) == (None, None, TODAY)


def test_a_row_that_is_gone_stays_in_the_directory(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "focal_points.csv").write_text(OFFICE.replace("UZ_POST", "UZ_OTHER"))

    counts = load_folder(database, folder)

    assert counts.focal_points == Count(1, 0, 0)
    assert load_office(database, "UZ_POST").active


def test_a_file_from_a_spreadsheet_loads(database: Database, folder: Path) -> None:
    text = OFFICE.replace("false,true", "FALSE,TRUE").replace("Post", "«Пост», Müşavirlik")
    spreadsheet = text.replace("«Пост», Müşavirlik", '"«Пост», Müşavirlik"')
    (folder / "focal_points.csv").write_bytes(
        spreadsheet.replace("\n", "\r\n").encode("utf-8-sig")
    )

    load_folder(database, folder)

    assert load_office(database, "UZ_POST").name == "«Пост», Müşavirlik"


@pytest.mark.parametrize(
    ("file", "wrong", "place"),
    [
        ("countries.csv", ("name,region", "title,region"), (1, "2")),
        ("countries.csv", ("name,region", "title,region"), (1, "name")),
        ("countries.csv", ("name,region", "name,name"), (1, "name")),
        ("countries.csv", ("UZ,Uzbekistan", "uz,Uzbekistan"), (3, "code")),
        ("countries.csv", ("UZ,Uzbekistan", "KZ,Uzbekistan"), (3, "code")),
        ("countries.csv", ("Asia/Almaty", "Asia/Atlantis"), (2, "time_zone")),
        ("countries.csv", ("Asia/Almaty", "../etc/passwd"), (2, "time_zone")),
        ("countries.csv", ("Asia/Almaty", ""), (2, "time_zone")),
        ("countries.csv", ("kk ru", "kazakh"), (2, "languages")),
        ("countries.csv", ("kk ru", "kk kk"), (2, "languages")),
        ("countries.csv", ("Asia/Almaty,auto", "Asia/Almaty,maybe"), (2, "state_routing")),
        ("countries.csv", ("Uzbekistan", "Uzbek\u202eistan"), (3, "name")),
        ("countries.csv", ("high\nUZ", "high,extra\nUZ"), (2, "")),
        ("countries.csv", (",high\nUZ", "\nUZ"), (2, "")),
        ("countries.csv", ("Uzbekistan", '"Uzbekistan'), (3, "")),
        ("focal_points.csv", ("UZ_POST", "uz post"), (2, "code")),
        ("focal_points.csv", ("state,consular", "embassy,consular"), (2, "kind")),
        ("focal_points.csv", ("consular,UZ", "consular,"), (2, "of_state")),
        ("focal_points.csv", ("state,consular", "non_state,consular"), (2, "of_state")),
        ("focal_points.csv", ("consular,UZ", "consular,RU"), (2, "of_state")),
        ("focal_points.csv", ("UZ,KZ,", "UZ,KZ TM,"), (2, "serves")),
        ("focal_points.csv", ("UZ,KZ,", "UZ,,"), (2, "services")),
        ("focal_points.csv", ("SHELTER", "SHELTR"), (2, "services")),
        ("focal_points.csv", ("false,true", "0,true"), (2, "can_lead")),
        ("focal_points.csv", ("configured", "sure"), (2, "confidence")),
        ("focal_points.csv", ("female", "woman"), (2, "sexes")),
        ("focal_points.csv", ("adult", "adult adult"), (2, "ages")),
        ("focal_points.csv", ("adult", "18+"), (2, "ages")),
        ("focal_points.csv", ("mo-fr/09:00-18:00", "mo-fr"), (2, "opening")),
        ("focal_points.csv", ("mo-fr/09:00-18:00", "fr-mo/18:00-09:00"), (2, "opening")),
        ("focal_points.csv", ("mo-fr/09:00-18:00", "mo/18:00-09:00"), (2, "opening")),
        ("focal_points.csv", ("mo-fr/09:00", "mo-fr/9:00"), (2, "opening")),
        ("focal_points.csv", ("mo-fr/09", "always mo-fr/09"), (2, "opening")),
        ("focal_points.csv", (",4,", ",-1,"), (2, "capacity")),
        ("focal_points.csv", (",4,", ",a few,"), (2, "capacity")),
        ("focal_points.csv", (",4,", ",,"), (2, "capacity_as_of")),
        ("focal_points.csv", ("2026-06-01T12:00:00Z", ""), (2, "capacity_as_of")),
        ("focal_points.csv", ("12:00:00Z", "12:00:00"), (2, "capacity_as_of")),
        ("focal_points.csv", ("Z,,", "Z,UZ_POST,"), (2, "deputy")),
        ("focal_points.csv", ("Z,,", "Z,UZ_TWIN,"), (2, "deputy")),
        ("agreements.csv", ("L1", ""), (2, "level")),
        ("agreements.csv", ("L1", "all"), (2, "level")),
        ("agreements.csv", ("KZ UZ", "KZ"), (2, "countries")),
        ("agreements.csv", ("KZ UZ", "KZ JM"), (2, "countries")),
        ("agreements.csv", ("2026-01-01", "01.01.2026"), (2, "in_force_from")),
        ("agreements.csv", ("2026-01-01", ""), (2, "in_force_from")),
        ("agreements.csv", ("2027-01-01", "2025-01-01"), (2, "in_force_until")),
        ("contacts.csv", ("UZ_POST_MAIL", "mail"), (2, "code")),
        ("contacts.csv", (",UZ_POST,", ",UZ_TWIN,"), (2, "focal_point")),
        ("contacts.csv", ("email", "fax"), (2, "channel")),
        ("contacts.csv", ("email", "sms"), (2, "address")),
        ("contacts.csv", ("duty@", "Duty <duty@"), (2, "address")),
        ("contacts.csv", ("uz-Cyrl", "uzbek"), (2, "language")),
        ("contacts.csv", ("night desk", ""), (2, "label")),
        ("contacts.csv", ("true", "yes"), (2, "active")),
    ],
)
def test_a_broken_cell_is_named_and_nothing_is_written(
    database: Database,
    folder: Path,
    file: str,
    wrong: tuple[str, str],
    place: tuple[int, str],
) -> None:
    text = ALL[file].replace(*wrong)
    (folder / file).write_text(text)

    with pytest.raises(FilesRefused) as refused:
        load_folder(database, folder)

    assert text != ALL[file]
    assert (file, *place) in {(f.file, f.line, f.column) for f in refused.value.faults}
    with database.begin_read() as session:
        assert session.scalar(select(Country)) is None
        assert session.scalar(select(Mailbox)) is None


def test_the_error_says_where_to_look_and_what_for(
    database: Database, folder: Path
) -> None:
    (folder / "countries.csv").write_text(COUNTRY.replace("Asia/Almaty", "Almaty"))
    (folder / "focal_points.csv").write_text(
        OFFICE.replace("SHELTER", "BED").replace("false", "maybe")
    )

    with pytest.raises(FilesRefused) as refused:
        load_folder(database, folder)

    zone, service, lead = str(refused.value).splitlines()
    assert zone == (
        "countries.csv, line 2, column time_zone: "
        "must be an IANA time zone, like Asia/Almaty"
    )
    assert "line 2, column services: item 1 must be SHELTER, " in service
    assert "BED" not in service
    assert lead.endswith("column can_lead: must be true or false")


def test_the_error_does_not_repeat_an_address(database: Database, folder: Path) -> None:
    (folder / "contacts.csv").write_text(CONTACT.replace("duty@", "Zarina <duty@"))

    with pytest.raises(FilesRefused) as refused:
        load_folder(database, folder)

    assert str(refused.value) == (
        "contacts.csv, line 2, column address: must be a plain e-mail address or phone "
        "number for its channel"
    )


def test_what_is_kept_of_a_change_says_where_an_address_leads_and_not_to_whom(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "contacts.csv").write_text(CONTACT.replace("duty", "other"))

    load_folder(database, folder)

    named = DirectoryChange.subject == "contacts/UZ_POST_MAIL"
    kept = select(DirectoryChange).where(named).order_by(DirectoryChange.number)
    with database.begin_read() as session:
        first, second = session.scalars(kept)
    assert first.after["address"] == "…@example.org"
    assert second.before
    assert second.before["address"] == "…@example.org"
    assert second.after["address"] == "another: …@example.org"


def test_a_code_that_comes_twice_names_both_lines(database: Database, folder: Path) -> None:
    (folder / "focal_points.csv").write_text(OFFICE + OFFICE.splitlines()[1] + "\n")

    with pytest.raises(
        FilesRefused, match="line 3, column code: repeats line 2, and must occur once"
    ):
        load_folder(database, folder)


def test_a_file_that_is_not_utf8_is_refused(database: Database, folder: Path) -> None:
    (folder / "countries.csv").write_bytes(
        COUNTRY.replace("khstan", "khstån").encode("latin1")
    )

    with pytest.raises(FilesRefused, match=r"countries\.csv, line 2: must be UTF-8"):
        load_folder(database, folder)


def test_a_folder_without_any_of_the_files_is_refused(
    database: Database, tmp_path: Path
) -> None:
    with pytest.raises(FilesRefused, match=r"countries\.csv: is missing"):
        load_folder(database, tmp_path)


def test_a_country_of_an_earlier_load_is_known(database: Database, folder: Path) -> None:
    load_folder(database, folder)
    (folder / "countries.csv").unlink()

    counts = load_folder(database, folder)

    assert counts == Loaded(
        NOTHING, Count(0, 0, 1), Count(0, 0, 1), NOTHING, Count(0, 0, 1)
    )


def test_who_stands_in_is_of_the_same_file_or_of_an_earlier_load(
    database: Database, folder: Path
) -> None:
    text = OFFICE.replace("Z,,", "Z,UZ_TWIN,")
    (folder / "focal_points.csv").write_text(text + TWIN)
    load_folder(database, folder)
    (folder / "focal_points.csv").write_text(text.replace("UZ_POST", "UZ_THIRD"))

    load_folder(database, folder)

    assert (
        load_office(database, "UZ_POST").deputy == load_office(database, "UZ_THIRD").deputy
    )
    assert load_office(database, "UZ_TWIN").deputy is None


def test_a_file_says_whom_an_office_serves_and_when(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)

    found = load_office(database, "UZ_POST")

    assert (found.sexes, found.ages) == (["female"], ["adult"])
    assert found.opening == ["mo-fr/09:00-18:00"]
    assert (found.capacity, found.capacity_as_of) == (4, NOON)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        (("4", "2026-06-01T12:00:00Z"), 2),
        (("4", "2026-06-01T18:00:00+05:00"), 2),
        (("9", "2026-06-01T13:00:00Z"), 2),
        (("9", "2026-06-01T15:00:00Z"), 9),
        (("", ""), 2),
    ],
)
def test_a_file_does_not_undo_what_an_office_said_of_its_places_since(
    database: Database, folder: Path, said: tuple[str, str], stands: int
) -> None:
    load_folder(database, folder)
    with database.begin_write() as session:
        later = NOON + timedelta(hours=2)
        update_directory(
            session, update(FocalPoint).values(capacity=2, capacity_as_of=later)
        )
    text = OFFICE.replace("4,2026-06-01T12:00:00Z", ",".join(said))
    (folder / "focal_points.csv").write_text(text.replace("Post", "New name"))

    load_folder(database, folder)

    assert load_office(database, "UZ_POST").capacity == stands
    assert load_office(database, "UZ_POST").name == "New name"


DESK = (
    "DESK,Desk,desk,coordination,,*,Asia/Almaty,,,,,always,,,,false,true,low,,\n"
    "WATCH,Watch,oversight,coordination,,*,Asia/Almaty,,,,,always,,,,false,true,low,,\n"
)
SUBJECT = "focal-points/UZ_POST"


def close_office(database: Database, code: str) -> None:
    """Close an office, as an administrator does over HTTP."""
    row = {"code": code, "active": False}
    with database.begin_write() as session:
        clerk = ChangeAuthor(session, uuid4, TODAY, account_id=uuid4())
        before = session.execute(select(FocalPoint.__table__).filter_by(code=code))
        store(clerk, FOCAL_POINTS, [dict(before.mappings().one()) | row])


def test_a_file_does_not_open_what_somebody_shut_through_the_service(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    close_office(database, "UZ_POST")

    again = [load_folder(database, folder) for _ in range(2)]
    shut = load_office(database, "UZ_POST").active
    with database.begin_write() as session:
        opened = load(ChangeAuthor(session, uuid4, TODAY), folder, reopen=True)

    assert [one.activations for one in again] == [Activations(left_inactive=(SUBJECT,))] * 2
    assert [one.focal_points for one in again] == [Count(0, 0, 1)] * 2
    assert not shut
    assert opened.activations == Activations(activated=(SUBJECT,))
    assert load_office(database, "UZ_POST").active
    assert load_folder(database, folder).activations == Activations()


def test_what_a_file_shuts_a_file_opens_again_and_each_is_named(
    database: Database, folder: Path
) -> None:
    load_folder(database, folder)
    (folder / "focal_points.csv").write_text(OFFICE.replace(",true,conf", ",false,conf"))
    shut = load_folder(database, folder)
    shut_meanwhile = load_office(database, "UZ_POST").active
    (folder / "focal_points.csv").write_text(OFFICE)

    opened = load_folder(database, folder)

    assert (shut.activations, shut_meanwhile) == (
        Activations(deactivated=(SUBJECT,)),
        False,
    )
    assert opened.activations == Activations(activated=(SUBJECT,))
    assert load_office(database, "UZ_POST").active


@pytest.mark.parametrize(
    ("code", "lost"),
    [
        ("DESK", "No active desk would serve KZ, UZ"),
        ("WATCH", "No active oversight body would be left"),
    ],
)
def test_a_file_takes_from_nobody_the_desk_or_the_overseer(
    code: str, lost: str, database: Database, folder: Path
) -> None:
    (folder / "focal_points.csv").write_text(OFFICE + DESK)
    load_folder(database, folder)
    lines = (OFFICE + DESK).splitlines(keepends=True)
    (folder / "focal_points.csv").write_text(
        "".join(
            line.replace(",true,low", ",false,low") if line.startswith(code) else line
            for line in lines
        )
    )

    with pytest.raises(FilesRefused, match=f"focal_points.csv: {lost}"):
        load_folder(database, folder)

    assert load_office(database, code).active
    with database.begin_read() as session:
        assert not has_lost_oversight(session)


def test_oversight_is_lost_where_there_was_one_and_none_is_active(
    database: Database, folder: Path
) -> None:
    """Oversight is lost if an oversight office has been active and none is active now."""
    planned = DESK.replace("false,true,low,,\nWATCH", "false,true,low,,\nPLANNED")
    (folder / "focal_points.csv").write_text(
        OFFICE + planned.replace("true,low,,\n", "false,low,,\n")
    )
    load_folder(database, folder)
    with database.begin_read() as session:
        before = has_lost_oversight(session)
    (folder / "focal_points.csv").write_text(OFFICE + DESK)
    load_folder(database, folder)

    with database.begin_write() as session:
        update_directory(session, update(FocalPoint).values(active=False))
        assert has_lost_oversight(session)

    assert not before
