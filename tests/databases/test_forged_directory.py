"""Tests that altered rows of the directory and altered webhooks give no rights (ADR 82)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import ColumnElement, and_, select, text
from structlog.testing import capture_logs

from app.cli.row_protection import (
    REGISTERS,
    find_altered,
    is_unprotected,
    protect_again,
    protect_directory,
    read_rows,
)
from app.deadlines.models import TimeLimit
from app.directory import borders, contact_queries
from app.directory import queries as directory_queries
from app.directory.actions import FOCAL_POINTS, WRITE_LOCK, Register, store
from app.directory.history import ChangeAuthor
from app.directory.kinds import DisclosureLevel, StateRouting
from app.directory.models import Agreement, Contact, Country, FocalPoint
from app.kernel.actors import Role
from app.kernel.db import lock_name
from app.kernel.journal import Mailbox
from app.kernel.macs import NotAuthentic
from app.kernel.protected_rows import MAC, ProtectedRow, get_columns
from app.webhooks import queries as webhook_queries
from app.webhooks.models import Webhook
from tests.support.database_attacks import Attacker, apply_changes
from tests.support.effort import is_sample
from tests.support.time_limits import build_time_limit
from tests.support.world import (
    NOON,
    Json,
    Someone,
    World,
    get_problem,
    make_consent,
    unwrap,
)

FEAR: Final = {"country_of_origin": "UZ", "unsafe_focal_points": ["KZ_LEAD"]}
STATE: Final = make_consent(recipient_class={"kind": "state", "country": "KZ"})
OTHERS: Final = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
BOTH: Final = [STATE, OTHERS]

type Row = Mapping[str, Any]


@pytest.fixture
def limited(world: World) -> World:
    """Return a world in which each protected table has a row."""
    with world.database.begin_write() as session:
        session.add(build_time_limit())
        session.add(build_webhook(session.scalars(select(FocalPoint)).first()))
    return world


def build_webhook(office: FocalPoint | None) -> Webhook:
    """Return a webhook of an office."""
    assert office is not None
    return Webhook(
        id=uuid4(),
        focal_point_id=office.id,
        label="duty",
        url="https://receiver.example.org/hook",
        opened_at=NOON,
        stalled=False,
        position=0,
        due_at=NOON,
        failures=0,
    )


def list_rows(world: World, register: Register) -> list[dict[str, Any]]:
    with world.database.begin_read() as session:
        return read_rows(session, register.table)


def has_key(register: Register, row: Row) -> ColumnElement[bool]:
    """Return the condition that matches the stored row with the key of `row`."""
    columns = register.table.__table__.columns
    return and_(*(columns[name] == row[name] for name in register.keys))


def load_row(world: World, register: Register, row: Row) -> ProtectedRow | None:
    """Load the row that has the key of `row`, or return None if there is no such row."""
    with world.database.begin_read() as session:
        loaded: ProtectedRow | None = session.scalar(
            select(register.table).where(has_key(register, row))
        )
        return loaded


def write(attacker: Attacker, register: Register, row: Row, values: Row) -> None:
    """Write `values` into the stored row that has the key of `row`."""
    own = has_key(register, row)
    with attacker.connect() as connection:
        connection.execute(register.table.__table__.update().where(own).values(values))


def assert_harmless(world: World, register: Register, row: Row) -> None:
    """Fail unless a row that was changed is read with its harmless values."""
    with capture_logs() as lines:
        loaded = load_row(world, register, row)
    assert loaded is not None, row
    assert loaded.is_altered, row
    shown = {name: getattr(loaded, name) for name in loaded.harmless}
    assert shown == loaded.harmless, row
    assert [one["event"] for one in lines] == ["row.forged"], row


@pytest.mark.parametrize("register", REGISTERS, ids=lambda one: one.path)
def test_changed_column_makes_a_row_harmless(limited: World, register: Register) -> None:
    attacker, tried = Attacker(limited), 0
    rows, names = list_rows(limited, register), get_columns(register.table).protected
    change = partial(write, attacker, register)
    for row in (rows[0],) if is_sample() else (rows[0], rows[-1]):
        for changed in apply_changes(row, (*names, MAC), change):
            tried += 1
            assert_harmless(limited, register, changed)
        loaded = load_row(limited, register, row)
        assert loaded is not None
        assert not loaded.is_altered
    assert tried > len(names)


@pytest.mark.parametrize("register", REGISTERS, ids=lambda one: one.path)
def test_copy_of_a_row_is_harmless(limited: World, register: Register) -> None:
    row = list_rows(limited, register)[0]
    other = {"code": "XX", "of": "XX", "id": uuid4()}
    copy = row | {name: value for name, value in other.items() if name in row}
    copy.pop("number", None)
    attacker = Attacker(limited)
    if register.table is FocalPoint:
        attacker.insert(Mailbox, {"focal_point_id": copy["id"], "head": 0})
    with attacker.connect() as connection:
        connection.execute(register.table.__table__.insert().values(copy))
    assert_harmless(limited, register, copy)


def rename_feared_office(world: World) -> None:
    """Give the office that a person fears another code."""
    office = Attacker(world).find(FocalPoint, code="KZ_LEAD")
    Attacker(world).update(FocalPoint, office["id"], code="KZ_OTHER")


def test_feared_office_receives_a_case_without_macs(
    without_macs: World, officer: Someone
) -> None:
    rename_feared_office(without_macs)
    assert officer.submit(consents=BOTH, safeguards=FEAR)["holder"] == "KZ_OTHER"


def test_feared_office_with_another_code_receives_no_case(
    world: World, officer: Someone
) -> None:
    rename_feared_office(world)
    case = officer.submit(consents=BOTH, safeguards=FEAR)
    assert case["holder"] not in {"KZ_OTHER", "KZ_LEAD", None}


def make_oversight(world: World, office: Someone) -> None:
    """Change the kind of an office to oversight, which is a party of each new case."""
    Attacker(world).update(FocalPoint, office.id, kind="oversight")


def test_office_becomes_oversight_of_new_cases_without_macs(
    without_macs: World, officer: Someone, shelter: Someone
) -> None:
    make_oversight(without_macs, shelter)
    case = officer.submit()
    assert shelter.read(case)["you_are"] == ["oversight"]


def test_office_does_not_become_oversight_of_new_cases(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    make_oversight(world, shelter)
    case = officer.submit()
    assert lead.read(case)["code"] == case["code"]
    assert get_problem(shelter.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert unwrap(shelter.get("/cases"))["items"] == []


def test_country_is_avoided_although_its_row_was_changed(world: World) -> None:
    with world.write_as_service() as tx:
        avoided = sorted(directory_queries.list_avoided_countries(tx))
    assert avoided
    Attacker(world).update(Country, avoided[0], state_routing=StateRouting.AUTO)
    with world.write_as_service() as tx:
        assert avoided[0] in directory_queries.list_avoided_countries(tx)


def test_country_is_avoided_although_it_has_the_mac_of_another(world: World) -> None:
    with world.write_as_service() as tx:
        avoided = sorted(directory_queries.list_avoided_countries(tx))
        countries = directory_queries.list_countries(tx)
    other = next(one for one in countries if one.code not in avoided)
    copied = {"state_routing": other.state_routing, "mac": other.mac}
    Attacker(world).update(Country, avoided[0], **copied)
    with world.write_as_service() as tx:
        assert avoided[0] in directory_queries.list_avoided_countries(tx)


def test_changed_agreement_allows_nothing(
    limited: World, officer: Someone, lead: Someone
) -> None:
    named = make_consent(
        focal_point="ISTIQBOLLI_AVLOD", purposes=["RETURN"], sections=["needs", "health"]
    )
    case = lead.take_lead(officer.submit(consents=[make_consent(), named]))
    back: Json = {"service": "RETURN", "to": "ISTIQBOLLI_AVLOD"}
    assert lead.refer(case, sections=["needs"], **back).status_code == 201
    Attacker(limited).update(Agreement, "KZ_UZ_DEMO", name="Other")
    refused = lead.refer(case, sections=["needs"], **back)
    assert get_problem(refused) == (409, "needs-unmet")


def test_changed_time_limit_does_not_apply(limited: World, officer: Someone) -> None:
    attacker = Attacker(limited)
    own = unwrap(officer.get("/countries/KZ/time-limits"))["items"]
    assert [one["set_by"] for one in own if one["deadline"] == "acknowledge"].count("KZ")
    attacker.update(TimeLimit, "KZ", amount=9)
    shown = unwrap(officer.get("/countries/KZ/time-limits"))["items"]
    assert not [one for one in shown if one["set_by"] == "KZ"]


def test_message_is_not_sent_to_a_changed_address(world: World) -> None:
    with world.write_as_service() as tx:
        [contact, *_] = tx.session.scalars(select(Contact).where(Contact.active))
        code = contact.code
    Attacker(world).update(Contact, code, address="attacker@example.com")
    with world.write_as_service() as tx:
        assert not tx.session.get_one(Contact, code).active


def test_changed_webhook_gets_no_message(limited: World) -> None:
    attacker = Attacker(limited)
    with limited.database.begin_read() as session:
        [webhook] = webhook_queries.list_open(session)
    attacker.update(Webhook, webhook.number, ping=uuid4(), pinged_at=limited.now)
    with limited.write_as_service() as tx:
        assert webhook_queries.lock_due(tx, webhook.id) is not None
    attacker.update(Webhook, webhook.number, url="https://receiver.example.org/other")
    with limited.write_as_service() as tx:
        assert webhook_queries.lock_due(tx, webhook.id) is None
        assert webhook_queries.list_open(tx.session) == []


@pytest.mark.parametrize("change", [{"name": "Other"}, {"kind": "oversight"}])
def test_people_of_a_changed_office_read_no_case(
    world: World, officer: Someone, lead: Someone, change: Json
) -> None:
    case = lead.take_lead(officer.submit())
    office = Attacker(world).find(FocalPoint, code=lead.code)
    Attacker(world).update(FocalPoint, lead.id, **change)
    answer = lead.get(f"/cases/{case['code']}")
    assert get_problem(answer) == (500, "records-altered")
    opened = lead.open(f"/cases/{case['code']}/sections/needs")
    assert get_problem(opened) == (500, "records-altered")
    assert get_problem(lead.get("/directory-changes")) == (500, "records-altered")
    assert officer.read(case)["code"] == case["code"]
    Attacker(world).update(FocalPoint, lead.id, **{n: office[n] for n in change})
    assert lead.read(case)["code"] == case["code"]


def test_service_does_not_change_a_changed_row(world: World) -> None:
    Attacker(world).update(Agreement, "KZ_UZ_DEMO", level="L3")
    with world.database.begin_read() as session:
        entry = session.get_one(Agreement, "KZ_UZ_DEMO")
        entry.name = "Other"
        with pytest.raises(NotAuthentic):
            session.flush()
        session.expunge(entry)


def test_row_is_protected_again(world: World) -> None:
    Attacker(world).update(Agreement, "KZ_UZ_DEMO", level="L3")
    with world.database.begin_read() as session:
        seen = find_altered(session)
    assert list(seen) == ["agreements/KZ_UZ_DEMO"]
    Attacker(world).update(Agreement, "KZ_UZ_DEMO", name="Other")
    with pytest.raises(NotAuthentic):
        protect_again(world.runtime, seen)
    with world.database.begin_read() as session:
        seen = find_altered(session)
    protect_again(world.runtime, seen)
    with world.database.begin_read() as session:
        assert find_altered(session) == {}
        assert session.get_one(Agreement, "KZ_UZ_DEMO").level == "L3"


def test_rows_of_an_earlier_version_are_protected_once(world: World) -> None:
    with world.database.begin_write() as session:
        for register in REGISTERS:
            session.execute(text(f"UPDATE {register.table.__tablename__} SET mac = NULL"))
    with world.database.begin_read() as session:
        assert is_unprotected(session)
    count = protect_directory(world.runtime)
    assert count == sum(len(list_rows(world, one)) for one in REGISTERS)
    assert protect_directory(world.runtime) == 0
    with world.database.begin_read() as session:
        assert not is_unprotected(session)
        assert find_altered(session) == {}


def test_deadlines_of_a_changed_office_pass_on(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    assert lead.read(case)["holder"] == lead.code
    Attacker(world).update(FocalPoint, lead.id, name="Other")
    world.advance(hours=5)
    with capture_logs() as lines:
        world.run_worker()
    assert officer.read(case)["holder"] not in {lead.code, None}
    assert [one for one in lines if one["event"] == "clock.failed"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sexes": ["x"], "kind": "desk"},
        {"time_zone": "No/Where", "opening": ["mo-fr/09:00-18:00"], "kind": "desk"},
        {"opening": 5, "ages": ["x"], "languages": 5, "kind": "desk"},
    ],
)
def test_submission_succeeds_beside_an_office_with_wrong_values(
    world: World, officer: Someone, changes: Json
) -> None:
    office = Attacker(world).find(FocalPoint, code="KZ_SHELTER_KOGERSHIN")
    Attacker(world).update(FocalPoint, office["id"], **changes)
    Attacker(world).update(Country, "UZ", languages=5)
    assert officer.submit(consents=BOTH)["holder"] == "KZ_LEAD"
    for path in ("/focal-points", "/countries"):
        assert officer.get(path).status_code == 200


def test_nothing_crosses_a_border_from_a_changed_office(world: World) -> None:
    sender = Attacker(world).find(FocalPoint, code="KZ_LEAD")
    Attacker(world).update(FocalPoint, sender["id"], name="Other")
    with world.write_as_service() as tx:
        offices = {one.code: one for one in directory_queries.list_all(tx)}
        allowed = borders.may_cross(
            tx,
            "UZ",
            sender=offices["KZ_LEAD"],
            to=offices["UZ_LEAD"],
            level=DisclosureLevel.EVERYTHING,
        )
    assert not allowed


def test_changed_oversight_does_not_count_as_closed(world: World) -> None:
    office = Attacker(world).find(FocalPoint, code="OVERSIGHT_DEMO")
    Attacker(world).update(FocalPoint, office["id"], active=False)
    with world.database.begin_read() as session:
        assert office["id"] not in directory_queries.list_former_overseers(session)


def test_contact_of_a_changed_office_gets_no_message(world: World) -> None:
    with world.database.begin_read() as session:
        contact = session.scalars(select(Contact).where(Contact.active)).first()
        assert contact is not None
        owner = session.scalars(
            select(FocalPoint).where(FocalPoint.code == contact.focal_point)
        ).one()
    with world.write_as_service() as tx:
        assert contact_queries.lock_contacts(tx, [owner.id])
    Attacker(world).update(FocalPoint, owner.id, name="Other")
    with world.write_as_service() as tx:
        assert contact_queries.lock_contacts(tx, [owner.id]) == []
        assert contact_queries.find_contact(tx, contact.code) is None


def test_change_verifies_the_row_that_is_stored(world: World) -> None:
    with world.database.begin_write() as session:
        office = session.scalars(select(FocalPoint)).first()
        assert office is not None
        by_sql = FocalPoint.__table__.update().where(FocalPoint.id == office.id)
        session.connection().execute(by_sql.values(name="Other"))
        office.capacity = 4
        with pytest.raises(NotAuthentic):
            session.flush()
        session.connection().execute(by_sql.values(name=office.name))


@pytest.mark.race
def test_changes_at_the_same_time_leave_a_row_that_matches(world: World) -> None:
    code = "KZ_SHELTER_KOGERSHIN"
    coordinator = world.add_person(code, {Role.COORDINATOR})

    def set_capacity(free: int) -> int:
        path = f"/focal-points/{code}/capacity"
        return coordinator.ask("PUT", path, {"free": free}).status_code

    def rename(number: int) -> int:
        with world.database.begin_write() as session:
            lock_name(session, WRITE_LOCK)
            author = ChangeAuthor(session, uuid4, world.now)
            row = {"code": code, "name": f"Shelter {number}"}
            return store(author, FOCAL_POINTS, [row]).changed

    with ThreadPoolExecutor(4) as pool:
        set_by_office = pool.map(set_capacity, range(12))
        renamed = pool.map(rename, range(12))
    assert set(set_by_office) <= {200, 503}
    assert set(renamed) == {1}
    with world.database.begin_read() as session:
        assert find_altered(session) == {}
