"""The separately sealed parts of a case, and their content (LIFECYCLES.md, section 5)."""

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

from app.directory.kinds import DisclosureLevel, Service
from app.kernel.text import Code, CountryCode, Day, Phone, RequestModel, SafeLine, SafeText


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
"""The sections that protect the person and may be written when the disk is nearly full."""

SECTIONS_AFTER_SIGN_IN: Final = frozenset(
    {Section.IDENTITY, Section.NARRATIVE, Section.PERPETRATORS, Section.HEALTH}
)
"""The sections that a person can open only shortly after signing in (RFC 9470)."""


class Paper(StrEnum):
    """A kind of sealed document other than a section; `disclosure.policy` has its rules."""

    SAFEGUARDS = "safeguards"
    SAFEGUARDS_PAST = "safeguards_past"
    SAFETY_ALERT = "safety_notice"  # as stored, see `rename_subject`
    CONTACTS = "contacts"
    ARRANGEMENT = "arrangement"
    TRAVEL_PLAN = "travel_plan"
    NOTE = "note"
    SCREENING = "screening"
    MESSAGE = "message"
    ROUTING = "routing"


class EmergencyAccessPurpose(StrEnum):
    """The purpose for which a sealed document is opened; the access log stores it."""

    ASSESSMENT = "assessment"
    REFERRAL = "referral"
    ASSISTANCE = "assistance"
    PROTECTION = "protection"
    CORRECTION = "correction"


type Sealable = Section | Paper


def get_kind(name: str) -> Sealable:
    """Return the section or document kind with this name."""
    return Section(name) if name in set(Section) else Paper(name)


LEVELS: Final[dict[Section, DisclosureLevel]] = {
    Section.NEEDS: DisclosureLevel.NEEDS,
    Section.CONTACT: DisclosureLevel.CONTACT,
    Section.IDENTITY: DisclosureLevel.IDENTITY,
    Section.NARRATIVE: DisclosureLevel.EVERYTHING,
    Section.INDICATORS: DisclosureLevel.EVERYTHING,
    Section.PERPETRATORS: DisclosureLevel.EVERYTHING,
    Section.HEALTH: DisclosureLevel.EVERYTHING,
}


def get_level(sections: Iterable[Section]) -> DisclosureLevel:
    """Return the highest disclosure level of the sections, or `SUMMARY` for no section."""
    return max((LEVELS[section] for section in sections), default=DisclosureLevel.SUMMARY)


class Grows(BaseModel):
    """A model that refuses unknown fields in requests; responses may gain fields later."""

    model_config = ConfigDict(
        extra="forbid", json_schema_serialization_defaults_required=True
    )

    @override
    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow unknown fields in the schema for responses."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        if handler.mode == "serialization":
            handler.resolve_ref_schema(schema).pop("additionalProperties", None)
        return schema


class Content(Grows):
    """The content of a section."""


class PersonGender(StrEnum):
    """The gender of a person, as a code of the HTCDS (`prs_Gender`)."""

    FEMININE = "Feminine"
    MASCULINE = "Masculine"
    TRANSGENDER_FEMININE = "TransgenderFeminine"
    TRANSGENDER_MASCULINE = "TransgenderMasculine"
    NON_CONFORMING = "NonConforming"
    NOT_SPECIFIED = "NonSpecifiedUnknown"


class ExploitationForm(StrEnum):
    """A form of exploitation, as a code of the HTCDS (`vic_TypeOfExploitation`)."""

    FORCED_LABOUR = "ForcedLabour"
    SEXUAL_EXPLOITATION = "SexualExploitation"
    CHILD_LABOUR = "ChildLabour"
    FORCED_MARRIAGE = "ForcedMarriage"
    SERVITUDE = "Servitude"
    FORCED_MILITARY = "ForcedMilitaryByNonStateActors"
    ORGAN_REMOVAL = "OrganRemoval"
    FORCED_BEGGING = "ForcedBegging"
    FORCED_ADOPTION = "ForcedAdoption"
    SURROGACY = "Surrogacy"
    OTHER = "Other"


class Needs(Content):
    """De-identified needs, access needs and the safety alert (disclosure level L1)."""

    section: Literal[Section.NEEDS]
    summary: Annotated[SafeText, Field(description="What the person needs, without names.")]
    gender: Annotated[
        PersonGender | None,
        Field(description="The gender, which an office may need to know to give help."),
    ] = None
    access_needs: SafeText | None = None
    safety_alert: Annotated[
        SafeText | None, Field(description="What people who meet the person must know.")
    ] = None


