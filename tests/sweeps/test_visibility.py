"""The views, events and actions of each office agree with a table of the parties."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.kernel.actors import Role
from app.kernel.codes import create_case_code
from tests.support.databases import Copy, record_statements
from tests.support.figure_releases import release_quarter, write_point
from tests.support.in_thread import ThreadLoops
from tests.support.passkeys import Office, add_passkey
from tests.support.request_bodies import BODIES
from tests.support.returns import begin_return
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    make_acceptance,
    make_case,
    make_closure,
    make_consent,
    make_contacts,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow

PEOPLE = {
    "submitter": "UZ_CONSULATE_ALMATY",
    "first": "KZ_LEAD",
    "lead": "IOM",
    "shelter": "KZ_SHELTER_KOGERSHIN",
    "lawyer": "KZ_LEGAL_AID",
    "oversight": "OVERSIGHT_DEMO",
    "desk": "DESK_CENTRAL_ASIA",
    "stranger": "JM_CONSULATE_PORT_OF_SPAIN",
}
LISTS = ("/cases", "/referrals", "/worklist", "/approvals", "/events", "/figures/own")
DOCUMENTS = ("consents", "access-log", "notes", "contacts", "emergency-access")
ABOUT = ("history", "evidence", "routing", *DOCUMENTS)


@dataclass
class Cast:
    """All accounts of the test, with the case and its referrals."""

    world: World
    people: dict[str, Someone]
    case: Json
    referrals: dict[str, Json]

    def __getattr__(self, name: str) -> Someone:
        if "people" not in vars(self):  # before `__init__` has run
            raise AttributeError(name)
        return self.people[name]

    def who(self, sees: str) -> set[str]:
        """Return the accounts that can read a path."""
        return {name for name, one in self.people.items() if one.get(sees).is_success}

    def listed(self, path: str, key: str, value: str) -> set[str]:
        return {
            name
            for name, one in self.people.items()
            if value in [item[key] for item in unwrap(one.get(path))["items"]]
        }

    def subjects(self) -> dict[str, str]:
        """Return the subjects by which events name the case and each referral."""
        of_referrals = {n: f"referrals/{r['id']}" for n, r in self.referrals.items()}
        return {"case": f"cases/{self.case['code']}"} | of_referrals

    def able(self, record: Json) -> set[str]:
        """Return the accounts to which the service offers an action on a record."""
        seen = {name: one.get(get_path(record)) for name, one in self.people.items()}
        return {n for n, a in seen.items() if a.is_success and get_actions(a.json())}


def build_cast(world: World) -> Cast:
    """Create all accounts and a draft of a case."""
    roles = {"oversight": {Role.PROTECTION_OFFICER}}
    people = {n: world.add_person(c, roles.get(n, WORKERS)) for n, c in PEOPLE.items()}
    given = [make_consent(), make_consent(focal_point="IOM"), make_service_consent()]
    case = unwrap(people["submitter"].create_case(consents=given))
    return Cast(world, people, case, {})


@pytest.fixture
def cast(world: World) -> Cast:
    return build_cast(world)


# A second copy: the parties of each record, its audience, and the offices that may act.
# after           | the case                                | shelter's    | lawyer's
SEEN = """
drafted           | submitter                               |              |
submitted         | submitter first oversight               |              |
acknowledged      | submitter first oversight               |              |
lead_declined     | submitter lead oversight                |              |
lead_accepted     | submitter lead oversight                |              |
shelter_opened    | submitter lead oversight                | lead         |
shelter_sent      | submitter lead oversight shelter        | lead shelter |
lawyer_sent       | submitter lead oversight shelter lawyer | lead shelter | lead lawyer
shelter_accepted  | submitter lead oversight shelter lawyer | lead shelter | lead lawyer
lawyer_declined   | submitter lead oversight shelter        | lead shelter | lead lawyer
shelter_started   | submitter lead oversight shelter        | lead shelter | lead lawyer
shelter_completed | submitter lead oversight shelter        | lead shelter | lead lawyer
closed            | submitter lead oversight shelter        | lead shelter | lead lawyer
"""
HEARD = """
drafted           | submitter                               |              |
submitted         | submitter first oversight               |              |
acknowledged      | submitter first oversight               |              |
lead_declined     | submitter first lead oversight          |              |
lead_accepted     | submitter lead oversight                |              |
shelter_opened    |                                         | lead         |
shelter_sent      |                                         | lead shelter |
lawyer_sent       |                                         |              | lead lawyer
shelter_accepted  | submitter lead oversight                | lead shelter |
lawyer_declined   |                                         |              | lead lawyer
shelter_started   |                                         | lead shelter |
shelter_completed |                                         | lead shelter |
closed            | submitter lead oversight                |              |
"""
ABLE = """
drafted           | submitter                               |              |
submitted         | submitter first                         |              |
acknowledged      | first                                   |              |
lead_declined     | submitter lead                          |              |
lead_accepted     | lead                                    |              |
shelter_opened    | lead                                    | lead         |
shelter_sent      | lead                                    | lead shelter |
lawyer_sent       | lead                                    | lead shelter | lead lawyer
shelter_accepted  | lead                                    | lead shelter | lead lawyer
lawyer_declined   | lead                                    | lead shelter | lawyer
shelter_started   | lead                                    | lead shelter | lawyer
shelter_completed | lead                                    |              | lawyer
closed            | lead oversight                          |              | lawyer
"""


def parse_rows(text: str) -> dict[str, dict[str, set[str]]]:
    """Return the parties of the case and of each referral after each step."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    cells = {step.strip(): [set(c.split()) for c in columns] for step, *columns in lines}
    return {step: dict(zip(RECORDS, row, strict=True)) for step, row in cells.items()}


