"""The offices of the twins: those that work on a real case, and those that observe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.directory.addresses import Channel
from app.directory.models import Contact, FocalPoint
from app.kernel.actors import Role
from app.kernel.journal import Mailbox
from tests.databases.failpoints.sweeping import Ids
from tests.support.moved_cases import add_agreements
from tests.support.raw_requests import Wire
from tests.support.world import WORKERS, Json, Someone, World
from tests.twins.long_polls import LongPolls

CONSULATE: Final = "UZ_CONSULATE_ALMATY"
LEAD: Final = "UZ_LEAD"
HELPER: Final = "KZ_SHELTER_OBSERVER"
COALITION: Final = (CONSULATE, LEAD, HELPER)
"""The offices that observe: a consulate, the focal point of its State, and a shelter."""
SHELTERS: Final = ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN")
"""The shelters of which one helps the person of a real case."""
LAWYER: Final = "KZ_LEGAL_AID"
HONEST: Final = (
    "IOM",
    "KZ_LEAD",
    "SANA_SEZIM",
    "KG_LEAD",
    "TT_LEAD",
    "ISTIQBOLLI_AVLOD",
    LAWYER,
    *SHELTERS,
)
"""The offices that work on real cases."""
WITHOUT_CONTACT: Final = (
    "KZ_SHELTER_TANSHOLPAN",
    "KZ_LEAD",
    "KG_LEAD",
    "TT_LEAD",
    "SANA_SEZIM",
    "UZ_LEAD",
    HELPER,
)
"""Offices of the demonstration to which the twins give an address for notifications."""
READERS: Final = WORKERS | {Role.SUPERVISOR, Role.PROTECTION_OFFICER}


@dataclass
class Cast:
    """The people of all offices, and the real cases and invented cases that they know."""

    wire: Wire
    ids: Ids
    people: Mapping[str, Someone]
    polls: LongPolls
    real: dict[str, "RealCase"] = field(default_factory=dict)
    invented: dict[str, Json] = field(default_factory=dict)
    priority: str = "normal"
    """The priority of the next real case."""

    @property
    def world(self) -> World:
        return self.wire.world

    def __getitem__(self, office: str) -> Someone:
        return self.people[office]


@dataclass
class RealCase:
    """A real case, with its lead and the records that its offices and observers know."""

    case: Json
    lead: Someone
    referral: Json | None = None
    """The referral to an office of the coalition."""
    helper: Someone | None = None
    """The office of the coalition that the referral is for."""


def build_cast(wire: Wire, ids: Ids) -> Cast:
    """Add the offices of the twins to the directory, and open their accounts."""
    ids.begin("cast")
    world = wire.world
    add_agreements(world)
    add_offices(world)
    people = {one: world.add_person(one, READERS) for one in (*COALITION, *HONEST)}
    return Cast(wire, ids, people, LongPolls(wire))


def add_offices(world: World) -> None:
    """Add a third shelter in Kazakhstan, and addresses for notifications."""
    named = select(FocalPoint).where(FocalPoint.code == SHELTERS[1])
    with world.database.begin_write() as session:
        model = session.scalars(named).one()
        names = FocalPoint.__mapper__.column_attrs.keys()
        row = {name: getattr(model, name) for name in names if name != "mac"}
        office = UUID(int=77, version=4)
        session.add(Mailbox(focal_point_id=office, head=0))
        session.flush()
        row |= {"id": office, "code": HELPER, "name": "Third shelter (fictitious)"}
        session.add(FocalPoint(**row))
        session.flush()
        session.add_all(map(make_contact, WITHOUT_CONTACT))


def make_contact(office: str) -> Contact:
    """Return an e-mail address of an office."""
    return Contact(
        code=f"{office}_TWIN",
        focal_point=office,
        channel=Channel.EMAIL,
        address=f"duty@{office.lower().replace('_', '-')}.example.org",
        language="en",
        label="duty (fictitious)",
        active=True,
    )
