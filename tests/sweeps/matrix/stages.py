"""The stages of the access matrix: one case in each state, with all its parties.

Each sealed field contains a marker, `Zq-<what>-<stage>-`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from app.cases.models import Case
from app.casework import carrying
from tests.support.full_world import NOWHERE
from tests.support.world import (
    NOON,
    Json,
    Someone,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

WHOLE: Final = [
    "needs",
    "contact",
    "identity",
    "narrative",
    "indicators",
    "perpetrators",
    "health",
]
CANARY: Final = re.compile(r"Zq-([a-z_]+)-([a-z_]+)-")
BEFORE: Final = "2026-05-01"

type Build = Callable[[Mapping[str, Someone]], dict[str, "Stage"]]


@dataclass
class Stage:
    """A stage of the access matrix: one case, and the ids of its records."""

    name: str
    people: Mapping[str, Someone]
    case: Json = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    tag: str = ""
    """The entity tag to send with an action: the current version."""

    def say(self, what: str) -> str:
        return f"Zq-{what}-{self.name}-"

    def who(self, name: str) -> Someone:
        return self.people[name]

    def people_of(self, what: str) -> list[Json]:
        return make_contacts(f"{self.say(what)}1", f"{self.say(what)}2")

    def names(self, **ids: str) -> None:
        """Store ids under their names."""
        self.ids |= ids

    def begins(self, **changes: Any) -> None:
        """As the consulate, create a case with a marker in every sealed field."""
        body = content(self) | changes
        self.case = unwrap(self.who("consulate").create_case(**body))
        path = f"/cases/{self.case['code']}"
        officer = self.who("consulate")
        guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
        guards |= {"unsafe_people": self.say("guards")}
        tag = {"If_Match": officer.get_tag(self.case)}
        unwrap(officer.ask("PUT", f"{path}/safeguards", guards, headers=tag))
        given = unwrap(officer.get(f"{path}/consents"))["items"]
        screened = unwrap(officer.get(f"{path}/screenings"))["items"]
        [services] = [one for one in given if "SHELTER" in one["purposes"]]
        self.names(
            code=self.case["code"],
            consent_id=services["id"],
            screening_id=screened[0]["id"],
            access_id=NOWHERE,
        )


def content(stage: Stage) -> Json:
    """Return the sections, consents and other parts of a case, with markers in texts."""
    say = stage.say
    sections = [{"section": one, "text": say(one)} for one in WHOLE if one in PLAIN]
    needs = {"summary": say("needs"), "access_needs": say("needs")}
    to_refer = make_consent(focal_point="IOM", sections=WHOLE), make_consent(sections=WHOLE)
    given = [
        *to_refer,
        make_service_consent(sections=WHOLE),
        make_handover_consent("SANA_SEZIM", sections=WHOLE),
        make_handover_consent("UZ_LEAD"),
    ]
    return {
        "sections": [
            {"section": "needs", "safety_alert": say("safety")} | needs,
            {"section": "contact", "alias": say("contact"), "safe_channel": say("contact")},
            {"section": "identity", "names": [say("identity")]},
            {"section": "indicators", "remarks": say("indicators")},
            *sections,
        ],
        "safeguards": {"unsafe_people": say("guards_past")},
        "consents": [
            one | {"evidence": say("evidence"), "obtained_on": BEFORE} for one in given
        ],
        "risk": {"level": "low", "remarks": say("risk")},
        "screening": {"remarks": say("screening")},
        "external_reference": say("external"),
    }


PLAIN: Final = ("narrative", "perpetrators", "health")


# The stages of a case.


def submitted(stage: Stage) -> None:
    """Submit a case; one candidate declines, and the next (IOM) asks two questions."""
    stage.begins()
    unwrap(stage.who("consulate").does("submit", stage.case))
    unwrap(stage.who("kz").does("acknowledge", stage.case))
    no = {"reason": "NO_CAPACITY", "note": stage.say("refusal")}
    assert stage.who("kz").does("decline-lead", stage.case, no).status_code == 204
    asks(stage, "iom", "question")
    asks(stage, "iom", "question")
    [first, second] = unwrap(stage.who("iom").get(f"/cases/{code(stage)}/questions"))[
        "items"
    ]
    path = f"/cases/{code(stage)}/questions/{first['id']}/answer"
    unwrap(stage.who("consulate").send(path, {"answer": stage.say("answer")}))
    stage.names(question_id=second["id"])


def asks(stage: Stage, who: str, what: str) -> None:
    body = {"topics": ["needs"], "question": stage.say(what)}
    unwrap(stage.who(who).create(f"/cases/{code(stage)}/questions", body))


def code(stage: Stage) -> str:
    return str(stage.case["code"])


def under_review(stage: Stage) -> None:
    submitted(stage)
    unwrap(stage.who("iom").does("acknowledge", stage.case))


def at_desk(stage: Stage) -> None:
    """Let IOM, the last candidate, decline the lead, so that the desk gets the case."""
    submitted(stage)
    no = {"reason": "NO_CAPACITY", "note": stage.say("refusal")}
    assert stage.who("iom").does("decline-lead", stage.case, no).status_code == 204


def led(stage: Stage) -> None:
    """Accept the lead as IOM, and hand it over to Sana Sezim."""
    under_review(stage)
    promised = {"contacts": stage.people_of("contacts_past")}
    unwrap(stage.who("iom").does("accept-lead", stage.case, promised))
    hands_over(stage, "iom", "sana", "SANA_SEZIM")


def hands_over(stage: Stage, old: str, new: str, to: str) -> None:
    offered = unwrap(stage.who(old).offer(stage.case, to, note=stage.say("offer")))
    promised = make_takeover(contacts=stage.people_of("contacts"))
    unwrap(stage.who(new).does("accept", offered, promised))
    stage.names(handover_id=offered["id"])


def referring(stage: Stage) -> None:
    """Refer the case to two offices, let one decline, and offer the lead to UZ_LEAD."""
    led(stage)
    refers(stage, "KZ_LEGAL_AID", "LEGAL_AID", sections=["needs", "contact"])
    refused = refers(stage, "KZ_SHELTER_TANSHOLPAN", "SHELTER")
    no = {"reason": "NO_CAPACITY", "note": stage.say("refusal_of_help")}
    unwrap(stage.who("other_shelter").does("decline", refused, no))
    offered = unwrap(stage.who("sana").offer(stage.case, "UZ_LEAD"))
    stage.names(handover_id=offered["id"])


def refers(stage: Stage, to: str, service: str, **changes: Any) -> Json:
    body = {"service": service, "sections": WHOLE} | changes
    return unwrap(stage.who("sana").refer(stage.case, to, **body))


def assisting(stage: Stage) -> None:
    """Bring the case to the state in which a shelter helps."""
    referring(stage)
    housed(stage)


def housed(stage: Stage) -> Json:
    referral = refers(stage, "KZ_SHELTER_KOGERSHIN", "SHELTER")
    stage.names(referral_id=referral["id"])
    return accepts(stage, referral)


def accepts(stage: Stage, asked: Json) -> Json:
    meeting = make_acceptance()["meeting"] | {"place": stage.say("place")}
    acceptance = {"meeting": meeting, "contacts": stage.people_of("place")}
    return unwrap(stage.who("shelter").does("accept", asked, acceptance))


def suspended(stage: Stage) -> None:
    assisting(stage)
    pause = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
    unwrap(
        stage.who("sana").does("suspend", stage.case, pause | {"note": stage.say("why")})
    )


def helped(stage: Stage) -> None:
    """Complete the shelter's referral, decline the lawyer's, and cancel the handover."""
    assisting(stage)
    shelter, sana = stage.who("shelter"), stage.who("sana")
    help_ = {"id": stage.ids["referral_id"]}
    unwrap(shelter.does("start", help_, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": stage.say("feedback")}
    unwrap(shelter.does("complete", help_, report))
    referral = unwrap(stage.who("lawyer").get("/referrals", case=code(stage)))["items"][0]
    unwrap(stage.who("lawyer").does("decline", referral, {"reason": "LANGUAGE"}))
    unwrap(sana.send(*cancel(stage), If_Match=sana.get_tag(offer(stage))))


def offer(stage: Stage) -> Json:
    return {"id": stage.ids["handover_id"], "to": "UZ_LEAD"}


def cancel(stage: Stage) -> tuple[str, Json]:
    return f"/handovers/{stage.ids['handover_id']}/cancel", {}


def monitoring(stage: Stage) -> None:
    helped(stage)
    unwrap(stage.who("sana").does("monitor", stage.case, {}))


def closed(stage: Stage) -> None:
    helped(stage)
    lead, second = stage.who("sana"), stage.who("sana/supervisor")
    why = make_closure(note=stage.say("closing"))
    unwrap(lead.does_with(second, "close", stage.case, why))


def void(stage: Stage) -> None:
    submitted(stage)
    why = {"reason": "SENT_IN_ERROR", "note": stage.say("why")}
    unwrap(stage.who("consulate").does("withdraw", stage.case, why))


def erased(stage: Stage) -> None:
    closed(stage)
    lead, second = (
        stage.who("oversight/protection_officer"),
        stage.who("oversight/supervisor"),
    )
    why = {"reason": "SURVIVOR_REQUEST"}
    unwrap(lead.does_with(second, "erase", stage.case, why))


def escalated(stage: Stage) -> None:
    """Escalate the case to the desk, after Sana Sezim has missed three deadlines."""
    world = stage.who("sana").world
    world.now = NOON - timedelta(days=22)
    led(stage)
    world.now = NOON
    with world.write_as_service() as tx:
        [case] = tx.session.scalars(select(Case).where(Case.code == code(stage)))
        carrying.escalate_to_desk(tx, case)


def origin_led(stage: Stage) -> None:
    """Give the lead to the State of origin while the shelter helps."""
    assisting(stage)
    promised = make_takeover(contacts=stage.people_of("contacts_of_origin"))
    unwrap(stage.who("uz").does("accept", offer(stage), promised))


OF_CASES: Final[Mapping[str, Callable[[Stage], None]]] = {
    "escalated": escalated,
    "draft": Stage.begins,
    "submitted": submitted,
    "under_review": under_review,
    "at_desk": at_desk,
    "referring": referring,
    "assisting": assisting,
    "suspended": suspended,
    "monitoring": monitoring,
    "closed": closed,
    "void": void,
    "erased": erased,
    "origin_led": origin_led,
}


def of_cases(names: Iterable[str]) -> Build:
    """Return a function that builds the stages of a case that have these names."""

    def build(people: Mapping[str, Someone]) -> dict[str, Stage]:
        made = {name: Stage(name, people) for name in names}
        for name, stage in made.items():
            OF_CASES[name](stage)
            stage.tag = find_tag(stage)
        if {"assisting", "suspended"} <= made.keys():
            made["mixed"] = build_mixed_stage(made["assisting"], made["suspended"])
        return made

    return build


def find_tag(stage: Stage) -> str:
    """Return the ETag of a case as a party sees it, or an invented ETag if none sees it."""
    shown = (one.get(f"/cases/{code(stage)}") for one in stage.people.values())
    known = (one for one in shown if one.is_success and one.json()["version"] is not None)
    return next((one.headers["ETag"] for one in known), '"1.0123456789abcdef"')


def build_mixed_stage(own: Stage, other: Stage) -> Stage:
    """Return a stage with one case's code and the ids of another case's records."""
    ids = other.ids | {"code": own.ids["code"]}
    return Stage("mixed", own.people, own.case, ids, own.tag)
