"""An office that an account deactivated stays inactive without its history (ADR 88)."""

from importlib.resources import files
from typing import Final
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from app.administration.directory_load import Loaded, load
from app.directory.actions import CONTACTS, FOCAL_POINTS, Register, load_rows, store
from app.directory.history import ChangeAuthor, DirectoryChange
from app.directory.models import Contact, FocalPoint
from app.kernel.macs import NotAuthentic
from app.kernel.transactions import WriteTransaction
from tests.support.database_attacks import Attacker
from tests.support.directory_changes import update_directory
from tests.support.world import World

DEMONSTRATION: Final = files("app.demo").joinpath("data")
CLOSED: Final = ["focal-points/KZ_LEGAL_AID", "contacts/KZ_LEGAL_AID_MAIL"]


def get_author(tx: WriteTransaction, *, account: bool) -> ChangeAuthor:
    """Return the author of changes: an account if `account`, otherwise the operator."""
    return ChangeAuthor(tx.session, uuid4, tx.now, account_id=uuid4() if account else None)


def find_row(author: ChangeAuthor, register: Register, key: str) -> dict[str, object]:
    [row] = [one for one in load_rows(author, register) if register.get_key(one) == key]
    return dict(row)


def set_active(world: World, subject: str, *, active: bool, account: bool = True) -> None:
    """Activate or deactivate an office or a contact."""
    path, key = subject.split("/")
    register = FOCAL_POINTS if path == FOCAL_POINTS.path else CONTACTS
    with world.write_as_service() as tx:
        author = get_author(tx, account=account)
        store(author, register, [find_row(author, register, key) | {"active": active}])


def load_demonstration(world: World, *, reopen: bool = False) -> Loaded:
    with world.write_as_service() as tx:
        return load(get_author(tx, account=False), DEMONSTRATION, reopen=reopen)


def delete_history(world: World) -> None:
    with Attacker(world).connect() as connection:
        connection.execute(delete(DirectoryChange))


@pytest.fixture
def closed(world: World) -> World:
    """Return a world in which accounts have deactivated an office and a contact."""
    for subject in CLOSED:
        set_active(world, subject, active=False)
    return world


def test_deactivated_office_stays_inactive_without_its_history(closed: World) -> None:
    delete_history(closed)

    loaded = load_demonstration(closed)

    assert [*loaded.activations.left_inactive] == CLOSED
    assert loaded.activations.activated == ()


def forget(closed: World, table: type[FocalPoint | Contact]) -> None:
    """Set `deactivated_by_account` to NULL in a table, as after an upgrade."""
    with closed.database.begin_write() as session:
        update_directory(session, update(table), deactivated_by_account=None)


def test_what_an_earlier_version_deactivated_is_recorded_by_a_load(closed: World) -> None:
    for table in (FocalPoint, Contact):
        forget(closed, table)

    first = load_demonstration(closed)
    delete_history(closed)
    second = load_demonstration(closed)

    assert [*first.activations.left_inactive] == CLOSED
    assert second == first


def test_forged_column_does_not_activate_an_office(closed: World) -> None:
    Attacker(closed).update(
        FocalPoint, find_office(closed, "KZ_LEGAL_AID").id, deactivated_by_account=False
    )
    delete_history(closed)

    with pytest.raises(NotAuthentic):
        load_demonstration(closed)

    assert not find_office(closed, "KZ_LEGAL_AID").active


def find_office(world: World, code: str) -> FocalPoint:
    with world.database.begin_read() as session:
        found = session.scalars(select(FocalPoint).where(FocalPoint.code == code)).one()
        session.expunge_all()
        return found


def test_changed_office_does_not_prevent_that_others_are_recorded(closed: World) -> None:
    forget(closed, Contact)
    Attacker(closed).update(
        FocalPoint, find_office(closed, "KZ_LEGAL_AID").id, deactivated_by_account=None
    )

    load_demonstration(closed)

    with closed.database.begin_read() as session:
        contact = session.get_one(Contact, "KZ_LEGAL_AID_MAIL")
        assert contact.deactivated_by_account
    assert find_office(closed, "KZ_LEGAL_AID").is_altered


@pytest.mark.parametrize("subject", CLOSED)
def test_activation_by_an_account_lasts(closed: World, subject: str) -> None:
    set_active(closed, subject, active=True)
    assert subject not in load_demonstration(closed).activations.left_inactive

    set_active(closed, subject, active=False, account=False)
    delete_history(closed)

    assert subject in load_demonstration(closed).activations.activated


def test_load_with_reopen_activates_all(closed: World) -> None:
    assert [*load_demonstration(closed, reopen=True).activations.activated] == CLOSED
