"""What to ask the person before a list is followed (LIFECYCLES.md, 8, rules 3 to 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.directory.kinds import Service, StateRouting


class Advice(StrEnum):
    """What to know before acting on a list; it follows from the notice and the country."""

    CHILD_PROTECTION_IN_PARALLEL = "child_protection_in_parallel"
    ASK_ABOUT_FIRST_CONTACT = "ask_about_first_contact"
    ASK_ABOUT_CRIMINAL_CASE = "ask_about_criminal_case"
    STATE_ROUTE_AVOIDED = "state_route_avoided"
    OUTSIDE_OF_THE_DIRECTORY = "outside_of_the_directory"


SAYS: dict[Advice, str] = {
    Advice.CHILD_PROTECTION_IN_PARALLEL: (
        "The person is, or may be, a child: refer them to the child protection of the "
        "country at the same time. The lead waits for nobody."
    ),
    Advice.ASK_ABOUT_FIRST_CONTACT: (
        "State bodies there may bring in police or prosecutors first of all: ask the "
        "person before, and offer the way beside it."
    ),
    Advice.ASK_ABOUT_CRIMINAL_CASE: (
        "Services there may hang on a criminal case: ask the person before, and offer the "
        "way beside it."
    ),
    Advice.STATE_ROUTE_AVOIDED: "No case goes to a State body there by itself.",
    Advice.OUTSIDE_OF_THE_DIRECTORY: (
        "The directory holds no such country: only who works everywhere is asked."
    ),
}


@dataclass(frozen=True)
class Advised:
    """One advice: what to do, which service it speaks of, and whom to offer beside it."""

    advice: Advice
    service: Service | None = None
    beside: tuple[str, ...] = ()


class Setting(Protocol):
    """How the State route of a country is to be used."""

    @property
    def state_routing(self) -> StateRouting:
        """Whether it is used by itself."""

    @property
    def first_contact(self) -> str | None:
        """Who must hear first."""

    @property
    def needs_criminal_case(self) -> str | None:
        """Whether services hang on one."""


def advise(
    country: Setting | None, *, child: bool, beside: tuple[str, ...]
) -> Iterator[Advised]:
    """List what to know; `beside` are those of no State who may lead."""
    if child:
        yield Advised(Advice.CHILD_PROTECTION_IN_PARALLEL, Service.CHILD_PROTECTION)
    if country is None:
        yield Advised(Advice.OUTSIDE_OF_THE_DIRECTORY, beside=beside)
        return
    if country.first_contact:
        yield Advised(Advice.ASK_ABOUT_FIRST_CONTACT, beside=beside)
    if country.needs_criminal_case:
        yield Advised(Advice.ASK_ABOUT_CRIMINAL_CASE, beside=beside)
    if country.state_routing == StateRouting.AVOID:
        yield Advised(Advice.STATE_ROUTE_AVOIDED, beside=beside)
