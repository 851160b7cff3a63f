"""Stories for calls that need a state that no stage of the access matrix provides.

Each story prepares a suitable state and returns its call.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from app.cli import operator_actions
from app.kernel.actors import Role, Scope
from tests.databases.failpoints.calls import Call, Scene, Story, cells
from tests.support.full_world import READING
from tests.support.machine_keys import JWT, register_machine
from tests.support.passkeys import DEVICE, Office, request_options
from tests.support.returns import (
    Homecoming,
    accept_return_referral,
    begin_return,
    make_return_consent,
)
from tests.support.sessions import sign_in
from tests.support.world import Json, make_case, make_consent, unwrap
from tests.sweeps.matrix.asking import operation_of

FORM: Final = "application/x-www-form-urlencoded"


def opens_return(scene: Scene) -> Call:
    """Return a call that opens a return, after an office accepted the referral for it."""
    officer, lead, home = (scene.people[name] for name in ("consulate", "kz", "home"))
    _, referral = accept_return_referral(officer, lead, home)
    return scene.call("create_return", home, {"referral_id": referral["id"]})


def going_home(scene: Scene, **changes: object) -> Homecoming:
    world, people = scene.wire.world, scene.people
    return begin_return(world, people["consulate"], people["kz"], **changes)


def determines_interests(scene: Scene) -> Call:
    """Return a call that decides a child's best interests after their assessment."""
    given_by = {"given_by": "guardian_with_assent"}
    consents = [make_consent(**given_by), make_return_consent(**given_by)]
    way = going_home(scene, summary={"age_class": "child"}, consents=consents)
    way.advance("assess-origin")
    fact = {"name": "best_interests", "value": "determined"}
    unwrap(way.lead.create(f"/cases/{way.case['code']}/facts", fact))
    return scene.call("determine_interests", way.lead, {"return_id": way.record["id"]})


def accounts_for(scene: Scene) -> Call:
    """Return a call that records a meeting with a person whose journey was stopped."""
    way = going_home(scene)
    way.advance("depart")
    way.withdraw_consents("RETURN")
    return scene.call("locate_person", way.lead, {"return_id": way.record["id"]})


# A helper requests emergency access, and oversight grants or refuses it.


def asked_to_read(scene: Scene) -> dict[str, str]:
    code = scene.stages["referring"].ids["code"]
    access = unwrap(
        scene.people["lawyer"].create(f"/cases/{code}/emergency-access", READING)
    )
    return {"code": code, "access_id": access["id"]}


def permitted(scene: Scene) -> dict[str, str]:
    ids = asked_to_read(scene)
    watcher = scene.people["oversight/protection_officer"]
    unwrap(watcher.send("/cases/{code}/emergency-access/{access_id}/grant".format(**ids)))
    return ids


def stopped(scene: Scene) -> dict[str, str]:
    ids = permitted(scene)
    path = "/cases/{code}/emergency-access/{access_id}/stop".format(**ids)
    unwrap(scene.people["lawyer"].send(path))
    return ids


def permits_reading(scene: Scene) -> Call:
    watcher = scene.people["oversight/protection_officer"]
    return scene.call("grant_emergency_access", watcher, asked_to_read(scene))


def refuses_reading(scene: Scene) -> Call:
    watcher = scene.people["oversight/protection_officer"]
    return scene.call("refuse_emergency_access", watcher, asked_to_read(scene))


def stops_reading(scene: Scene) -> Call:
    return scene.call("stop_emergency_access", scene.people["lawyer"], permitted(scene))


def informs_of_reading(scene: Scene) -> Call:
    return scene.call("inform_of_emergency_access", scene.people["sana"], permitted(scene))


def reviews_reading(scene: Scene) -> Call:
    """Return a call in which a second person of oversight reviews an emergency access."""
    other = scene.wire.world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    return scene.call("review_emergency_access", other, stopped(scene))


# Reads that record delivery evidence.


def looks_at_case(scene: Scene) -> Call:
    """Return a call that reads a submitted case which no office has retrieved yet."""
    case = scene.people["consulate"].submit()
    return scene.call("get_case", scene.people["kz"], {"code": case["code"]})


def looks_at_referral(scene: Scene) -> Call:
    ids = scene.stages["r_sent"].ids
    return scene.call("get_referral", scene.people["shelter"], ids)


def looks_at_handover(scene: Scene) -> Call:
    return scene.call("get_handover", scene.people["uz"], scene.stages["h_offered"].ids)


def polled(scene: Scene, name: str) -> Call:
    """Return a call that polls a feed after the first two events."""
    who = scene.people["kz"]
    cursor = unwrap(who.get("/events", limit=2))["cursor"]
    call = scene.call(name, who, {})
    return Call(call.operation, f"{call.target}?after={cursor}", call.headers)


def polls(scene: Scene) -> Call:
    return polled(scene, "list_events")


def listens(scene: Scene) -> Call:
    return polled(scene, "stream_events")


def asks_for_token(scene: Scene) -> Call:
    """Return a call with which a machine requests an access token."""
    machine = register_machine(scene.wire.world, "failpoints")
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT,
        "client_assertion": machine.sign(),
    }
    headers: dict[str, str | bytes] = {"Content-Type": FORM}
    operation = operation_of("issue_token")
    return Call(operation, operation.path, headers, urlencode(form).encode())


