"""The feeds of offices are always locked in the same order, which prevents deadlocks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.directory.models import FocalPoint
from tests.support.databases import listen_to
from tests.support.world import Someone, World, list_types

pytestmark = pytest.mark.usefixtures("invented_events")


@dataclass(frozen=True)
class About:
    """A record that an event is about."""

    id: UUID = field(default_factory=uuid4)
    reference: str = "cases/1"

    @property
    def case_id(self) -> UUID:
        return self.id


def test_whoever_may_know_their_mailboxes_are_locked_in_the_same_order(
    world: World,
) -> None:
    locked: list[UUID] = []

    def listen(_: Any, __: Any, ___: Any, params: Mapping[str, Any], ____: Any) -> None:
        if "reader" in params:
            locked.append(params["reader"])

    with (
        listen_to(world.database, "before_execute", listen),
        world.write_as_service() as tx,
    ):
        everyone = frozenset(tx.session.scalars(select(FocalPoint.id)))
        tx.record("case.noted", About(), everyone)

    assert len(everyone) > 10
    assert locked == sorted(everyone)


def test_what_happened_in_one_act_is_read_in_the_order_in_which_it_happened(
    world: World, lead: Someone
) -> None:
    with world.write_as_service() as tx:
        for event in ("case.first", "case.second", "case.third"):
            tx.record(event, About(), frozenset({lead.id}))

    assert list_types(lead.poll()) == ["case.first", "case.second", "case.third"]
