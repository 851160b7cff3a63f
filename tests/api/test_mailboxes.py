"""The events of one transaction are delivered in their order."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

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


def test_what_happened_in_one_act_is_read_in_the_order_in_which_it_happened(
    world: World, lead: Someone
) -> None:
    with world.write_as_service() as tx:
        for event in ("case.first", "case.second", "case.third"):
            tx.record(event, About(), frozenset({lead.id}))

    assert list_types(lead.poll()) == ["case.first", "case.second", "case.third"]