def send_without_key(name: str, body: Json) -> Call:
    """Return a call without a credential."""
    operation = operation_of(name)
    headers: dict[str, str | bytes] = {"Content-Type": "application/json"}
    return Call(operation, operation.path, headers, json.dumps(body).encode())


def asks_for_challenge(_: Scene) -> Call:
    return send_without_key("create_passkey_challenge", {})


def signs_in_with_passkey(scene: Scene) -> Call:
    world = scene.wire.world
    made, _ = Office(world).enrol()
    signed = DEVICE.sign(made, request_options(world))
    return send_without_key("create_session_with_passkey", {"credential": signed})


def asks_for_enrolment_options(scene: Scene) -> Call:
    invited = Office(scene.wire.world).open_enrolment()
    return send_without_key("create_enrolment_options", invited.secrets)


def redeems_enrolment(scene: Scene) -> Call:
    invited = Office(scene.wire.world).open_enrolment()
    _, made = DEVICE.create(unwrap(invited.ask_options()))
    body = invited.secrets | {"credential": made, "label": "tablet"}
    return send_without_key("redeem_enrolment", body)


def redeems_key_link(scene: Scene) -> Call:
    world = scene.wire.world
    account = world.add_person("KZ_LEAD").actor.account_id
    scopes = [Scope.FEED_READ]
    link = operator_actions.create_key(world.runtime, account, scopes, 30, by_link=True)
    return send_without_key("redeem_key_link", {"link": link})


def asks_for_passkey_options(scene: Scene) -> Call:
    _, session = Office(scene.wire.world).enrol()
    return scene.call("create_passkey_options", session, {})


def registers_passkey(scene: Scene) -> Call:
    _, session = Office(scene.wire.world).enrol()
    _, made = DEVICE.create(unwrap(session.send("/passkeys/options")))
    body = {"credential": made, "label": "tablet"}
    return scene.call("register_passkey", session, {}, body)


def removes_passkey(scene: Scene) -> Call:
    """Return a call that removes a passkey other than the one of the session."""
    _, session = Office(scene.wire.world).enrol()
    _, made = DEVICE.create(unwrap(session.send("/passkeys/options")))
    body = {"credential": made, "label": "tablet"}
    other = unwrap(session.create("/passkeys", body))["id"]
    return scene.call("remove_passkey", session, {"passkey_id": other}, {})


def signs_out(scene: Scene) -> Call:
    return scene.call("end_session", sign_in(scene.people["kz"]), {})


def begins_enrolment(scene: Scene) -> Call:
    office = Office(scene.wire.world)
    body = {"account": str(office.newcomer.actor.account_id)}
    return scene.call("create_enrolment", office.first, {}, body)


def writes_case(scene: Scene) -> Call:
    """Return a call that creates and submits a case in one request."""
    return scene.call("create_case", scene.people["consulate"], {}, make_case(submit=True))


OWN: Final[Mapping[str, Story]] = {
    "create_return": opens_return,
    "determine_interests": determines_interests,
    "locate_person": accounts_for,
    "grant_emergency_access": permits_reading,
    "refuse_emergency_access": refuses_reading,
    "stop_emergency_access": stops_reading,
    "inform_of_emergency_access": informs_of_reading,
    "review_emergency_access": reviews_reading,
    "get_case": looks_at_case,
    "get_referral": looks_at_referral,
    "get_handover": looks_at_handover,
    "list_events": polls,
    "stream_events": listens,
    "issue_token": asks_for_token,
    "create_case.submitted": writes_case,
    "create_passkey_challenge": asks_for_challenge,
    "create_session_with_passkey": signs_in_with_passkey,
    "create_enrolment_options": asks_for_enrolment_options,
    "redeem_enrolment": redeems_enrolment,
    "redeem_key_link": redeems_key_link,
    "create_passkey_options": asks_for_passkey_options,
    "register_passkey": registers_passkey,
    "remove_passkey": removes_passkey,
    "end_session": signs_out,
    "create_enrolment": begins_enrolment,
}
TWO: Final = ".by two"
"""The suffix in the name of a call that a second person has approved."""


BEFORE: Final = {
    **dict.fromkeys(
        ("grant_emergency_access", "refuse_emergency_access", "stop_emergency_access"),
        "referring",
    ),
    **dict.fromkeys(("inform_of_emergency_access", "review_emergency_access"), "referring"),
    "get_referral": "r_sent",
    "get_handover": "h_offered",
}
"""The stage of the access matrix at which each of these stories begins."""
CELLS: Final = {cell.name: cell for cell in cells()}
BY_TWO: Final = {f"{n}{TWO}": cell for n, cell in CELLS.items() if cell.status == 202}
STORIES: Final[Mapping[str, Story]] = {
    **CELLS,
    **OWN,
    **{name: cell.with_second for name, cell in BY_TWO.items()},
}


def stages_of(names: Iterable[str]) -> set[str]:
    """Return the stages of the access matrix that these stories need."""
    begun = {name: cell.stage for name, cell in (CELLS | BY_TWO).items()} | BEFORE
    return {begun[name] for name in names if name in begun}
