"""What personal data a case holds, and the shape of each part.

Levels and names are of LIFECYCLES.md, section 5. Each part is sealed on its own, so that a
consent can name it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, Literal, override

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    TypeAdapter,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.directory.kinds import Level, Service
from app.kernel.text import Asked, Code, CountryCode, Day, Phone, SafeLine, SafeText


class Section(StrEnum):
    """A part of the case that a consent can name."""

    NEEDS = "needs"
    CONTACT = "contact"
    IDENTITY = "identity"
    NARRATIVE = "narrative"
    INDICATORS = "indicators"
    PERPETRATORS = "perpetrators"
    HEALTH = "health"


SECTIONS_FOR_SAFETY: Final = frozenset({Section.NEEDS, Section.CONTACT, Section.HEALTH})
"""What whoever meets the person must know at once: always written, also to the last MiB."""


class Paper(StrEnum):
    """What else is sealed: readers are named in the table of disclosure."""

    SAFEGUARDS = "safeguards"
    SAFEGUARDS_PAST = "safeguards_past"
    SAFETY_NOTICE = "safety_notice"
    CONTACTS = "contacts"
    ARRANGEMENT = "arrangement"
    TRAVEL_PLAN = "travel_plan"
    NOTE = "note"
    SCREENING = "screening"
    MESSAGE = "message"
    ROUTING = "routing"


class ReadingPurpose(StrEnum):
    """What somebody opens a section for; given on each reading, and kept."""

    ASSESSMENT = "assessment"
    REFERRAL = "referral"
    ASSISTANCE = "assistance"
    PROTECTION = "protection"
    CORRECTION = "correction"


type Sealable = Section | Paper


def kind_of(name: str) -> Sealable:
    """Return the kind of sealed content that a row names."""
    return Section(name) if name in set(Section) else Paper(name)


LEVELS: Final[dict[Section, Level]] = {
    Section.NEEDS: Level.NEEDS,
    Section.CONTACT: Level.CONTACT,
    Section.IDENTITY: Level.IDENTITY,
    Section.NARRATIVE: Level.EVERYTHING,
    Section.INDICATORS: Level.EVERYTHING,
    Section.PERPETRATORS: Level.EVERYTHING,
    Section.HEALTH: Level.EVERYTHING,
}


def level_of(sections: Iterable[Section]) -> Level:
    """Say how much some sections tell; none: the notice alone."""
    return max((LEVELS[section] for section in sections), default=Level.NOTICE)


class Grows(BaseModel):
    """What is written strictly, and read tolerantly: fields may come later."""

    model_config = ConfigDict(
        extra="forbid", json_schema_serialization_defaults_required=True
    )

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell a client that reads this shape to ignore what it does not know."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        if handler.mode == "serialization":
            handler.resolve_ref_schema(schema).pop("additionalProperties", None)
        return schema


class Content(Grows):
    """What is in a section."""


class Needs(Content):
    """De-identified needs, access needs and the safety notice (L1)."""

    section: Literal[Section.NEEDS]
    summary: Annotated[SafeText, Field(description="What the person needs; no name.")]
    access_needs: SafeText | None = None
    safety_notice: Annotated[
        SafeText | None, Field(description="What whoever meets the person must know.")
    ] = None


class Contact(Content):
    """How to reach the person without putting them at risk (L2)."""

    section: Literal[Section.CONTACT]
    alias: Annotated[SafeLine, Field(description="First name or alias.")]
    safe_channel: Annotated[SafeLine, Field(description="What to use, and what never to.")]
    safe_times: SafeLine | None = None


class Identity(Content):
    """Who the person is (L3)."""

    section: Literal[Section.IDENTITY]
    names: Annotated[list[SafeLine], Field(min_length=1, max_length=10)]
    birth_date: Day | None = None
    nationality: CountryCode | None = None
    documents: Annotated[list[SafeLine], Field(max_length=20)] = []


class Narrative(Content):
    """What happened, in the person's words (L4)."""

    section: Literal[Section.NARRATIVE]
    text: SafeText


class Indicators(Content):
    """Signs that were seen: a presumption, never a finding (L4)."""

    section: Literal[Section.INDICATORS]
    codes: Annotated[list[Code], Field(max_length=100)] = []
    remarks: SafeText | None = None


class Perpetrators(Content):
    """Who did it, as far as the person said (L4)."""

    section: Literal[Section.PERPETRATORS]
    text: SafeText


class Health(Content):
    """What a doctor must know (L4)."""

    section: Literal[Section.HEALTH]
    text: SafeText


type SectionContent = Annotated[
    Needs | Contact | Identity | Narrative | Indicators | Perpetrators | Health,
    Field(discriminator="section"),
]
CONTENT: Final[TypeAdapter[SectionContent]] = TypeAdapter(SectionContent)


class OriginContact(StrEnum):
    """Whether the State of origin may be told (BR10, BR11)."""

    UNDECIDED = "undecided"
    PERMITTED = "permitted"
    BLOCKED = "blocked"


class Guards(Asked):
    """Who must not learn of a person, as far as rules can tell: codes and answers."""

    country_of_origin: CountryCode | None = None
    unsafe_focal_points: Annotated[
        list[Code], Field(max_length=50, description="Codes of focal points never to tell.")
    ] = []
    official_implicated: StrictBool = False
    fear_of_state: StrictBool = False
    seeks_asylum: StrictBool = False
    origin_contact: OriginContact = OriginContact.UNDECIDED

    def origin_blocked(self) -> bool:
        """Say whether the State of origin must not be told (routing rule 4)."""
        afraid = self.fear_of_state or self.seeks_asylum or self.official_implicated
        return afraid or self.origin_contact == OriginContact.BLOCKED


class Safeguards(Guards, Grows):
    """Who must not learn of this person, and why: never part of the notice."""

    unsafe_people: SafeText | None = None


class DutyContact(Content):
    """Someone who can be reached at a focal point."""

    name: SafeLine
    phone: Phone


class Contacts(Content):
    """Two people who can be reached (BR22)."""

    contacts: Annotated[list[DutyContact], Field(min_length=1, max_length=5)]


SERVICES_FOR_SAFETY: Final = frozenset(
    {Service.SHELTER, Service.MEDICAL, Service.CHILD_PROTECTION}
)
"""What may still be asked for while a case is suspended: to keep someone safe."""