RECORDS = ("case", "shelter", "lawyer")


def walk(cast: Cast) -> Iterator[str]:
    """Move the case from draft to closure, and yield the name of each completed step."""
    case, lead = cast.case, cast.lead
    yield "drafted"
    unwrap(cast.submitter.does("submit", case))
    yield "submitted"
    unwrap(cast.first.does("acknowledge", case))
    yield "acknowledged"
    declined = cast.first.does("decline-lead", case, {"reason": "NO_CAPACITY"})
    assert declined.status_code == 204
    yield "lead_declined"
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    yield "lead_accepted"
    yield from walk_referrals(cast)
    second = cast.world.add_person("IOM", {Role.SUPERVISOR})
    approval = unwrap(lead.does("close", case, make_closure()))
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))
    yield "closed"


def walk_referrals(cast: Cast) -> Iterator[str]:
    """Refer the case to a shelter, which helps, and to a lawyer; yield after each step."""
    case, lead, shelter, lawyer = cast.case, cast.lead, cast.shelter, cast.lawyer
    housed = unwrap(lead.refer(case, shelter.code, send=False))
    cast.referrals["shelter"] = housed
    yield "shelter_opened"
    unwrap(lead.does("send", housed))
    yield "shelter_sent"
    advised = unwrap(lead.refer(case, lawyer.code, service="LEGAL_AID"))
    cast.referrals["lawyer"] = advised
    yield "lawyer_sent"
    unwrap(shelter.does("acknowledge", housed))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    yield "shelter_accepted"
    unwrap(lawyer.does("decline", advised, {"reason": "LANGUAGE"}))
    yield "lawyer_declined"
    unwrap(shelter.does("start", housed, {"person_met": True}))
    yield "shelter_started"
    unwrap(shelter.does("complete", housed, {"outcome": "delivered", "feedback": "Well"}))
    yield "shelter_completed"


def test_seen_in_every_way_by_the_same(cast: Cast) -> None:
    expected, code = parse_rows(SEEN), cast.case["code"]

    for step in walk(cast):
        seen = [cast.who(f"/cases/{code}"), cast.listed("/cases", "code", code)]
        seen += [cast.who(f"/cases/{code}/{part}") for part in ("history", "evidence")]
        assert seen == [expected[step]["case"]] * 4, step
        for name, referral in cast.referrals.items():
            path = get_path(referral)
            may = [cast.who(path), cast.who(f"{path}/evidence")]
            may.append(cast.listed("/referrals", "id", referral["id"]))
            assert may == [expected[step][name]] * 3, step


