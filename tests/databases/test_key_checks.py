"""Checks before the start find out whether the key file fits the database."""

from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import select, update

from app.access.row_protection import create_macs
from app.cases.models import CaseKey
from app.cli.readiness import check_key_versions, require_key_file, require_protected
from app.cli.renewed_macs import TABLES, MacTable, list_batches, renew_batch
from app.cli.startup import NotReady
from app.cli.wrapped_keys import count_opened
from app.directory.models import FocalPoint
from app.kernel.actors import SERVICE
from app.kernel.file_keys import FileKeys
from app.kernel.stored_keys import KeyMark
from tests.support.key_rotation import FIRST, REPLACED, RETIRED, SECOND, rotate, set_keys
from tests.support.time_limits import build_time_limit
from tests.support.webhook_receivers import create_webhook
from tests.support.world import Someone, World

OLDER: Final = [FIRST, replace(SECOND, mark=KeyMark.STANDBY)]
"""The keys of a copy that was made before the second key was activated."""


def get_table_name(table: MacTable) -> str:
    """Return the name of a table, as the id of a test."""
    return str(table.model.__tablename__)


def check(world: World) -> list[str]:
    """Return the warnings of the check of the MACs, or raise NotReady."""
    return check_key_versions(world.runtime)


def test_complete_rewrap_does_not_need_the_retired_key(
    world: World, officer: Someone
) -> None:
    officer.submit()
    set_keys(world, *REPLACED)
    rotate(world)

    set_keys(world, *RETIRED)

    assert check(world) == []
    require_key_file(world.runtime, [])


def test_older_file_in_which_the_key_is_a_standby_key_is_noticed(
    world: World, officer: Someone
) -> None:
    officer.submit()
    set_keys(world, *REPLACED)
    rotate(world)

    set_keys(world, *OLDER)

    [warning] = check(world)
    assert "rows of the standby key" in warning


@pytest.mark.parametrize("checked", TABLES, ids=get_table_name)
def test_macs_of_the_retired_key_in_one_table_are_noticed(
    world: World, officer: Someone, checked: MacTable
) -> None:
    officer.submit()
    create_webhook(world, "KZ_LEAD")
    with world.database.begin_write() as session:
        session.add(build_time_limit())
    set_keys(world, *REPLACED)
    batches = list_batches(world.runtime)
    for table, rows in batches:
        if table is not checked:
            renew_batch(world.runtime, table, rows)

    set_keys(world, *RETIRED)

    assert checked in [table for table, _ in batches]
    with pytest.raises(NotReady, match="needs the retired key k1"):
        check(world)


def test_one_changed_secret_keeps_no_service_from_starting(
    world: World, officer: Someone
) -> None:
    for _ in range(2):
        officer.submit()
    damage_keys(world, 1)

    require_key_file(world.runtime, [])
    assert count_opened(world.runtime, "k1") >= 1

    damage_keys(world, 2)
    with pytest.raises(NotReady, match="or somebody changed this data"):
        require_key_file(world.runtime, [])
    require_key_file(world.runtime, ["k1"])
    assert count_opened(world.runtime, "k1") == 0


def damage_keys(world: World, count: int) -> None:
    """Change the wrapped data keys of this many cases."""
    with world.database.begin_write(SERVICE) as session:
        ids = session.scalars(select(CaseKey.case_id).limit(count)).all()
        changed = update(CaseKey).where(CaseKey.case_id.in_(ids))
        session.execute(changed.values(wrapped=b"changed"))


def test_one_office_with_a_mac_does_not_hide_those_without(world: World) -> None:
    keys = FileKeys([FIRST])
    world.database.macs = create_macs(keys, lambda: world.now, lambda: True)
    with world.database.begin_write() as session:
        others = FocalPoint.__table__.c.code != "KZ_LEAD"
        session.connection().execute(
            update(FocalPoint.__table__).where(others).values(mac=None)
        )
    with world.database.begin_read() as session:
        found = require_protected(session, world.runtime)
    assert any("Run: safe-conduct directory protect" in one for one in found)
