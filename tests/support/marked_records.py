"""The people and records of a marked world, with many relations and sealed documents."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from app.access.enrolment_models import Enrolment
from app.access.models import Account, Approval
from app.cases.models import Case
from app.cases.records import EmergencyAccess, Question
from app.consents.models import Consent
from app.figures.release_models import FigureRelease
from app.handovers.models import Handover
from app.kernel.actors import SERVICE, Role
from app.referrals.models import Referral
from app.returns.models import Return
from app.screening.models import Screening
from app.webhooks.models import Webhook
from tests.support.administrators import ADMINISTRATOR
from tests.support.marked_worlds import MarkedPerson, MarkedWorld
from tests.support.request_bodies import BODIES
from tests.support.returns import begin_return
from tests.support.sessions import sign_in
from tests.support.world import (
    ALL_SECTIONS,
    SIGNS,
    WORKERS,
    Json,
    get_path,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SECTIONS: Final = (*ALL_SECTIONS, "indicators", "perpetrators")
TEXT: Final = "replaced by a marker"
GUARDS: Final = {"country_of_origin": "UZ", "origin_contact": "permitted"}
OFFICES: Final[dict[str, tuple[str, Iterable[Role]]]] = {
    "officer": ("UZ_CONSULATE_ALMATY", WORKERS),
    "lead": ("KZ_LEAD", WORKERS),
    "supervisor": ("KZ_LEAD", {Role.SUPERVISOR}),
    "former_lead": ("IOM", WORKERS),
    "shelter": ("KZ_SHELTER_KOGERSHIN", WORKERS),
    "other_recipient": ("KZ_SHELTER_TANSHOLPAN", WORKERS),
    "former_recipient": ("KZ_LEGAL_AID", WORKERS),
    "successor": ("UZ_LEAD", WORKERS),
    "oversight": ("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.SUPERVISOR}),
    "desk": ("DESK_CENTRAL_ASIA", WORKERS),
    "administrator": ("DESK_CENTRAL_ASIA", ADMINISTRATOR),
    "analyst": ("OVERSIGHT_DEMO", {Role.ANALYST}),
    "stranger": ("JM_CONSULATE_PORT_OF_SPAIN", WORKERS),
}
"""The people by their relation to the cases, each with an office and roles."""


@dataclass
class MarkedRecords:
    """The people of a marked world, and its case with all kinds of records."""

    people: dict[str, MarkedPerson]
    case: Json
    ids: dict[str, list[str]]
    """The ids of records, by the name of the kind of record (see `load_ids`)."""


def make_sections() -> list[Json]:
    """Return all sections of a case, with a text in every free-text field."""
    texts = [
        {"section": name, "text": TEXT} for name in ("narrative", "health", "perpetrators")
    ]
    named = ("summary", "access_needs", "safety_alert")
    safe = ("alias", "safe_channel", "safe_times")
    born = {"birth_date": "1907-11-29", "nationality": "UZ"}
    return [
        {"section": "needs"} | dict.fromkeys(named, TEXT),
        {"section": "contact"} | dict.fromkeys(safe, TEXT),
        {"section": "identity", "names": [TEXT, TEXT], "documents": [TEXT]} | born,
        {"section": "indicators", "codes": ["EXPLOITATION_01"], "remarks": TEXT},
        *texts,
    ]


def make_full_case(**changes: Any) -> Json:
    """Return the body of a case with a text in every field that accepts one."""
    given = [
        make_consent(sections=SECTIONS),
        *(make_consent(focal_point=one, sections=SECTIONS) for one in ("IOM", "UZ_LEAD")),
        make_service_consent(sections=SECTIONS),
        *(make_handover_consent(one) for one in ("IOM", "KZ_LEAD", "UZ_LEAD")),
    ]
    body = {
        "sections": make_sections(),
        "safeguards": GUARDS | {"unsafe_people": TEXT},
        "consents": [one | {"evidence": TEXT} for one in given],
        "risk": {"level": "low", "remarks": TEXT},
        "screening": SIGNS | {"remarks": TEXT},
    }
    return body | changes


def create_marked_records(world: MarkedWorld) -> MarkedRecords:
    """Create the people, and records in which every sealed document has markers."""
    people = {name: world.add_person(*office) for name, office in OFFICES.items()}
    officer, lead = people["officer"], people["lead"]
    begin_drafts(officer)
    officer.submit(**make_full_case())
    end_case(officer)
    case = lead.take_lead(officer.submit(**make_full_case()))
    hand_back_lead(people, case)
    create_referrals(people, case)
    write_about(people, case)
    begin_return(world, officer, lead, **make_return_changes()).advance("plan")
    sign_in(lead)
    return MarkedRecords(people, case, load_ids(world, case["code"]))


def make_return_changes() -> Json:
    """Return the sections and the risk assessment of a case for a return."""
    return {"sections": make_sections(), "risk": {"level": "low", "remarks": TEXT}}


def begin_drafts(officer: MarkedPerson) -> None:
    """Create a draft of a case, and save drafts of forms with and without a case."""
    vital = {"reason": "RISK_TO_LIFE", "note": TEXT}
    draft = unwrap(officer.create_case(**make_full_case(vital_interest=vital)))
    for about in ({}, {"case": draft["code"]}):
        names = ("key", "needs/summary")
        values = {"values": [{"name": name, "value": TEXT} for name in names]}
        unwrap(officer.ask("PUT", "/form-drafts/refer", values, params=about))


def end_case(officer: MarkedPerson) -> None:
    """Submit and withdraw a case with a note."""
    ended = officer.submit(**make_full_case())
    unwrap(officer.does("withdraw", ended, {"reason": "SENT_IN_ERROR", "note": TEXT}))


def hand_back_lead(people: dict[str, MarkedPerson], case: Json) -> None:
    """Hand the lead over to another office and back."""
    lead, other = people["lead"], people["former_lead"]
    for giver, taker in ((lead, other), (other, lead)):
        offer = unwrap(giver.offer(case, taker.code))
        unwrap(taker.does("accept", offer, make_takeover()))
        lead.world.advance(minutes=1)


def create_referrals(people: dict[str, MarkedPerson], case: Json) -> None:
    """Create a referral that is started, one with an open question, and a declined one."""
    lead, shelter, other = people["lead"], people["shelter"], people["other_recipient"]
    helped = unwrap(lead.refer(case, shelter.code, sections=list(SECTIONS)))
    unwrap(shelter.does("acknowledge", helped))
    unwrap(shelter.does("accept", helped, make_acceptance()))
    unwrap(shelter.does("start", helped, {"person_met": True}))
    unwrap(shelter.does("report", helped, {"feedback": TEXT}))
    asked = unwrap(lead.refer(case, other.code))
    unwrap(other.does("ask", asked, {"topics": ["contact"], "question": TEXT}))
    lawyer = people["former_recipient"]
    declined = unwrap(lead.refer(case, lawyer.code, service="LEGAL_AID"))
    unwrap(lawyer.does("decline", declined, {"reason": "LANGUAGE", "note": TEXT}))


def write_about(people: dict[str, MarkedPerson], case: Json) -> None:
    """Write documents of many kinds, offer the lead, and try to stop the case."""
    lead, officer, path = people["lead"], people["officer"], get_path(case)
    for part in ("contacts", "safeguards"):
        match = {"If-Match": lead.get_tag(case)}
        body = WRITTEN[part]
        unwrap(lead.ask("PUT", f"{path}/{part}", body, headers=match))
    usual = {"contacts": make_contacts()}
    unwrap(lead.ask("PUT", "/focal-points/KZ_LEAD/default-contacts", usual))
    for part, body in ADDED:
        unwrap(lead.create(f"{path}/{part}", body))
    question = unwrap(lead.get(f"{path}/questions"))["items"][0]["id"]
    unwrap(officer.send(f"{path}/questions/{question}/answer", {"answer": TEXT}))
    unwrap(people["shelter"].create(f"{path}/emergency-access", READING))
    unwrap(lead.screen(case, **SIGNS, remarks=TEXT))
    unwrap(lead.offer(case, people["successor"].code, note=TEXT))
    assert lead.does("stop", case, make_closure(note=TEXT)).status_code in OPEN_OR_REFUSED


READING: Final[Json] = BODIES["request_emergency_access"]
OPEN_OR_REFUSED: Final = frozenset({200, 202, 409, 422})
WRITTEN: Final[dict[str, Json]] = {
    "contacts": {"contacts": make_contacts()},
    "safeguards": GUARDS | {"unsafe_people": TEXT},
}
ADDED: Final[tuple[tuple[str, Json], ...]] = (
    ("facts", {"name": "guardian", "value": "not_needed", "note": TEXT}),
    ("vital-interests", {"reason": "SERIOUS_HARM", "note": TEXT}),
    ("risk-assessments", {"level": "high", "remarks": TEXT}),
    ("questions", {"topics": ["needs"], "question": TEXT}),
    ("questions", {"topics": ["contact"], "question": TEXT}),
)


def load_ids(world: MarkedWorld, code: str) -> dict[str, list[str]]:
    """Return the ids of records, by the name of the kind of record.

    For the kinds in `OF_CASE`, only the records of one case are included. The code of this
    case is the first code.
    """
    with world.database.begin_read(SERVICE) as session:
        case = session.scalars(select(Case.id).where(Case.code == code)).one()
        statements = {name: select(column).order_by(column) for name, column in ALL.items()}
        for name, table in OF_CASE.items():
            of_case = select(table.id).where(table.case_id == case)
            statements[name] = of_case.order_by(table.id)
        found = {name: [*map(str, session.scalars(s))] for name, s in statements.items()}
    return found | {"code": sorted(found["code"], key=lambda one: one != code)}


ALL: Final[dict[str, Any]] = {
    "code": Case.code,
    "referrals": Referral.id,
    "handovers": Handover.id,
    "returns": Return.id,
    "approvals": Approval.id,
    "accounts": Account.id,
    "enrolments": Enrolment.id,
    "figures": FigureRelease.id,
    "webhooks": Webhook.id,
}
OF_CASE: Final[dict[str, Any]] = {
    "emergency_access": EmergencyAccess,
    "questions": Question,
    "consents": Consent,
    "screenings": Screening,
}
