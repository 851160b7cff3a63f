"""A case whose lead asked a consulate of the State of origin for a travel document.

In some worlds the person later crosses a border, another office takes over the lead, the
case is suspended, or it does not become an emergency. The consulate must read and receive
the same in all of these worlds (ADR 43).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from httpx2 import Response

from app.deadlines.limit_bounds import LimitPriority
from app.deadlines.limits import DeadlineKind, TimeUnit
from app.deadlines.models import TimeLimit
from app.directory.kinds import Confidence, DisclosureLevel
from app.directory.models import Agreement
from tests.databases.failpoints.sweeping import Ids
from tests.support.relation_pairs import READERS, READS
from tests.support.returns import HOME, TOLD, create_return, make_return_consent
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

CONSULATE: Final = "UZ_CONSULATE_ALMATY"
LEADS: Final = ("KG_LEAD", "TT_LEAD", "UZ_LEAD", "SANA_SEZIM")
MOVES: Final[Mapping[str, tuple[str | None, str | None]]] = {
    "stays": (None, None),
    "crosses a border": ("KG", None),
    "led in the next country": ("KG", "KG_LEAD"),
    "led far away": ("TT", "TT_LEAD"),
    "led by the State of origin": ("UZ", "UZ_LEAD"),
    "led by another at home": (None, "SANA_SEZIM"),
}
"""The country to which the person goes after the request, and the new lead."""
REST: Final = "is suspended"
END_OF_REST: Final = "is suspended and resumed, and is no emergency"
SECRETS: Final = (REST, END_OF_REST)
"""Worlds in which the person stays, and the case changes in a way that is not shown."""
ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
REQUEST: Final = re.compile(r"urn:uuid:[0-9a-f-]{36}")
NEXT_PAGE: Final = re.compile(r'"next":"[^"]+"')
SEALED: Final = (
    "/sections/identity",
    "/sections/contact",
    "/safety-alert",
    "/export/htcds",
)
OWN: Final = {"figures": "/figures/own", "counts": "/worklist/counts"}
"""Figures of an office over all its cases."""
FILTERS: Final = (
    {"country": "KZ"},
    {"country": "KG"},
    {"country": "TT"},
    {"country": "UZ"},
    {"priority": "urgent"},
    {"priority": "emergency"},
    {"stage": "referral"},
    {"state": "referring"},
    {"state": "assisting"},
    {"state": "suspended"},
)


def add_agreements(world: World) -> None:
    """Add agreements that allow handovers across borders, some of them with time limits."""
    source = {"confidence": Confidence.FICTITIOUS, "source": "test"}
    with world.database.begin_write() as session:
        for number, other in enumerate(("KG", "TT", "UZ")):
            session.add(
                Agreement(
                    code=f"KZ_{other}_TEST",
                    name="test",
                    countries=["KZ", other],
                    level=DisclosureLevel.EVERYTHING,
                    in_force_from=date(2026, 1, 1),
                    **source,
                )
            )
            code = f"{other}_UZ_TEST"
            session.add(
                Agreement(
                    code=code,
                    name="test",
                    countries=[other, "UZ" if other != "UZ" else "KZ"],
                    level=DisclosureLevel.EVERYTHING,
                    in_force_from=date(2026, 1, 1),
                    **source,
                )
            )
            for clock in (
                DeadlineKind.ANSWER,
                DeadlineKind.GIVE_FEEDBACK,
                DeadlineKind.REVIEW,
            ):
                for priority in (
                    LimitPriority.EMERGENCY,
                    LimitPriority.URGENT,
                    LimitPriority.NORMAL,
                ):
                    session.add(
                        TimeLimit(
                            of=code,
                            deadline=clock,
                            priority=priority,
                            amount=1 + number,
                            unit=TimeUnit.HOURS,
                            as_of=None,
                            **source,
                        )
                    )


@dataclass
class Asked:
    """A case with its lead, and a consulate that the lead may have asked for a document."""

    world: World
    ids: Ids
    lead: Someone
    consulate: Someone
    case: Json
    referral: Json | None = None
    record: Json | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def does(self, action: str, body: Any = None) -> None:
        """Take an action on the referral as the consulate, with the tag just read."""
        self.run_action(get_path(self.referral or {}), action, body)

    def run_action(self, path: str, action: str, body: Any = None) -> None:
        tag = self.consulate.get(path).headers["ETag"]
        answer = self.consulate.send(f"{path}/{action}", body, if_match=tag)
        self.store_answer(f"does {action}", answer)
        assert answer.is_success, answer.text

    def store_answer(self, name: str, answer: Response) -> None:
        """Store a response in which ids are replaced by numbers.

        The numbers follow the order in which the ids appear. The cursors of the worklist
        and of lists of referrals are emptied, because each contains a number that depends
        on the records of all cases.
        """
        text = ID.sub(self.name_id, REQUEST.sub("urn:uuid", answer.text))
        if name.endswith(("list_work", "list_referrals", " referrals")):
            text = NEXT_PAGE.sub('"next":""', text)
        tag = answer.headers.get("ETag", "").partition(".")[0]
        self.answers[name] = (answer.status_code, tag, text)

    def name_id(self, found: re.Match[str]) -> str:
        return self.names.setdefault(found[0], f"id {len(self.names)}")


ASK: Final = {"topics": ["identity"], "question": "Which village?"}
MET: Final = {"person_met": True}
DONE: Final = {"outcome": "delivered", "feedback": "She has it"}
ACCEPT: Final = ("accept", make_acceptance())
STAGES: Final[Mapping[str, tuple[tuple[str, Any], ...]]] = {
    "sent": (),
    "received": (("acknowledge", None),),
    "asked": (("acknowledge", None), ("ask", ASK)),
    "accepted": (ACCEPT,),
    "in_progress": (ACCEPT, ("start", MET)),
    "completed": (ACCEPT, ("start", MET), ("complete", DONE)),
    "returning": (ACCEPT,),
    "in_emergency": (ACCEPT,),
}
"""The actions of the consulate on its referral before the person moves."""
NEXT: Final[Mapping[str, tuple[str, Any]]] = {
    "sent": ("acknowledge", None),
    "received": ("ask", ASK),
    "accepted": ("start", MET),
    "in_progress": ("complete", DONE),
}
"""The next action of the consulate, by the state of its referral."""
OVER: Final = frozenset({"completed", "expired", "withdrawn"})


def prepare(
    world: World,
    ids: Ids,
    *,
    submits: bool = False,
    is_asked: bool = True,
    consents: Sequence[Json] = (),
) -> Asked:
    """Create a case that KZ_LEAD leads. If `is_asked`, also refer it to the consulate.

    The consulate submits the case if `submits` is true. Otherwise an international
    organisation submits the case.
    """
    ids.begin("prepared")
    lead = world.add_person("KZ_LEAD", READERS)
    consulate = world.add_person(CONSULATE, READERS)
    submitter = consulate if submits else world.add_person("IOM", READERS)
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [
        make_consent(),
        make_return_consent(),
        make_consent(focal_point=CONSULATE, **papers),
        *(make_handover_consent(one) for one in LEADS),
        *consents,
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(submitter.submit(consents=given, safeguards=guards))
    world.advance(minutes=10)
    made = Asked(world, ids, lead, consulate, case)
    if is_asked:
        terms = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
        made.referral = unwrap(lead.refer(case, CONSULATE, **terms))
    return made


def play(made: Asked, stage: str, where: str, *, answers: bool = True) -> dict[str, Any]:
    """Move the person at a stage of the referral, and continue the case until it ends.

    Return the responses that were stored.
    """
    world = made.world
    for action, body in STAGES[stage] if made.referral else ():
        made.does(action, body)
    BESIDE.get(stage, leave_unchanged)(made)
    world.advance(minutes=10)
    move(made, where)
    made.ids.begin("moved")
    world.advance(minutes=10)
    read_all(made, "moved")
    run_lead_actions(made, answers=answers, emergency=where != END_OF_REST)
    read_all(made, "worked on")
    filter_cases(made)
    for hours in (6, 42):
        world.wait(hours=hours)
        read_all(made, f"{hours} hours later")
        if where == END_OF_REST and hours == 6:
            unwrap(made.lead.does("resume", made.case))
    take_next_step(made)
    read_all(made, "acted")
    end(made)
    read_all(made, "ended")
    world.wait(days=9)
    read_all(made, "over")
    return made.answers


def leave_unchanged(made: Asked) -> None:
    """Do nothing, because the stage changes only the referral."""


def begin_return(made: Asked) -> None:
    """Create a return, and take its steps that precede the check of nationality."""
    lead, home = made.lead, made.world.add_person(HOME)
    terms = {"service": "RETURN", "sections": []}
    sent = unwrap(lead.refer(made.case, HOME, **terms))
    unwrap(home.does("accept", sent, make_acceptance()))
    record = unwrap(create_return(lead, sent))
    for action, body in (("inform", TOLD), ("permit-contact", None)):
        unwrap(lead.does(action, record, body))
    made.record = record


def read_in_emergency(made: Asked) -> None:
    """Let oversight permit the consulate emergency access to the contact section."""
    path = f"{get_path(made.case)}/emergency-access"
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "She does not answer"}
    asking |= {"sections": ["contact"], "purpose": "protection"}
    access = unwrap(made.consulate.create(path, asking))
    oversight = made.world.add_person("OVERSIGHT_DEMO", READERS)
    unwrap(oversight.send(f"{path}/{access['id']}/grant"))


BESIDE: Final[Mapping[str, Callable[[Asked], None]]] = {
    "returning": begin_return,
    "in_emergency": read_in_emergency,
}


def move(made: Asked, where: str) -> None:
    """Relocate the person, hand the lead over, or do both, as `MOVES[where]` says.

    In a world of `SECRETS`, suspend the case instead.
    """
    if where in SECRETS:
        until = (made.world.now + timedelta(days=6)).isoformat()
        unwrap(
            made.lead.does("suspend", made.case, {"reason": "SAFETY", "review_at": until})
        )
        return
    country, successor = MOVES[where]
    if country:
        unwrap(made.lead.does("relocate", made.case, {"country": country}))
    if not successor:
        return
    offers = unwrap(made.lead.get("/handovers", case=made.case["code"]))["items"]
    offer = offers[0] if offers else unwrap(made.lead.offer(made.case, successor))
    made.lead = made.world.add_person(successor, READERS)
    unwrap(made.lead.does("accept", offer, make_takeover()))


def run_lead_actions(made: Asked, *, answers: bool = True, emergency: bool = True) -> None:
    """Perform the actions of the current lead, which are the same in almost all worlds.

    Without `emergency`, the priority of the case does not change.
    """
    lead, case, path = made.lead, made.case, get_path(made.case)
    unwrap(lead.create(f"{path}/risk-assessments", {"level": "low"}))
    match = {"If_Match": lead.get_tag(case)}
    priority = "emergency" if emergency else "urgent"
    unwrap(lead.ask("PATCH", path, {"priority": priority}, headers=match))
    match = {"If_Match": lead.get_tag(case)}
    identity = {"section": "identity", "names": ["Ойгул"]}
    unwrap(lead.ask("PUT", f"{path}/sections/identity", identity, headers=match))
    if answers and made.referral and lead.read(made.referral)["state"] == "info_requested":
        answer_body = {"sections": [], "answer": "Shahrisabz"}
        unwrap(lead.does("answer", made.referral, answer_body))


def take_next_step(made: Asked) -> None:
    """As the consulate, verify the nationality in the return or act on the referral.

    Without a return, and without a next action of the referral, do nothing.
    """
    if made.record:
        verified = {"nationality": "confirmed"}
        made.run_action(f"/returns/{made.record['id']}", "verify-nationality", verified)
    elif made.referral:
        state = unwrap(made.consulate.get(get_path(made.referral)))["state"]
        if state in NEXT:
            made.does(*NEXT[state])


def end(made: Asked) -> None:
    """Let the lead withdraw the referral, unless the referral has ended."""
    if made.referral and made.lead.read(made.referral)["state"] not in OVER:
        why = {"reason": "NO_LONGER_NEEDED"}
        unwrap(made.lead.does("withdraw", made.referral, why))


def read_all(made: Asked, when: str) -> None:
    """Read everything that the consulate can read, and store the responses."""
    read, path = made.consulate, get_path(made.case)
    ids = {"code": made.case["code"]}
    paths = {name: f"{path}{name}" for name in SEALED} | OWN
    if made.referral:
        ids["referral_id"] = made.referral["id"]
        paths["notes"] = f"{get_path(made.referral)}/notes"
    if made.record:
        paths["return"] = f"/returns/{made.record['id']}"
    for one in READS:
        if set(one.path_names) <= ids.keys():
            paths[one.name] = one.path.removeprefix("/v1").format(**ids)
    for name, target in paths.items():
        made.store_answer(f"{when} {name}", read.open(target, "protection"))


def filter_cases(made: Asked) -> None:
    """As the consulate, read filtered lists of cases, and the referrals of the case."""
    for asked in FILTERS:
        made.store_answer(f"cases {asked}", made.consulate.get("/cases", **asked))
    listed = made.consulate.get("/referrals", case=made.case["code"])
    made.store_answer("its referrals", listed)
