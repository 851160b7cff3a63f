"""The case as the outside world spells it: the notice, the risk, and sealed sections."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.cases.models import AgeClass, SafeContact
from app.cases.risk import RiskLevel
from app.cases.sections import Section, SectionContent
from app.deadlines.limits import Priority
from app.directory.kinds import Service
from app.kernel.text import Asked, CountryCode, LanguageTag, SafeText, Shown

COUNTRY = "Where the person is. The lead is found there, not in the country of origin."
SERVICES = "What the person needs, as far as it is known."
URGENT = "What cannot wait for a decision on the lead; empty if nothing."
SAFE_CONTACT = "The person's answer: may they be contacted safely?"

Services = Annotated[list[Service], Field(max_length=17)]


class NoticeFields(Asked):
    """The notice: all that a focal point reads before it accepts; it identifies nobody.

    A draft may leave fields out; submitting needs all but `services`.
    """

    country: Annotated[CountryCode | None, Field(description=COUNTRY)] = None
    age_class: Annotated[
        AgeClass | None, Field(description="In doubt, `presumed_child` (BR14).")
    ] = None
    language: Annotated[
        LanguageTag | None, Field(description="The language the person speaks best.")
    ] = None
    priority: Priority | None = None
    services: Annotated[Services | None, Field(description=SERVICES)] = None
    urgent_needs: Annotated[Services | None, Field(description=URGENT)] = None
    safe_contact: Annotated[SafeContact | None, Field(description=SAFE_CONTACT)] = None


class Notice(Shown):
    """The notice as it stands; null: not said yet."""

    country: str | None
    age_class: AgeClass | None
    language: str | None
    priority: Priority | None
    services: list[Service]
    urgent_needs: list[Service]
    safe_contact: SafeContact | None


class NewRisk(Asked):
    """How great the danger is, as you see it now."""

    level: Annotated[
        RiskLevel, Field(description="Holds for 7 days, `high` for 72 hours; then again.")
    ]
    remarks: Annotated[SafeText | None, Field(description="Sealed; read as a note.")] = None


class Risk(Shown):
    """The risk as it was last assessed."""

    level: RiskLevel
    assessed_at: datetime


class OpenedSection(Shown):
    """A section that was sealed, opened for you; the opening was recorded."""

    section: Section
    author: Annotated[str, Field(description="Code of the focal point that wrote it.")]
    written_at: datetime
    content: SectionContent
