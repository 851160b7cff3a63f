"""The case file: the data about a person that rules use, loaded for many cases at once."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from app.cases import queries as case_queries
from app.cases import rule_documents
from app.cases.facts import URGENT_CHILD_SERVICES, FactSheet, build_fact_sheet
from app.cases.lifecycle import LED, UNLED, State
from app.cases.models import Case
from app.cases.records import RiskAssessment
from app.cases.risk import is_current
from app.cases.sections import OriginContact, Safeguards, Section
from app.consents import queries as consent_queries
from app.consents.coverage import (
    Addressee,
    CoverageQuestion,
    Purpose,
    covers,
    find_covered,
    is_valid,
    matches_recipient,
)
from app.consents.models import Consent
from app.directory import queries as directory_queries
from app.directory.kinds import (
    Described,
    OfficeKind,
    Service,
    is_blocked,
    is_of_origin,
    may_be_abroad,
    may_be_of_origin,
)
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.protected_rows import ProtectedRow
from app.kernel.transactions import ReadTransaction


@dataclass(frozen=True)
class Standing:
    """The consents, safeguards, risk and facts of one person, which only rules may use."""

    case: Case
    consents: list[Consent]
    safeguards: Safeguards
    risk: RiskAssessment | None
    facts: FactSheet
    in_vital_interest: bool
    now: datetime
    from_ngo: bool

    def get_covered_sections(
        self, recipient: Addressee, purpose: Purpose
    ) -> frozenset[Section] | None:
        """Return the sections that a recipient may read, or None if no consent applies."""
        return find_covered(self.consents, self.build_question(recipient, purpose))

    def build_question(self, recipient: Addressee, purpose: Purpose) -> CoverageQuestion:
        """Build the coverage question for a recipient and a purpose."""
        return CoverageQuestion(
            recipient=recipient,
            purpose=purpose,
            now=self.now,
            child=self.case.is_child,
            from_ngo=self.from_ngo,
        )

    def covers(
        self, recipient: Addressee, purpose: Purpose, sections: AbstractSet[Section]
    ) -> bool:
        """Return whether a recipient may read all these sections for this purpose."""
        return covers(self.consents, self.build_question(recipient, purpose), sections)

    def as_if_running(self, words: Sequence[Consent]) -> Self:
        """Return the case file as it would be if these consents had not expired."""
        consents = [c for c in self.consents if c in words or self.now < c.expires_at]
        ends = [word.expires_at - timedelta.resolution for word in words]
        return replace(self, consents=consents, now=min([self.now, *ends]))

    def may_be_named(self, reader: Addressee) -> bool:
        """Return whether names that an NGO recorded may be shown to a reader (R84).

        For a State body, a valid consent must name that body and the section `identity`.
        """
        word = any(
            consent.focal_point_id == reader.id
            and Section.IDENTITY in consent.sections
            and is_valid(consent, self.now, child=self.case.is_child)
            for consent in self.consents
        )
        return word or reader.kind != OfficeKind.STATE

    def list_referral_consents(self) -> list[Consent]:
        """Return the valid consents to send the case to a lead in the person's country."""
        return [
            consent
            for consent in self.consents
            if Purpose.REFER in consent.purposes
            and consent.country in {None, self.case.country}
            and is_valid(consent, self.now, child=self.case.is_child)
        ]

    def may_be_referred(self) -> bool:
        """Return whether there is a valid consent to send the case to a lead."""
        return bool(self.list_referral_consents())

    def may_read_summary(self, candidate: Addressee) -> bool:
        """Return whether a candidate may read the summary, with or without a consent."""
        consented = self.get_covered_sections(candidate, Purpose.REFER) is not None
        return consented or self.facts.interests_are_assessed or self.in_vital_interest

    def may_refer_child(self, service: Service, sections: AbstractSet[Section]) -> bool:
        """Return whether a child may be referred without a consent (BR09, BR14).

        A referral to an urgent service is a legal duty. For another service, the child's
        best interests must be assessed. The referral must contain no section.
        """
        permitted = service in URGENT_CHILD_SERVICES or self.facts.interests_are_assessed
        return self.case.is_child and permitted and not sections

    def has_consent_to_return(self, recipient: Addressee) -> bool:
        """Return whether a valid consent, given only for the return, names a recipient."""
        return any(
            set(consent.purposes) == {Purpose.RETURN}
            and matches_recipient(consent, recipient)
            and is_valid(consent, self.now, child=self.case.is_child)
            for consent in self.consents
        )

    def is_origin_contact_permitted(self) -> bool:
        """Return whether contact with the State of origin is permitted (G08)."""
        guards = self.safeguards
        permitted = guards.origin_contact == OriginContact.PERMITTED
        return permitted and not guards.is_origin_blocked()

    def has_reflection_period(self) -> bool:
        """Return whether the reflection period has a status in the person's country."""
        country = self.case.country or ""
        return self.facts.get_reflection_period(country, self.now.date()) is not None

    def has_current_risk(self) -> bool:
        """Return whether there is a risk assessment that is still valid."""
        return is_current(self.risk, self.now)

    def is_of_origin(self, focal_point: Addressee) -> bool:
        """Return whether an office is a body of the State of origin.

        If the origin is unknown, every State body outside the person's country is treated
        as a body of the State of origin.
        """
        origin = self.safeguards.country_of_origin
        location = self.case.get_known_country(focal_point.id)
        return is_of_origin(focal_point, origin, location or "")

    def may_belong_to_origin_state(self, reader: Described) -> bool:
        """Return whether an office may belong to the State of origin (R12)."""
        return may_be_of_origin(reader, self.safeguards.country_of_origin)

    def may_see_helper(self, reader: Described, helper: Described) -> bool:
        """Return whether a reader may learn that an office helps the person (R12).

        An office that may belong to the State of origin must not learn where the person is.
        So offices outside this State are hidden from such a reader, even from a lead.
        """
        is_abroad = may_be_abroad(reader, helper)
        return not (self.may_belong_to_origin_state(reader) and is_abroad)

    def is_safe(self, focal_point: Addressee, code: str) -> bool:
        """Return whether an office is safe, and so may learn of the person (BR10, BR11).

        An office whose row was altered outside the service is not safe.
        """
        if isinstance(focal_point, ProtectedRow) and focal_point.is_altered:
            return False
        guards = self.safeguards
        origin, forbidden = guards.country_of_origin, guards.is_origin_blocked()
        blocked = is_blocked(focal_point, origin_blocked=forbidden, origin=origin)
        return code not in guards.unsafe_focal_points and not blocked

    def may_know_fears(self, reader: FocalPoint) -> bool:
        """Return whether a reader may see the person's fears in the safeguards."""
        mine, state = self.case.list_relations(reader.id), self.case.state
        if Relation.SUBMITTER in mine and state in UNLED:
            return True
        led = Relation.LEAD in mine and state in LED
        reviews = Relation.CANDIDATE in mine and state == State.UNDER_REVIEW
        return (led or reviews) and self.is_safe(reader, reader.code)

    def is_permitted_for_origin(self, focal_point: Addressee) -> bool:
        """Return whether the rule on the State of origin permits contact with an office."""
        permitted = self.safeguards.origin_contact == OriginContact.PERMITTED
        return permitted or not self.is_of_origin(focal_point)


