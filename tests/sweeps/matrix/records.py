"""The stages of referrals, handovers, returns and approvals in the access matrix."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final

from app.access.credentials import get_prefix
from app.figures.weeks import Quarter
from app.kernel.actors import Role
from tests.support.administrators import NEW, replace_row
from tests.support.figure_releases import (
    release_quarter,
    store_quarter,
    write_point,
)
from tests.support.machine_keys import register_machine
from tests.support.passkeys import add_passkey, begin_enrolment
from tests.support.returns import Homecoming, accept_return_referral, create_return
from tests.support.sessions import get_session, sign_in
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    NOON,
    Json,
    Someone,
    make_acceptance,
    make_closure,
    make_consent,
    make_takeover,
    make_travel_plan,
    unwrap,
)
from tests.sweeps.matrix.bodies import BODY_OF
from tests.sweeps.matrix.stages import (
    Build,
    Stage,
    accepts,
    content,
    hands_over,
    led,
    offer,
    refers,
    under_review,
)

type Story = Callable[[Stage], Json]


def asked(stage: Stage, *, send: bool = True) -> Json:
    """Refer a case from its lead, Sana Sezim, to a shelter."""
    led(stage)
    return refers(stage, "KZ_SHELTER_KOGERSHIN", "SHELTER", send=send)


def received(stage: Stage) -> Json:
    return unwrap(stage.who("shelter").does("acknowledge", asked(stage)))


def questioned(stage: Stage) -> Json:
    body = {"topics": ["needs"], "question": stage.say("question_back")}
    return unwrap(stage.who("shelter").does("ask", received(stage), body))


def agreed(stage: Stage) -> Json:
    return accepts(stage, asked(stage))


def begun(stage: Stage) -> Json:
    return unwrap(stage.who("shelter").does("start", agreed(stage), {"person_met": True}))


def resting(stage: Stage) -> Json:
    pause = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
    request = pause | {"note": stage.say("why")}
    return unwrap(stage.who("shelter").does("hold", begun(stage), request))


def completed(stage: Stage) -> Json:
    report = {"outcome": "delivered", "feedback": stage.say("feedback")}
    return unwrap(stage.who("shelter").does("complete", begun(stage), report))


def declined(stage: Stage) -> Json:
    no = {"reason": "NO_CAPACITY", "note": stage.say("refusal")}
    return unwrap(stage.who("shelter").does("decline", asked(stage), no))


def redirected(stage: Stage) -> Json:
    no = {"reason": "NO_CAPACITY", "alternative": "KZ_SHELTER_TANSHOLPAN"}
    return unwrap(stage.who("shelter").does("redirect", asked(stage), no))


def withdrawn(stage: Stage) -> Json:
    why = {"reason": "SURVIVOR_DECLINED", "note": stage.say("why")}
    return unwrap(stage.who("sana").does("withdraw", agreed(stage), why))


def revoked(stage: Stage) -> Json:
    why = {"reason": "SENT_IN_ERROR", "note": stage.say("why")}
    return unwrap(stage.who("sana").does("revoke", agreed(stage), why))


def expired(stage: Stage) -> Json:
    """Create a referral in the past, so that it expires before the other stages begin."""
    world = stage.who("sana").world
    world.now = NOON - timedelta(days=4)
    referral = asked(stage)
    for _ in range(4):
        world.wait(hours=12)
    world.now = NOON
    return stage.who("sana").read(referral)


def of_origin(stage: Stage) -> Json:
    """Accept a referral, and an hour later hand the lead over to the State of origin."""
    world = stage.who("sana").world
    world.now = NOON - timedelta(hours=1)
    referral = agreed(stage)
    world.now = NOON
    offered = unwrap(stage.who("sana").offer(stage.case, "UZ_LEAD"))
    unwrap(stage.who("uz").does("accept", offered, make_takeover()))
    return referral


def asked_for_papers(stage: Stage) -> Json:
    """Refer a case to the consulate, which submitted it, for a travel document."""
    led(stage)
    sana = stage.who("sana")
    papers = make_consent(
        focal_point="UZ_CONSULATE_ALMATY",
        purposes=["CONSULAR_DOCUMENT"],
        sections=["identity"],
    )
    unwrap(sana.create(f"/cases/{stage.case['code']}/consents", papers))
    asks = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    return unwrap(sana.refer(stage.case, "UZ_CONSULATE_ALMATY", **asks))


def papers_agreed(stage: Stage) -> Json:
    asks = asked_for_papers(stage)
    meeting = make_acceptance()["meeting"] | {"place": stage.say("place")}
    acceptance = {"meeting": meeting, "contacts": stage.people_of("place")}
    return unwrap(stage.who("consulate").does("accept", asks, acceptance))


BUILT_FOR: Final = {
    "r_origin": "accepted",
    "r_papers_sent": "sent",
    "r_papers_accepted": "accepted",
}
"""The state of the referral at each stage that is not named after this state."""

REFERRALS: Final[Mapping[str, Story]] = {
    "r_expired": expired,
    "r_draft": lambda stage: asked(stage, send=False),
    "r_sent": asked,
    "r_received": received,
    "r_info_requested": questioned,
    "r_accepted": agreed,
    "r_in_progress": begun,
    "r_on_hold": resting,
    "r_completed": completed,
    "r_declined": declined,
    "r_redirected": redirected,
    "r_withdrawn": withdrawn,
    "r_revoked": revoked,
    "r_origin": of_origin,
    "r_papers_sent": asked_for_papers,
    "r_papers_accepted": papers_agreed,
}


def of_referrals(names: Iterable[str] = REFERRALS) -> Build:
    """Return a function that builds the stages of a referral."""

    def tell(stage: Stage) -> None:
        record = REFERRALS[stage.name](stage)
        stage.names(referral_id=record["id"])
        shown = stage.who("uz" if stage.name == "r_origin" else "sana").read(record)
        state = BUILT_FOR.get(stage.name, stage.name.removeprefix("r_"))
        assert shown["state"] == state, shown["state"]
        stage.tag = f'"{shown["version"]}.0123456789abcdef"'

    return building(names, tell)


def building(names: Iterable[str], tell: Callable[[Stage], None]) -> Build:
    """Return a function that creates the named stages and calls `tell` for each stage."""

    def build(people: Mapping[str, Someone]) -> dict[str, Stage]:
        made = {name: Stage(name, people) for name in names}
        for stage in made.values():
            tell(stage)
        return made

    return build


# Handovers.


def offered(stage: Stage) -> None:
    led(stage)
    made = unwrap(stage.who("sana").offer(stage.case, "UZ_LEAD", note=stage.say("offer")))
    stage.names(handover_id=made["id"])


def effective(stage: Stage) -> None:
    led(stage)
    hands_over(stage, "sana", "uz", "UZ_LEAD")


def refused(stage: Stage) -> None:
    offered(stage)
    no = {"reason": "NO_CAPACITY", "note": stage.say("refusal")}
    assert stage.who("uz").does("decline", offer(stage), no).status_code == 204


def taken_back(stage: Stage) -> None:
    offered(stage)
    unwrap(stage.who("sana").does("cancel", offer(stage), {"note": stage.say("why")}))


HANDOVERS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "h_offered": offered,
    "h_effective": effective,
    "h_declined": refused,
    "h_cancelled": taken_back,
}


def of_handovers(names: Iterable[str] = HANDOVERS) -> Build:
    """Return a function that builds the stages of a handover."""

    def tell(stage: Stage) -> None:
        HANDOVERS[stage.name](stage)
        shown = stage.who("sana").read(offer(stage))
        assert stage.name == f"h_{shown['state']}"
        stage.tag = f'"{shown["version"]}.0123456789abcdef"'

    return building(names, tell)


# Returns.

UP_TO: Final = {
    "b_opened": "",
    "b_informed": "inform",
    "b_permitted": "permit-contact",
    "b_assessing": "assess-origin",
    "b_cleared": "go",
    "b_documented": "issue-document",
    "b_planning": "plan",
    "b_planned": "accept-plan",
    "b_in_transit": "depart",
    "b_arrived": "arrive",
    "b_monitoring": "monitor",
    "b_called_off": "assess-origin",
}


def going_home(stage: Stage) -> None:
    """Bring a return to the state that the stage names.

    The lead is in the country where the person is, and the helper is in the country of
    origin.
    """
    officer, lead, home = (stage.who(name) for name in ("consulate", "kz", "home"))
    contents = {name: content(stage)[name] for name in ("sections", "risk", "screening")}
    case, referral = accept_return_referral(officer, lead, home, **contents)
    record = unwrap(create_return(home, referral))
    people = (officer, lead, home, stage.who("kz/supervisor"))
    way = Homecoming(lead.world, *people, case, referral, record)
    for who, action, body in way.list_steps() if UP_TO[stage.name] else ():
        plan = make_travel_plan(escort=stage.say("plan"), route=stage.say("plan"))
        unwrap(way.does(who, action, plan if action == "plan" else body))
        if action == UP_TO[stage.name]:
            break
    if stage.name == "b_called_off":
        unwrap(lead.does("call-off", record, {}))
    shown = way.read()
    assert stage.name == f"b_{shown['state']}", shown["state"]
    stage.case = case
    stage.names(code=case["code"], referral_id=referral["id"], return_id=record["id"])
    stage.tag = f'"{shown["version"]}.0123456789abcdef"'


def of_returns(names: Iterable[str] = UP_TO) -> Build:
    """Return a function that builds the stages of a return."""
    return building(names, going_home)


# Operations that concern no case, and approvals.


def waiting(stage: Stage) -> None:
    """Request an approval as IOM; store the ids of the approval and of other records."""
    under_review(stage)
    question = stage.who("iom").does("close", stage.case, make_closure())
    assert question.status_code == 202
    stage.who("iom").world.run_worker()
    limit = BODY_OF["replace_time_limit"] | {"amount": 6}
    path = "/time-limits/KZ/answer/normal"
    unwrap(replace_row(stage.who("administrator"), path, limit, **NEW))
    machine = register_machine(
        stage.who("iom").world,
        "matrix",
        of="KZ_SHELTER_KOGERSHIN",
        roles={Role.OFFICER},
    )
    store_quarter(stage.who("iom").world)
    stage.names(
        approval_id=question.json()["id"],
        account_id=machine.client,
        prefix=get_prefix(machine.one.key),
        kid=machine.kid,
        passkey_id=add_passkey(stage.who("shelter")),
        enrolment_id=begin_another(stage),
        session_id=get_session(sign_in(stage.who("shelter")))["id"],
        release_id=release_quarter(stage.who("iom").world, Quarter(2025, 4)),
        point_id=write_point(stage.who("iom").world),
        webhook_id=create_webhook(stage.who("iom").world, "KZ_SHELTER_KOGERSHIN").id,
        focal_point="KZ_LEGAL_AID",
        country="KZ",
        agreement="KZ_UZ_DEMO",
        contact="KZ_SHELTER_KOGERSHIN_MAIL",
        of="KZ",
        deadline="answer",
        priority="normal",
        name="services",
    )


def begin_another(stage: Stage) -> str:
    """Begin an enrolment of another person of the shelter; return the enrolment's id."""
    newcomer = stage.who("iom").world.add_person("KZ_SHELTER_KOGERSHIN")
    begun = begin_enrolment(stage.who("administrator"), newcomer)
    return str(unwrap(begun)["id"])


def of_the_rest() -> Build:
    """Return a function that builds a case with a pending approval."""
    return building(["rest"], waiting)