def test_heard_by_the_parties_and_once(cast: Cast) -> None:
    expected = parse_rows(HEARD)

    for step in walk(cast):
        subjects = {name: list_subjects(one.poll()) for name, one in cast.people.items()}
        for record, subject in cast.subjects().items():
            hearers = {name for name, told_of in subjects.items() if subject in told_of}
            assert hearers == expected[step][record], (step, record)


def list_subjects(events: list[Json]) -> set[str]:
    return {event["subject"] for event in events}


def test_only_a_party_whose_turn_it_is_is_offered_anything(cast: Cast) -> None:
    expected = parse_rows(ABLE)

    for step in walk(cast):
        assert cast.able(cast.case) == expected[step]["case"], step
        for name, referral in cast.referrals.items():
            assert cast.able(referral) == expected[step][name], step


def test_work_waits_for_one_party(cast: Cast) -> None:
    expected = parse_rows(SEEN)

    for step in walk(cast):
        for record, subject in cast.subjects().items():
            waits = cast.listed("/worklist", "subject", subject)
            assert len(waits) <= 1, step
            assert waits <= expected[step][record], step


def test_the_desk_is_party_once_nobody_else_is_left(world: World, desk: Someone) -> None:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    case = officer.submit()
    before = desk.get(get_path(case)).status_code
    lead.does("decline-lead", case, {"reason": "NO_CAPACITY"})

    shown = desk.read(case)

    assert before == 404
    assert shown["you_are"] == ["desk"]
    assert [event["type"] for event in desk.poll()] == ["case.lead_declined"]
    assert lead.get(get_path(case)).status_code == 404
    assert [desk.open(f"{get_path(case)}/{part}").status_code for part in SEALED] == [
        404
    ] * 4


SEALED = ("sections/needs", "sections/identity", "safeguards", "contacts")


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


def read_everything(one: Someone, cast: Cast) -> dict[str, str]:
    """Return every response that an account can get, with its headers."""
    of_case = get_path(cast.case)
    paths = [*LISTS, of_case, *(f"{of_case}/{part}" for part in (*ABOUT, *SEALED))]
    of_referrals = [get_path(referral) for referral in cast.referrals.values()]
    parts = ("", "/evidence", "/arrangement", "/notes")
    paths += [f"{path}{part}" for path in of_referrals for part in parts]
    answers = {path: one.open(path) for path in paths}
    return {p: f"{a.text}\n{dict(a.headers)}" for p, a in answers.items()}


def test_where_the_person_is_sheltered_is_told_to_nobody_else(cast: Cast) -> None:
    outside = ("submitter", "first", "lawyer", "oversight", "desk", "stranger")

    for step in walk(cast):
        for name in outside if "shelter" in cast.referrals else ():
            got = read_everything(cast.people[name], cast)
            paths = [path for path, text in got.items() if PEOPLE["shelter"] in text]
            assert paths == [], (step, name)


def test_what_the_submitter_gets_does_not_depend_on_who_shelters(
    copy: Copy, app: FastAPI, loop: ThreadLoops
) -> None:
    told = []

    for shelter in ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"):
        with copy() as url:
            world = World(url, app, loop)
            cast = build_cast(world)
            cast.people["shelter"] = world.add_person(shelter)
            answers = (read_everything(cast.submitter, cast) for _ in walk(cast))
            told.append([normalize_answers(one) for one in answers])
            world.close()

    assert told[0] == told[1]


RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|SC(-[0-9A-Z]{4}){3}-[0-9A-Z]|\.[0-9a-f]{16}|\b[0-9a-f]{8}\."
    r"|'etag': '[^']*'|\"next\":\"[^\"]*\""
)


def normalize_answers(answers: dict[str, str]) -> list[str]:
    """Return responses in a form that does not depend on random ids and their order."""
    plain = (RANDOM.sub("*", f"{path} {text}") for path, text in answers.items())
    return [part for text in plain for part in sorted(re.split(r"[\]},\s]*{", text))]