def load_for_cases(tx: ReadTransaction, found: Iterable[Case]) -> Mapping[UUID, Standing]:
    """Load the case files of several cases with at most six SQL statements."""
    by_id = {case.id: case for case in found}
    consents = consent_queries.list_for_cases(tx, by_id)
    safeguards = rule_documents.load_safeguards(tx, by_id)
    risks = case_queries.load_latest_risks(tx, by_id)
    facts = case_queries.load_facts(tx, by_id)
    vital = case_queries.find_in_vital_interest(tx, by_id)
    named = {key for key, given in consents.items() if any(map(is_for_state_class, given))}
    ngos = find_ngo_cases(tx, [by_id[key] for key in named]) if named else frozenset()
    return {
        key: Standing(
            case=case,
            consents=consents.get(key, []),
            safeguards=safeguards.get(key, Safeguards()),
            risk=risks.get(key),
            facts=build_fact_sheet(facts.get(key, []), child=case.is_child),
            in_vital_interest=key in vital,
            now=tx.now,
            from_ngo=key in ngos,
        )
        for key, case in by_id.items()
    }


WRITING_RELATIONS: Final = frozenset({Relation.SUBMITTER, Relation.LEAD})
"""Relations of offices that may have written in a case, even if the relations ended."""


def is_for_state_class(consent: Consent) -> bool:
    """Return whether a consent names a class of State bodies and the section `identity`."""
    return consent.kind == OfficeKind.STATE and Section.IDENTITY in consent.sections


def find_ngo_cases(tx: ReadTransaction, found: Iterable[Case]) -> frozenset[UUID]:
    """Return the ids of the cases to which an NGO may have added content (R84)."""
    wrote = [
        (c.id, p.focal_point_id)
        for c in found
        for p in c.parties
        if p.relation in WRITING_RELATIONS
    ]
    offices = directory_queries.by_ids(tx, {one for _, one in wrote})
    return frozenset(
        case for case, one in wrote if offices[one].kind == OfficeKind.NON_STATE
    )


def filter_for_caller(tx: ReadTransaction, stands: Standing) -> Standing:
    """Return the case file with only the consents that the caller may see (ADR 35)."""
    own_office = directory_queries.by_id(tx, tx.actor.focal_point_id)
    return filter_for_office(tx, stands, own_office)


def filter_for_office(
    tx: ReadTransaction, stands: Standing, reader: FocalPoint
) -> Standing:
    """Return the case file with only the consents that an office may see (ADR 35).

    An office that may belong to the State of origin could try referrals to find out which
    offices help elsewhere. Therefore, a consent that names a hidden office does not count,
    unless the reader recorded it. Offices that hold or held the case are not hidden.
    """
    if not stands.may_belong_to_origin_state(reader):
        return stands
    named = {c.focal_point_id for c in stands.consents if c.focal_point_id}
    offices, parties = directory_queries.by_ids(tx, named), stands.case.held_by
    known = {n for n in named if n in parties or stands.may_see_helper(reader, offices[n])}
    shown, own = {None, *known}, reader.id
    kept = [c for c in stands.consents if c.focal_point_id in shown or c.recorded_by == own]
    return replace(stands, consents=kept)


def load_for_case(tx: ReadTransaction, case: Case) -> Standing:
    """Load the case file of one case."""
    return load_for_cases(tx, [case])[case.id]
