"""Tests of access to sections. An access is logged before the response is sent."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.access.actions import disable_account
from app.cases.models import Case, Sealed
from app.kernel.actors import SERVICE, Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow
SECTIONS: dict[str, Json] = {
    "needs": {"section": "needs", "summary": "canary-needs"},
    "contact": {"section": "contact", "alias": "canary-contact", "safe_channel": "Signal"},
    "identity": {"section": "identity", "names": ["canary-identity"]},
    "narrative": {"section": "narrative", "text": "canary-narrative"},
    "indicators": {"section": "indicators", "remarks": "canary-indicators"},
    "perpetrators": {"section": "perpetrators", "text": "canary-perpetrators"},
    "health": {"section": "health", "text": "canary-health"},
}
GUARDS: Json = {"country_of_origin": "UZ", "unsafe_people": "canary-safeguards"}
WHOLE = list(SECTIONS)
NEEDS = "needs"
ALL = " ".join(WHOLE)
DESK, HOUSE = ("canary-case-contacts", "Айгүл"), ("canary-house-contact", "Ильяс")

# The documents that each office may open after each step, not derived from the policy.
# `own` is the note of the risk assessment; `place` is the arrangement of the shelter;
# `told` is the feedback of the shelter at completion.
OPENS = {
    "drafted": {"officer": f"{ALL} safeguards own"},
    "submitted": {"officer": f"{ALL} safeguards own", "lead": NEEDS},
    "acknowledged": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{NEEDS} contact safeguards own",
    },
    "lead_accepted": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts",
    },
    "sent": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts",
        "shelter": NEEDS,
    },
    "received": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts",
        "shelter": NEEDS,
    },
    "accepted": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts place",
        "shelter": f"{ALL} contacts place",
    },
    "started": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts place",
        "shelter": f"{ALL} contacts place",
    },
    "completed": {
        "officer": f"{ALL} safeguards own",
        "lead": f"{ALL} safeguards own contacts place told",
        "shelter": "place told",
    },
    "closed": {},
}


@dataclass
class Scene:
    """A case with all its sealed documents, and the people of its offices."""

    world: World
    people: dict[str, Someone]
    case: Json
    referral: Json | None = None

    def does(self, step: str) -> None:
        """Take the step with this name."""
        officer, lead, shelter = (self.people[n] for n in ("officer", "lead", "shelter"))
        case, sent = self.case, self.referral or {}
        match step:
            case "submitted":
                unwrap(officer.does("submit", case))
            case "acknowledged":
                unwrap(lead.does("acknowledge", case))
            case "lead_accepted":
                unwrap(lead.does("accept-lead", case, {"contacts": make_contacts(*DESK)}))
            case "sent":
                self.referral = unwrap(lead.refer(case, shelter.code, sections=WHOLE))
            case "received":
                unwrap(shelter.does("acknowledge", sent))
            case "accepted":
                place = make_acceptance() | {"contacts": make_contacts(*HOUSE)}
                unwrap(shelter.does("accept", sent, place))
            case "started":
                unwrap(shelter.does("start", sent, {"person_met": True}))
            case "completed":
                report = {"outcome": "delivered", "feedback": "canary-told"}
                unwrap(shelter.does("complete", sent, report))
            case "closed":
                second = self.world.add_person("KZ_LEAD", {Role.SUPERVISOR})
                approval = unwrap(lead.does("close", case, make_closure()))
                unwrap(second.send(f"/approvals/{approval['id']}/approve"))
                unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))
            case _:
                assert step == "drafted"

    def after(self, step: str) -> "Scene":
        """Take all steps up to and including a step, and return the scene."""
        for name in list(OPENS)[1 : list(OPENS).index(step) + 1]:
            self.does(name)
        return self

    def paths(self) -> dict[str, str]:
        """Return the path of each kind of sealed document, by the name of the kind."""
        path = get_path(self.case)
        found = {name: f"{path}/sections/{name}" for name in WHOLE}
        found |= {"safeguards": f"{path}/safeguards", "contacts": f"{path}/contacts"}
        found["own"] = f"{path}/notes"
        if self.referral:
            of_referral = get_path(self.referral)
            found["place"] = f"{of_referral}/arrangement"
            found["told"] = f"{of_referral}/notes"
        return found

    def opened(self, name: str) -> set[str]:
        """Return the names of the sealed documents that a person can open at present."""
        answers = {what: self.opens(name, what) for what in self.paths()}
        assert {a.status_code for a in answers.values()} <= {200, 404}
        return {what for what, a in answers.items() if CANARIES[what] in a.text}

    def opens(self, name: str, what: str) -> Response:
        return self.people[name].open(self.paths()[what])

    def log(self) -> list[Json]:
        """Return the entries of the access log that oversight can read."""
        path = f"{get_path(self.case)}/access-log"
        return list(unwrap(self.people["oversight"].get(path, limit=200))["items"])


CANARIES = {name: f"canary-{name}" for name in (*WHOLE, "safeguards", "told")} | {
    "own": "canary-risk",
    "contacts": "canary-case-contacts",
    "place": "canary-house-contact",
}
OTHERS = {
    "other": "KZ_LEGAL_AID",
    "desk": "DESK_CENTRAL_ASIA",
    "oversight": "OVERSIGHT_DEMO",
    "stranger": "JM_CONSULATE_PORT_OF_SPAIN",
}


@pytest.fixture
def scene(world: World, officer: Someone, lead: Someone, shelter: Someone) -> Scene:
    """Return a scene with the draft of a case whose consents permit everything."""
    people = {name: world.add_person(code) for name, code in OTHERS.items()}
    people |= {"officer": officer, "lead": lead, "shelter": shelter}
    return Scene(world, people, draft(officer))


def draft(officer: Someone, **safeguards: str) -> Json:
    given = [make_consent(sections=WHOLE), make_service_consent(sections=WHOLE)]
    back = {"recipient_class": {"kind": "state", "country": "UZ"}, "purposes": ["RETURN"]}
    return unwrap(
        officer.create_case(
            sections=list(SECTIONS.values()),
            safeguards=GUARDS | safeguards,
            consents=[*given, make_consent(sections=WHOLE, **back)],
            risk={"level": "low", "remarks": "canary-risk"},
        )
    )


def test_everyone_opens_what_the_table_says_and_nothing_else(scene: Scene) -> None:
    for step, expected in OPENS.items():
        scene.does(step)

        opened = {name: scene.opened(name) for name in scene.people}
        opened["shelter"].discard("own")

        assert opened == {n: set(expected.get(n, "").split()) for n in scene.people}, step


@pytest.mark.parametrize("ending", ["decline", "revoke", "withdraw", "lead_withdraws"])
def test_what_was_open_to_a_recipient_is_shut_in_the_next_request(
    ending: str, scene: Scene
) -> None:
    scene.after("accepted")
    before = scene.opened("shelter")
    lead, shelter, sent = scene.people["lead"], scene.people["shelter"], scene.referral
    assert sent is not None
    [*_, given] = unwrap(shelter.get(f"{get_path(scene.case)}/consents"))["items"]
    withdraw = f"{get_path(scene.case)}/consents/{given['id']}/withdraw"
    match ending:
        case "decline":
            unwrap(shelter.does("decline", sent, {"reason": "NO_CAPACITY"}))
        case "revoke":
            unwrap(lead.does("revoke", sent, {"reason": "NO_LONGER_NEEDED"}))
        case "withdraw":
            unwrap(shelter.send(withdraw))
        case _:
            unwrap(lead.send(withdraw))

    assert before >= {*WHOLE, "contacts", "place"}
    assert scene.opened("shelter") & {*WHOLE, "contacts", "place"} == set()
    assert "place" not in scene.opened("lead")


@pytest.mark.parametrize("ending", ["", "decline"])
def test_a_recipient_reads_no_note_of_the_case(ending: str, scene: Scene) -> None:
    scene.after("accepted")
    assert scene.referral is not None
    if ending:
        unwrap(scene.people["shelter"].does(ending, scene.referral, {"reason": "LANGUAGE"}))

    assert "own" not in scene.opened("shelter")


def test_a_candidate_that_declines_opens_nothing_more(scene: Scene) -> None:
    scene.after("acknowledged")
    before = scene.opened("lead")
    scene.people["lead"].does("decline-lead", scene.case, {"reason": "NO_CAPACITY"})

    assert before == {"needs", "contact", "safeguards", "own"}
    assert scene.opened("lead") == set()


def test_a_lead_without_consent_opens_no_section(scene: Scene) -> None:
    scene.after("lead_accepted")
    lead, path = scene.people["lead"], get_path(scene.case)
    for given in unwrap(lead.get(f"{path}/consents"))["items"]:
        unwrap(lead.send(f"{path}/consents/{given['id']}/withdraw"))

    assert scene.opened("lead") == {"safeguards", "own", "contacts"}


def test_a_disabled_account_opens_nothing(scene: Scene) -> None:
    scene.after("lead_accepted")
    lead = scene.people["lead"]
    before = scene.opens("lead", "needs")
    with scene.world.database.begin_write() as session:
        disable_account(session, lead.actor.account_id, scene.world.now)

    after = scene.opens("lead", "needs")

    assert (before.status_code, after.status_code) == (200, 401)
    assert "canary" not in after.text


@pytest.mark.parametrize("change", ["unsafe", "blocked"])
def test_who_turns_out_to_be_unsafe_reads_nothing_more(change: str, scene: Scene) -> None:
    of_origin(scene)
    before = scene.opened("home")
    guards = GUARDS | {"origin_contact": "permitted"} | CHANGES[change]
    write(scene.people["lead"], scene.case, "safeguards", guards)

    assert before >= {*WHOLE, "place"}
    assert scene.opened("home") & {*WHOLE, "contacts"} == set()


CHANGES: dict[str, Json] = {
    "unsafe": {"unsafe_focal_points": ["UZ_LEAD"]},
    "blocked": {"origin_contact": "blocked", "fear_of_state": True},
}


def write(
    one: Someone, case: Json, what: str, content: Json, tag: str | None = None
) -> Response:
    """Replace a sealed document, by default with the current entity tag of the case."""
    match = {"If-Match": tag or one.get_tag(case)}
    return one.ask("PUT", f"{get_path(case)}/{what}", content, headers=match)


def of_origin(scene: Scene) -> Someone:
    """Return a person of the State of origin, whose office has accepted a referral."""
    scene.after("lead_accepted")
    lead = scene.people["lead"]
    home = scene.people["home"] = scene.world.add_person("UZ_LEAD")
    unwrap(write(lead, scene.case, "safeguards", GUARDS | {"origin_contact": "permitted"}))
    answer = lead.refer(scene.case, "UZ_LEAD", service="RETURN", sections=WHOLE)
    scene.referral = unwrap(answer)
    place = make_acceptance() | {"contacts": make_contacts(*HOUSE)}
    unwrap(home.does("accept", scene.referral, place))
    return home


def test_the_state_of_origin_opens_what_it_wrote_and_was_sent_alone(scene: Scene) -> None:
    of_origin(scene)

    assert scene.opened("home") - {"own"} == {*WHOLE, "place"}


def test_the_state_of_origin_reads_no_note_of_the_other_side(scene: Scene) -> None:
    home, lead = of_origin(scene), scene.people["lead"]
    assert scene.referral is not None
    why = {"reason": "SENT_IN_ERROR", "note": "canary-told: she is at the shelter"}
    unwrap(lead.does("revoke", scene.referral, why))

    assert "canary" not in home.open(f"{get_path(scene.referral)}/notes").text
    assert "canary" not in home.open(f"{get_path(scene.case)}/notes").text


@pytest.mark.parametrize(
    ("origin", "permission", "opens"),
    [("KZ", "undecided", False), ("KZ", "permitted", True), ("UZ", "undecided", True)],
)
def test_a_body_of_the_state_of_origin_needs_leave_for_the_identity(
    origin: str, permission: str, opens: bool, scene: Scene
) -> None:
    guards = {"country_of_origin": origin, "origin_contact": permission}
    scene.case = draft(scene.people["officer"], **guards)
    scene.after("lead_accepted")

    assert ("identity" in scene.opened("lead")) == opens
    assert "narrative" in scene.opened("lead")


def test_a_lead_of_the_state_of_origin_never_learns_where_the_person_is(
    scene: Scene,
) -> None:
    scene.case = draft(scene.people["officer"], country_of_origin="KZ")
    scene.after("completed")

    assert scene.opened("lead") & {"place", "told", "own"} == set()


@pytest.mark.parametrize(
    ("post", "origin", "opens"),
    [
        ("UZ_CONSULATE_ALMATY", "UZ", False),
        ("UZ_CONSULATE_ALMATY", None, False),
        ("JM_CONSULATE_PORT_OF_SPAIN", None, False),
        ("JM_CONSULATE_PORT_OF_SPAIN", "UZ", True),
        ("KZ_LEGAL_AID", None, True),
    ],
)
def test_a_foreign_state_counts_as_origin_until_the_origin_is_known(
    post: str, origin: str | None, opens: bool, scene: Scene
) -> None:
    officer = scene.people["officer"] = scene.world.add_person(post)
    guards = {"country_of_origin": origin} if origin else {}
    scene.case = unwrap(officer.create_case(safeguards=guards))
    scene.after("lead_accepted")

    assert ("contacts" in scene.opened("officer")) == opens


def test_a_reading_says_what_for(scene: Scene) -> None:
    scene.after("lead_accepted")
    lead, before = scene.people["lead"], scene.log()

    for path in scene.paths().values():
        for refused in (lead.get(path), lead.open(path, "curiosity")):
            assert refused.status_code == 422
            assert [e["pointer"] for e in refused.json()["errors"]] == ["Purpose"]

    assert scene.log() == before


def test_each_opening_and_each_refusal_is_entered_once(scene: Scene) -> None:
    scene.after("accepted")
    asked: list[tuple[str, str, str, bool]] = []

    for name in ("lead", "officer", "shelter", "oversight"):
        may = scene.opened(name)
        before = len(scene.log())
        for what in (*WHOLE, "safeguards", "contacts"):
            answer = scene.people[name].open(scene.paths()[what], "protection")
            asked.append((scene.people[name].code, what, "protection", what in may))
            assert answer.is_success == (what in may)
        assert len(scene.log()) == before + len(WHOLE) + 2

    names = ("focal_point", "subject", "purpose", "allowed")
    entered = [tuple(entry[name] for name in names) for entry in log(scene)]
    assert entered == asked


def log(scene: Scene) -> list[Json]:
    """Return the access log entries with the purpose "protection"."""
    return [entry for entry in scene.log() if entry["purpose"] == "protection"]


def test_a_stranger_leaves_no_entry(scene: Scene) -> None:
    scene.after("lead_accepted")

    refused = [scene.opens("stranger", what).status_code for what in scene.paths()]

    assert set(refused) == {404}
    assert scene.log() == []


def test_a_refusal_answers_like_a_section_that_was_never_written(scene: Scene) -> None:
    scene.case = scene.people["officer"].submit(sections=[SECTIONS["identity"]])

    refused, unwritten = (scene.opens("lead", what) for what in ("identity", "health"))

    assert refused.status_code == unwritten.status_code == 404
    assert told(refused) == told(unwritten)


def told(answer: Response) -> Json:
    return dict(answer.json()) | {"instance": ""}


def test_the_log_is_for_the_lead_and_for_oversight(scene: Scene) -> None:
    scene.after("accepted")
    path = f"{get_path(scene.case)}/access-log"

    answers = {name: one.get(path).status_code for name, one in scene.people.items()}

    assert answers == {
        "lead": 200,
        "oversight": 200,
        "officer": 403,
        "shelter": 403,
        "other": 404,
        "desk": 404,
        "stranger": 404,
    }


WRITERS = {
    "drafted": {"officer": 200, "lead": 404, "shelter": 404, "stranger": 404},
    "submitted": {"officer": 200, "lead": 403, "oversight": 403, "stranger": 404},
    "acknowledged": {"officer": 200, "lead": 403, "oversight": 403, "stranger": 404},
    "lead_accepted": {"officer": 403, "lead": 200, "oversight": 403, "stranger": 404},
    "accepted": {"officer": 403, "lead": 200, "shelter": 403, "stranger": 404},
    "closed": {"officer": 403, "lead": 403, "shelter": 403, "stranger": 404},
}


@pytest.mark.parametrize("step", WRITERS)
@pytest.mark.parametrize("what", ["sections/needs", "safeguards"])
def test_the_submitter_writes_until_there_is_a_lead_and_then_the_lead(
    what: str, step: str, scene: Scene
) -> None:
    scene.after(step)
    content = {"sections/needs": SECTIONS["needs"], "safeguards": GUARDS}[what]
    writer = "officer" if WRITERS[step]["officer"] == 200 else "lead"

    for name, status in WRITERS[step].items():
        tag = scene.people[writer].get_tag(scene.case)  # others do not see the version
        answer = write(scene.people[name], scene.case, what, content, tag)
        assert answer.status_code == status, (name, answer.text)


def test_what_the_lead_writes_anew_is_no_longer_the_submitters(scene: Scene) -> None:
    scene.after("lead_accepted")
    unwrap(write(scene.people["lead"], scene.case, "sections/needs", SECTIONS["needs"]))

    assert scene.opened("officer") == {*WHOLE, "safeguards", "own"} - {"needs"}


def test_a_body_of_another_section_is_refused(scene: Scene) -> None:
    officer, case = scene.people["officer"], scene.case

    refused = write(officer, case, "sections/needs", SECTIONS["health"])

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/section-mismatch"
    assert "canary-needs" in scene.opens("officer", "needs").text


def test_writing_the_same_again_gives_another_ciphertext(scene: Scene) -> None:
    officer, case = scene.people["officer"], scene.case

    kept = [get_sealed_row(scene, "needs")]
    for _ in range(3):
        unwrap(write(officer, case, "sections/needs", SECTIONS["needs"]))
        kept.append(get_sealed_row(scene, "needs"))
    assert len({row for row, _ in kept}) == 1
    assert len({text for _, text in kept}) == len({text[:12] for _, text in kept}) == 4


def get_sealed_row(scene: Scene, kind: str) -> tuple[UUID, bytes]:
    """Return the row id and the sealed bytes of a document of the case."""
    with scene.world.database.begin_read(SERVICE) as session:
        of_case = select(Case.id).where(Case.code == scene.case["code"]).scalar_subquery()
        named = (Sealed.record_id == of_case) & (Sealed.kind == kind)
        row = session.scalars(select(Sealed).where(named)).one()
        return row.id, row.sealed
