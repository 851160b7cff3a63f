"""Helpers for tests of returns: a return with its parties, up to a given action."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from httpx2 import Response

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    make_acceptance,
    make_consent,
    make_travel_plan,
    unwrap,
)

HOME: Final = "ISTIQBOLLI_AVLOD"
CONSULATE: Final = "UZ_CONSULATE_ALMATY"
SAFE: Final[Json] = {"level": "low", "threats": []}
AT_HOME: Final[Json] = SAFE | {"family": "NOT_CONTACTED", "services": ["SHELTER"]}
TOLD: Final[Json] = {"right_to_stay_explained": True, "options_explained": True}
NO_GO: Final[Json] = {"reason": "THREAT", "protection": ["ASYLUM", "RESIDENCE_STATUS"]}
MET: Final[Json] = {"person_met": True}
EARLY: Final[Json] = MET | {"early": True}
# The steps of an adult's return: the party, the action, the body.
WAY: Final[tuple[tuple[str, str, Json | None], ...]] = (
    ("lead", "inform", TOLD),
    ("lead", "permit-contact", None),
    ("home", "verify-nationality", {"nationality": "confirmed"}),
    ("lead", "assess-destination", SAFE),
    ("home", "assess-origin", AT_HOME),
    ("lead", "go", {}),
    ("home", "issue-document", {"without_marker": True}),
    ("lead", "plan", make_travel_plan()),
    ("home", "accept-plan", None),
    ("lead", "depart", {"reconfirmed_today": True}),
    ("home", "arrive", EARLY),
    ("home", "monitor", {"visits": ["2026-06-10T09:00:00Z", "2026-07-01T09:00:00Z"]}),
)
STATES: Final = (
    "informed",
    "permitted",
    "assessing",
    "assessing",
    "assessing",
    "cleared",
    "documented",
    "planning",
    "planned",
    "in_transit",
    "arrived",
    "monitoring",
)


def make_return_consent(**changes: Any) -> Json:
    """Return a consent for a return with an organisation in the country of origin."""
    given: Json = {"focal_point": HOME, "purposes": ["RETURN"]}
    return make_consent(**given | {"sections": ["needs", "contact", "identity"]} | changes)


@dataclass
class Homecoming:
    """A return with all its parties."""

    world: World
    officer: Someone
    lead: Someone
    home: Someone
    supervisor: Someone
    case: Json
    referral: Json
    record: Json

    def does(self, who: str, action: str, body: Json | None = None) -> Response:
        """Take a step on behalf of a party, and let a supervisor approve if needed."""
        one: Someone = getattr(self, who)
        answer = one.does(action, self.record, body)
        if answer.status_code != 202:
            return answer
        question = answer.json()["id"]
        unwrap(self.supervisor.send(f"/approvals/{question}/approve"))
        return one.does(action, self.record, body, Approval=question)

    def advance(self, upto: str) -> Json:
        """Take the remaining steps of an adult's return up to and including an action."""
        for who, action, body in self.list_steps():
            unwrap(self.does(who, action, body))
            if action == upto:
                break
        return self.read()

    def list_steps(self) -> Iterator[tuple[str, str, Json | None]]:
        """Yield the steps of the return that have not been taken yet."""
        taken = {step["action"].replace("_", "-") for step in self.read()["steps"]}
        return (step for step in WAY if step[1] not in taken)

    def read(self) -> Json:
        """Return the record of the return as the lead sees it."""
        return self.lead.read(self.record)

    @property
    def state(self) -> str:
        return str(self.read()["state"])

    def write_safeguards(self, **content: Any) -> None:
        """Replace the safeguards of the case."""
        path, tag = f"/cases/{self.case['code']}/safeguards", self.lead.get_tag(self.case)
        body = {"country_of_origin": "UZ"} | content
        unwrap(self.lead.ask("PUT", path, body, headers={"If_Match": tag}))

    def list_consents(self, *purposes: str) -> list[Json]:
        """Return the consents for any of these purposes."""
        found = unwrap(self.lead.get(f"/cases/{self.case['code']}/consents"))["items"]
        return [one for one in found if set(purposes) & set(one["purposes"])]

    def refer_to_consulate(self) -> Json:
        """Refer the case to the consulate for documents, and let the consulate accept."""
        body = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
        referral = unwrap(self.lead.refer(self.case, CONSULATE, **body))
        return unwrap(self.officer.does("accept", referral, make_acceptance()))

    def withdraw_consents(self, *purposes: str) -> None:
        """Withdraw the consents for any of these purposes."""
        for one in self.list_consents(*purposes):
            path = f"/cases/{self.case['code']}/consents/{one['id']}/withdraw"
            unwrap(self.lead.send(path))


def accept_return_referral(
    officer: Someone, lead: Someone, home: Someone, **changes: Any
) -> tuple[Json, Json]:
    """Create a case with a lead and an accepted referral for a return."""
    given = [make_consent(), make_return_consent(), *changes.pop("consents", [])]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(officer.submit(consents=given, safeguards=guards, **changes))
    terms = {"service": "RETURN", "sections": ["needs", "contact", "identity"]}
    referral = unwrap(lead.refer(case, HOME, **terms))
    return case, unwrap(home.does("accept", referral, make_acceptance()))


def begin_return(
    world: World, officer: Someone, lead: Someone, **changes: Any
) -> Homecoming:
    """Let the recipient open a return, and return a `Homecoming` with all its parties."""
    home = world.add_person(HOME)
    case, referral = accept_return_referral(officer, lead, home, **changes)
    record = unwrap(create_return(home, referral))
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    return Homecoming(world, officer, lead, home, supervisor, case, referral, record)


def create_return(who: Someone, referral: Json, key: str | None = None) -> Response:
    path = f"/referrals/{referral['id']}/return"
    return who.send(path, idempotency_key=key or str(uuid4()))