def test_a_consent_that_names_the_shelter_is_not_shown_to_the_submitter(cast: Cast) -> None:
    steps = walk(cast)
    while next(steps) != "lead_accepted":
        pass
    named = make_service_consent(focal_point=PEOPLE["shelter"], sections=["needs"])
    unwrap(cast.lead.create(f"{get_path(cast.case)}/consents", named))

    shown = cast.submitter.get(f"{get_path(cast.case)}/consents")

    assert PEOPLE["shelter"] not in shown.text
    assert PEOPLE["shelter"] in cast.lead.get(f"{get_path(cast.case)}/consents").text


@pytest.mark.parametrize("deed", ["risk", "consent"])
def test_what_the_shelter_does_in_the_case_does_not_name_it(deed: str, cast: Cast) -> None:
    steps = walk(cast)
    while next(steps) != "shelter_accepted":
        pass
    path = get_path(cast.case)
    [*_, given] = cast.shelter.get(f"{path}/consents").json()["items"]
    if deed == "risk":
        unwrap(cast.shelter.create(f"{path}/risk-assessments", {"level": "high"}))
    else:
        unwrap(cast.shelter.send(f"{path}/consents/{given['id']}/withdraw"))

    for name in ("submitter", "lawyer"):
        one = cast.people[name]
        text = json.dumps(one.poll()) + one.get(f"{path}/history").text
        assert PEOPLE["shelter"] not in text, name


PUBLIC = ("{focal_point}", "{agreement}", "{country}", "{deadline}", "{name}", "{form}")
BY_ROLE = ("{contact}", "{account_id}")
"""Path parameters of operations that refuse every case worker with 403."""


def list_routes(world: World) -> list[tuple[str, str, str]]:
    """Return operations with an id in the path, except those in `PUBLIC` or `BY_ROLE`."""
    return [
        (method.upper(), path.removeprefix("/v1"), operation["operationId"])
        for path, operations in world.app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "{" in path and not any(name in path for name in (*PUBLIC, *BY_ROLE))
    ]


def reach(one: Someone, route: tuple[str, str, str], ids: dict[str, str]) -> Response:
    """Call an operation with these ids, and with all headers that it requires."""
    method, path, operation = route
    extra = {"If-Match": '"1.0123456789abcdef"', "Purpose": "assistance"}
    extra |= {"Idempotency-Key": f"key-{next(KEYS)}"} if method != "GET" else {}
    body = BODIES.get(operation)
    if body and "{contact}" in path:  # the body of the request also contains the code
        body = body | {"code": ids["contact"]}
    return one.ask(method, path.format(**ids, section="needs"), body, headers=extra)


KEYS = count()
CHANGES = ("rotate_webhook_secret", "ping", "replay", "pause", "resume", "end")
REFUSED = {
    **dict.fromkeys(("replace_duty_contact", "remove_passkey", "get_figure_release"), 403),
    **dict.fromkeys(("complete_meeting_point", "delete_meeting_point"), 403),
    **dict.fromkeys(("confirm_enrolment", "cancel_enrolment"), 403),
    **{name if "_" in name else f"{name}_webhook": 403 for name in CHANGES},
}
"""Operations that a stranger's role or credential does not permit, whatever the id."""


def as_told(answer: Response) -> tuple[int, Any, dict[str, str]]:
    """Return a response without the id of its request."""
    body = answer.json() | {"instance": ""}
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status_code, body, headers


