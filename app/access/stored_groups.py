"""Functions that store the MAC of the owner of a group (ADR 80)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from app.access.protected_tables import OWNERS, Owner
from app.kernel.macs import MACS, Entry, Group

type GroupKey = tuple[type[Owner], UUID]
"""The model and the id of the owner of a group."""


def store_mac(session: Session, key: GroupKey, mac: bytes) -> None:
    """Store the MAC of an existing owner in its row and in its loaded object, if any."""
    model, owner_id = key
    table = OWNERS[model].table
    changed = update(table).where(table.c.id == owner_id).values(mac=mac)
    session.connection().execute(changed)
    loaded = session.identity_map.get(identity_key(model, owner_id))
    if loaded is not None:
        set_committed_value(loaded, "mac", mac)


def store_entries(
    session: Session,
    key: GroupKey,
    row: Mapping[str, Any],
    group: Group,
    kept: Mapping[bytes, Entry],
) -> None:
    """Store the group of a locked owner with the entries in `kept`."""
    table, new = OWNERS[key[0]], Group(kept, group.revision + 1)
    mac = session.info[MACS].format_group(table.name, table.get_values(row), new)
    store_mac(session, key, mac)
