"""Advice on how to use a list of offices (LIFECYCLES.md, section 8, rules 3 to 6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.directory.kinds import Service, StateRouting


class Advice(StrEnum):
    """A kind of advice about a list of offices, based on the summary and the country."""

    CHILD_PROTECTION_IN_PARALLEL = "child_protection_in_parallel"
    ASK_ABOUT_FIRST_CONTACT = "ask_about_first_contact"
    ASK_ABOUT_CRIMINAL_CASE = "ask_about_criminal_case"
    STATE_ROUTE_AVOIDED = "state_route_avoided"
    OUTSIDE_OF_THE_DIRECTORY = "outside_of_the_directory"


ADVICE_TEXTS: dict[Advice, str] = {
    Advice.CHILD_PROTECTION_IN_PARALLEL: (
        "The person is, or may be, a child. Refer them to the child protection of the "
        "country at the same time. The lead does not have to wait for it."
    ),
    Advice.ASK_ABOUT_FIRST_CONTACT: (
        "State bodies there may first inform the police or prosecutors. Ask the person "
        "first, and offer the offices in `offices` as well."
    ),
    Advice.ASK_ABOUT_CRIMINAL_CASE: (
        "Services there may depend on a criminal case. Ask the person first, and offer "
        "the offices in `offices` as well."
    ),
    Advice.STATE_ROUTE_AVOIDED: "Routing sends no case to a State body there.",
    Advice.OUTSIDE_OF_THE_DIRECTORY: (
        "The country is not in the directory. Only offices that work everywhere are asked."
    ),
}


@dataclass(frozen=True)
class AdviceItem:
    """A piece of advice, with the service that it concerns, if any.

    `beside` contains the codes of the offices to offer as well.
    """

    advice: Advice
    service: Service | None = None
    beside: tuple[str, ...] = ()


class CountryRouting(Protocol):
    """The attributes of a country that advice depends on."""

    @property
    def state_routing(self) -> StateRouting:
        """The setting for automatic routing of cases to State bodies of the country."""

    @property
    def first_contact(self) -> str | None:
        """The body that State bodies must inform first, or None if there is none."""

    @property
    def needs_criminal_case(self) -> str | None:
        """`ask` if services of the country may require a criminal case, otherwise None."""


def build_advice(
    country: CountryRouting | None, *, child: bool, beside: tuple[str, ...]
) -> Iterator[AdviceItem]:
    """Yield the advice on a list of offices.

    `country` is None if the country is not in the directory. `beside` contains the codes of
    the non-State offices on the list.
    """
    if child:
        yield AdviceItem(Advice.CHILD_PROTECTION_IN_PARALLEL, Service.CHILD_PROTECTION)
    if country is None:
        yield AdviceItem(Advice.OUTSIDE_OF_THE_DIRECTORY, beside=beside)
        return
    if country.first_contact:
        yield AdviceItem(Advice.ASK_ABOUT_FIRST_CONTACT, beside=beside)
    if country.needs_criminal_case:
        yield AdviceItem(Advice.ASK_ABOUT_CRIMINAL_CASE, beside=beside)
    if country.state_routing == StateRouting.AVOID:
        yield AdviceItem(Advice.STATE_ROUTE_AVOIDED, beside=beside)