class Contact(Content):
    """The section with safe ways to contact the person (disclosure level L2)."""

    section: Literal[Section.CONTACT]
    alias: Annotated[SafeLine, Field(description="First name or alias.")]
    safe_channel: Annotated[
        SafeLine, Field(description="The channel to use, and channels never to use.")
    ]
    safe_times: SafeLine | None = None


class Identity(Content):
    """The identity of the person (disclosure level L3)."""

    section: Literal[Section.IDENTITY]
    names: Annotated[list[SafeLine], Field(min_length=1, max_length=10)]
    birth_date: Day | None = None
    nationality: CountryCode | None = None
    documents: Annotated[list[SafeLine], Field(max_length=20)] = []


class Narrative(Content):
    """The account of what happened, in the person's words (disclosure level L4)."""

    section: Literal[Section.NARRATIVE]
    text: SafeText


class Indicators(Content):
    """The indicators that were seen: a presumption, not a finding (disclosure level L4)."""

    section: Literal[Section.INDICATORS]
    codes: Annotated[list[Code], Field(max_length=100)] = []
    exploitation: Annotated[
        list[ExploitationForm],
        Field(
            max_length=len(ExploitationForm),
            description="The forms of exploitation, as far as they are presumed.",
        ),
    ] = []
    remarks: SafeText | None = None


class Perpetrators(Content):
    """The perpetrators, as far as the person named them (disclosure level L4)."""

    section: Literal[Section.PERPETRATORS]
    text: SafeText


class Health(Content):
    """The health information that medical staff need (disclosure level L4)."""

    section: Literal[Section.HEALTH]
    text: SafeText


type SectionContent = Annotated[
    Needs | Contact | Identity | Narrative | Indicators | Perpetrators | Health,
    Field(discriminator="section"),
]
CONTENT: Final[TypeAdapter[SectionContent]] = TypeAdapter(SectionContent)


class OriginContact(StrEnum):
    """Whether the State of origin may be contacted (BR10, BR11)."""

    UNDECIDED = "undecided"
    PERMITTED = "permitted"
    BLOCKED = "blocked"


class RoutingSafeguards(RequestModel):
    """The safeguards: facts that determine which offices must not know of the person."""

    country_of_origin: CountryCode | None = None
    unsafe_focal_points: Annotated[
        list[Code],
        Field(max_length=50, description="Codes of focal points that must not know."),
    ] = []
    official_implicated: StrictBool = False
    fear_of_state: StrictBool = False
    seeks_asylum: StrictBool = False
    origin_contact: OriginContact = OriginContact.UNDECIDED

    def is_origin_blocked(self) -> bool:
        """Return whether the State of origin must not be contacted (routing rule 4)."""
        afraid = self.fear_of_state or self.seeks_asylum or self.official_implicated
        return afraid or self.origin_contact == OriginContact.BLOCKED


class Safeguards(RoutingSafeguards, Grows):
    """The facts that restrict disclosure, such as the offices that the person fears."""

    unsafe_people: SafeText | None = None


class DutyContact(Content):
    """A contact person at an office."""

    name: SafeLine
    phone: Phone


MIN_CONTACTS: Final = 2
"""The minimum number of different people that an office must name as contacts (BR22)."""
DutyContacts = Annotated[
    list[DutyContact],
    Field(
        min_length=MIN_CONTACTS,
        max_length=5,
        description="At least two different people; sealed.",
    ),
]


CONTACTS_REMEDY: Final = (
    "Name two different people who can be reached, in `contacts`. An acceptance needs no "
    "`contacts` once your office has default contacts: PUT "
    "/v1/focal-points/{code}/default-contacts."
)
"""The remedy if an acceptance names fewer than two different people as contacts."""
DEFAULT_CONTACTS: Final = (
    "At least two different people; sealed. Null: the default contacts of your office."
)


def collect_names(contacts: Iterable["DutyContact"]) -> frozenset[str]:
    """Return the different names of the contacts."""
    return frozenset(contact.name for contact in contacts)


class NamedContacts(Content):
    """The contacts of an office (BR22)."""

    contacts: DutyContacts


SERVICES_FOR_SAFETY: Final = frozenset(
    {Service.SHELTER, Service.MEDICAL, Service.CHILD_PROTECTION}
)
"""Services that may be requested while a case is suspended, to keep the person safe."""