def list_hidden_ids(cast: Cast) -> dict[str, str]:
    """Return ids of existing records, each hidden from an office that is not a party."""
    for step in walk(cast):
        if step == "lawyer_sent":
            break
    assert cast.lead.does("close", cast.case, make_closure()).status_code == 409
    [given, *_] = cast.submitter.get(f"{get_path(cast.case)}/consents").json()["items"]
    ids = {"code": cast.case["code"], "consent_id": given["id"]}
    ids["screening_id"] = unwrap(cast.lead.screen(cast.case))["id"]
    consents = f"{get_path(cast.case)}/consents"
    unwrap(cast.lead.create(consents, make_handover_consent("SANA_SEZIM")))
    offered = unwrap(cast.lead.offer(cast.case, "SANA_SEZIM"))["id"]
    approval = cast.lead.create(f"{get_path(cast.case)}/questions", BODIES["ask_submitter"])
    ids["question_id"] = unwrap(approval)["id"]
    shelter, office = cast.people["shelter"], PEOPLE["shelter"]
    ids["session_id"] = unwrap(shelter.send("/sessions", {}))["id"]
    ids |= {"passkey_id": add_passkey(shelter), "contact": "KZ_SHELTER_KOGERSHIN_MAIL"}
    ids["enrolment_id"] = unwrap(Office(cast.world, office).begin())["id"]
    ids["webhook_id"] = create_webhook(cast.world, office).id
    ids |= {"release_id": release_quarter(cast.world), "point_id": write_point(cast.world)}
    path, asks = f"{get_path(cast.case)}/emergency-access", "request_emergency_access"
    ids["access_id"] = unwrap(cast.lead.create(path, BODIES[asks]))["id"]
    referral = cast.referrals["shelter"]["id"]
    officer, first = (cast.world.add_person(PEOPLE[n]) for n in ("submitter", "first"))
    home = begin_return(cast.world, officer, first).record["id"]
    return ids | {"referral_id": referral, "handover_id": offered, "return_id": home}


def generate_ids(hidden: dict[str, str]) -> dict[str, str]:
    """Return ids that do not exist, with the same lengths as the hidden ids."""
    return {key: str(uuid4()) for key in hidden} | {
        "code": create_case_code(uuid4()),
        "contact": "KZ_SHELTER_KOGERSHIN_POST",
    }


def request_approval(world: World) -> str:
    """Request an approval from a second person of the lead's office, and return its id."""
    case, lead = world.add_person(PEOPLE["submitter"]).submit(), world.add_person("KZ_LEAD")
    unwrap(lead.does("acknowledge", case))
    return str(unwrap(lead.does("close", case, make_closure()))["id"])


def test_a_stranger_cannot_tell_a_hidden_thing_from_a_missing_one(cast: Cast) -> None:
    hidden = list_hidden_ids(cast) | {"approval_id": request_approval(cast.world)}
    nothing = generate_ids(hidden)
    routes = list_routes(cast.world)

    for route in routes:
        there, nowhere = (reach(cast.stranger, route, ids) for ids in (hidden, nothing))
        assert as_told(there) == as_told(nowhere), route
        assert there.status_code == REFUSED.get(route[2], 404), route
        assert len(there.content) == len(nowhere.content)

    assert len(routes) > 30


def test_a_stranger_costs_the_same_statements_either_way(cast: Cast) -> None:
    hidden = list_hidden_ids(cast) | {"approval_id": request_approval(cast.world)}
    nothing = generate_ids(hidden)

    for route in list_routes(cast.world):
        said = []
        for ids in (hidden, nothing):
            with record_statements(cast.world.database) as statements:
                reach(cast.stranger, route, ids)
            said.append(statements)
        assert said[0] == said[1], route


def test_a_thing_of_another_case_is_not_found_in_ones_own(cast: Cast) -> None:
    hidden = list_hidden_ids(cast)
    own = unwrap(cast.stranger.create_case(summary={"country": "TT"}))
    ids = {"code": own["code"], "consent_id": hidden["consent_id"]}
    route = ("POST", "/cases/{code}/consents/{consent_id}/withdraw", "withdraw_consent")

    mixed = reach(cast.stranger, route, ids)
    missing = reach(cast.stranger, route, ids | {"consent_id": str(uuid4())})

    assert as_told(mixed) == as_told(missing)
    assert mixed.status_code == 404
    items = cast.submitter.get(f"{get_path(cast.case)}/consents").json()["items"]
    assert [item["withdrawn_at"] for item in items] == [None] * 3


def test_an_external_reference_of_another_submitter_is_not_told(cast: Cast) -> None:
    cast.submitter.create("/cases", make_case(external_reference="2026/17"))

    own = cast.submitter.create("/cases", make_case(external_reference="2026/17"))
    another = cast.stranger.create("/cases", make_case(external_reference="2026/17"))

    assert own.status_code == 409
    assert another.status_code == 201
