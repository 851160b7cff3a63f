"""Tests of the offices that may store a screening, get its events or open it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select, update

from app.cases import queries as case_queries
from app.cases.actions import replace_sealed
from app.cases.models import Sealed
from app.cases.sections import Indicators, Paper, Section
from app.directory.kinds import OfficeFunction
from app.directory.models import FocalPoint
from app.disclosure.models import AccessEntry
from app.kernel.actors import SERVICE, Role
from app.kernel.codes import create_case_code
from tests.support.databases import ask
from tests.support.directory_changes import update_directory
from tests.support.world import (
    ALL_SECTIONS,
    SIGNS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow
REMARKS = "canary-remarks"
WORDS = [*(code for codes in SIGNS.values() for code in codes), REMARKS]
WITH_SIGNS = [*ALL_SECTIONS, "indicators"]
MISSING = f"/{UUID(int=7)}"


def build_consents(sections: list[str] = WITH_SIGNS) -> list[Json]:
    """Return consents to the given sections, by default with the section `indicators`."""
    return [make_consent(sections=sections), make_service_consent(sections=sections)]


def create_screening(who: Someone, case: Json, **signs: Any) -> Json:
    return unwrap(who.screen(case, **SIGNS | {"remarks": REMARKS} | signs))


def list_screenings(who: Someone, case: Json) -> list[Json]:
    return list(unwrap(who.get(f"{get_path(case)}/screenings"))["items"])


def open_screening(who: Someone, case: Json, screening: Json) -> Response:
    return who.open(f"{get_path(case)}/screenings/{screening['id']}", "assessment")


def get_comparable_body(answer: Response) -> Json:
    """Return the body of a response without its `instance`, which is always different."""
    return dict(answer.json()) | {"instance": ""}


def repeats(text: str) -> list[str]:
    return [word for word in WORDS if word in text]


@dataclass
class Scene:
    """A case with a screening by its submitter, and the offices of the case."""

    officer: Someone
    lead: Someone
    shelter: Someone
    case: Json
    screening: Json


@pytest.fixture
def scene(officer: Someone, lead: Someone, shelter: Someone) -> Scene:
    case = officer.submit(consents=build_consents())
    return Scene(officer, lead, shelter, case, create_screening(officer, case))


def test_the_submitter_screens_and_then_the_lead_and_nobody_else(
    world: World, officer: Someone, lead: Someone, shelter: Someone, stranger: Someone
) -> None:
    case = unwrap(officer.create_case())
    oversight = world.add_person("OVERSIGHT_DEMO")
    analyst = world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})
    everyone = {
        "officer": officer,
        "analyst": analyst,
        "lead": lead,
        "shelter": shelter,
        "oversight": oversight,
        "stranger": stranger,
    }

    def answers() -> dict[str, int]:
        return {n: who.screen(case, **SIGNS).status_code for n, who in everyone.items()}

    nobody = dict.fromkeys(everyone, 404)
    assert answers() == nobody | {"officer": 201, "analyst": 403}
    unwrap(officer.does("submit", case))
    parties = nobody | {"officer": 201, "analyst": 403, "lead": 403, "oversight": 403}
    assert answers() == parties
    lead.take_lead(case)
    unwrap(
        shelter.does("accept", unwrap(lead.refer(case, shelter.code)), make_acceptance())
    )
    assert answers() == parties | {"officer": 403, "lead": 201, "shelter": 403}


def test_a_case_that_was_closed_is_screened_no_more(scene: Scene, world: World) -> None:
    lead, case = scene.lead, scene.case
    lead.take_lead(case)
    second = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    approval = unwrap(lead.does("close", case, make_closure()))
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", case, make_closure(), approval=approval["id"]))

    assert get_problem(lead.screen(case, **SIGNS)) == (409, "action-illegal")
    assert open_screening(lead, case, scene.screening).status_code == 404


def test_the_keepers_list_all_and_others_what_they_made(scene: Scene, world: World) -> None:
    officer, lead, shelter, case = scene.officer, scene.lead, scene.shelter, scene.case
    by_candidate = [s["id"] for s in list_screenings(lead, case)]
    lead.take_lead(case)
    unwrap(
        shelter.does("accept", unwrap(lead.refer(case, shelter.code)), make_acceptance())
    )
    world.advance(minutes=1)
    later = create_screening(lead, case)
    oversight = world.add_person("OVERSIGHT_DEMO")

    assert by_candidate == [scene.screening["id"]]
    assert [s["id"] for s in list_screenings(lead, case)] == [
        scene.screening["id"],
        later["id"],
    ]
    assert [s["id"] for s in list_screenings(officer, case)] == [scene.screening["id"]]
    assert list_screenings(shelter, case) == list_screenings(oversight, case) == []


def test_once_a_lead_has_it_the_submitter_does_not_hear_of_a_screening(
    scene: Scene,
) -> None:
    scene.lead.take_lead(scene.case)
    scene.officer.poll()
    create_screening(scene.lead, scene.case)

    assert "case.screened" not in list_types(scene.officer.poll())
    assert "case.screened" in list_types(scene.lead.poll())


def test_a_list_that_did_not_change_is_not_sent_again(scene: Scene) -> None:
    path = f"{get_path(scene.case)}/screenings"
    tag = scene.officer.get(path).headers["ETag"]

    again = scene.officer.ask("GET", path, headers={"If-None-Match": tag})
    create_screening(scene.officer, scene.case)
    changed = scene.officer.ask("GET", path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert len(unwrap(changed)["items"]) == 2


def test_what_is_kept_in_clear_is_the_outcome_and_nothing_of_what_was_seen(
    url: str, scene: Scene, world: World
) -> None:
    screening = scene.screening
    [row] = ask(url, "SELECT * FROM screening")
    with world.database.begin_read(SERVICE) as session:
        papers = select(Sealed.sealed).where(Sealed.kind == Paper.SCREENING)
        [sealed] = session.scalars(papers)

    assert set(screening) == {
        "id",
        "outcome",
        "counted_as",
        "scoring",
        "screened_by",
        "screened_at",
    }
    assert (screening["outcome"], screening["counted_as"]) == ("indicated", "adult")
    assert screening["screened_by"] == "UZ_CONSULATE_ALMATY"
    assert len(row) == 7
    assert repeats(str(row)) == []
    assert not any(word.encode() in sealed for word in WORDS)


def test_events_and_lists_say_that_and_never_what(scene: Scene) -> None:
    events = {who.code: who.poll() for who in (scene.officer, scene.lead, scene.shelter)}

    [event] = [e for e in events["UZ_CONSULATE_ALMATY"] if e["type"] == "case.screened"]
    assert event["facts"] == {"screening": scene.screening["id"]}
    assert event["subject"] == f"cases/{scene.case['code']}"
    assert list_types(events["KZ_LEAD"]).count("case.screened") == 1
    assert events["KZ_SHELTER_KOGERSHIN"] == []
    for who in (scene.officer, scene.lead):
        texts = [
            who.get(f"{get_path(scene.case)}{part}").text
            for part in ("", "/screenings", "/history", "/evidence", "/access-log")
        ]
        assert repeats("".join([*texts, str(events)])) == []


def test_what_was_ticked_is_opened_as_it_was_with_its_reasons(scene: Scene) -> None:
    opened = unwrap(open_screening(scene.officer, scene.case, scene.screening))

    content = opened["content"]
    assert opened["author"] == "UZ_CONSULATE_ALMATY"
    assert {name: content[name] for name in SIGNS} == SIGNS
    assert content["remarks"] == REMARKS
    assert content["result"]["outcome"] == "indicated"
    assert content["result"]["because"] == "said_adult"


OPENS = {
    "submitted": ("officer",),
    "acknowledged": ("officer",),
    "led": ("officer", "lead"),
    "sent": ("officer", "lead"),
    "accepted": ("officer", "lead", "shelter"),
    "declined": ("officer", "lead"),
}


def test_who_opens_it_is_who_opens_the_indicators(scene: Scene, world: World) -> None:
    officer, lead, shelter, case = scene.officer, scene.lead, scene.shelter, scene.case
    oversight, stranger = world.add_person("OVERSIGHT_DEMO"), world.add_person("IOM")
    people = {"officer": officer, "lead": lead, "shelter": shelter}
    people |= {"oversight": oversight, "stranger": stranger}
    signs = {"section": "indicators", "codes": ["ILO11_09"]}
    seen = {"If-Match": officer.get_tag(case)}
    path = f"{get_path(case)}/sections/indicators"
    unwrap(officer.ask("PUT", path, signs, headers=seen))
    sent: Json = {}

    for step, expected in OPENS.items():
        match step:
            case "acknowledged":
                unwrap(lead.does("acknowledge", case))
            case "led":
                accept = {"contacts": make_acceptance()["contacts"]}
                unwrap(lead.does("accept-lead", case, accept))
            case "sent":
                sent = unwrap(lead.refer(case, shelter.code, sections=WITH_SIGNS))
            case "accepted":
                unwrap(shelter.does("accept", sent, make_acceptance()))
            case "declined":
                unwrap(shelter.does("decline", sent, {"reason": "LANGUAGE"}))
            case _:
                assert step == "submitted"
        answers = {
            name: open_screening(p, case, scene.screening) for name, p in people.items()
        }
        as_section = {name for name, p in people.items() if p.open(path).is_success}
        may = {name for name, answer in answers.items() if answer.is_success}
        assert may == as_section == set(expected), step


def test_a_recipient_that_was_not_sent_the_indicators_opens_none(scene: Scene) -> None:
    lead, shelter, case = scene.lead, scene.shelter, scene.case
    lead.take_lead(case)
    sent = unwrap(lead.refer(case, shelter.code, sections=ALL_SECTIONS))
    unwrap(shelter.does("accept", sent, make_acceptance()))

    assert open_screening(shelter, case, scene.screening).status_code == 404
    assert unwrap(shelter.open(f"{get_path(case)}/sections/health"))


def test_without_consent_to_the_indicators_the_lead_opens_what_it_made_alone(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=build_consents(ALL_SECTIONS))
    theirs = create_screening(officer, case)
    lead.take_lead(case)
    own = create_screening(lead, case)

    assert open_screening(lead, case, theirs).status_code == 404
    assert unwrap(open_screening(lead, case, own))
    assert open_screening(officer, case, own).status_code == 404
    assert unwrap(open_screening(officer, case, theirs))


def test_police_need_a_consent_of_their_own(scene: Scene, world: World) -> None:
    lead, case = scene.lead, scene.case
    lead.take_lead(case)
    with world.database.begin_write() as session:
        police = update(FocalPoint).where(FocalPoint.code == "KZ_LEAD")
        update_directory(session, police.values(function=OfficeFunction.POLICE))
    refused = open_screening(lead, case, scene.screening)
    allowed = make_consent(sections=WITH_SIGNS, purposes=["LAW_ENFORCEMENT"])
    unwrap(lead.create(f"{get_path(case)}/consents", allowed))

    assert refused.status_code == 404
    assert unwrap(open_screening(lead, case, scene.screening))


def test_a_consent_that_is_taken_back_shuts_it_at_once(scene: Scene) -> None:
    lead, case = scene.lead, scene.case
    lead.take_lead(case)
    before = open_screening(lead, case, scene.screening)
    for item in unwrap(lead.get(f"{get_path(case)}/consents"))["items"]:
        unwrap(lead.send(f"{get_path(case)}/consents/{item['id']}/withdraw"))

    assert unwrap(before)
    assert open_screening(lead, case, scene.screening).status_code == 404


def test_a_section_that_was_sealed_under_another_list_still_opens(scene: Scene) -> None:
    officer, path = scene.officer, f"{get_path(scene.case)}/sections/indicators"
    old = Indicators(section=Section.INDICATORS, codes=["A_CODE_THAT_IS_GONE"])
    with officer.begin_write() as tx:
        replace_sealed(
            tx, case_queries.get(tx, scene.case["code"]), Section.INDICATORS, old
        )

    assert unwrap(officer.open(path))["content"]["codes"] == ["A_CODE_THAT_IS_GONE"]


def test_each_opening_and_each_refusal_is_entered_before(
    scene: Scene, world: World
) -> None:
    lead, case = scene.lead, scene.case
    lead.take_lead(case)
    oversight = world.add_person("OVERSIGHT_DEMO")
    unwrap(open_screening(lead, case, scene.screening))
    open_screening(oversight, case, scene.screening)
    lead.get(f"{get_path(case)}/screenings/{scene.screening['id']}")  # no purpose

    log = unwrap(oversight.get(f"{get_path(case)}/access-log"))["items"]
    assert [(e["focal_point"], e["subject"], e["allowed"]) for e in log] == [
        ("KZ_LEAD", "screening", True),
        ("OVERSIGHT_DEMO", "screening", False),
    ]
    assert {e["purpose"] for e in log} == {"assessment"}


def test_the_entry_names_the_screening_and_not_its_case(scene: Scene) -> None:
    scene.lead.take_lead(scene.case)
    unwrap(open_screening(scene.lead, scene.case, scene.screening))

    with scene.lead.begin_read() as tx:
        [entered] = tx.session.scalars(select(AccessEntry.record_id))
    assert str(entered) == scene.screening["id"]


def test_what_is_not_there_is_not_opened_by_who_might_have(scene: Scene) -> None:
    scene.lead.take_lead(scene.case)

    missing = scene.lead.open(f"{get_path(scene.case)}/screenings{MISSING}")

    assert get_problem(missing) == (404, "not-found")


def test_hidden_missing_and_of_another_case_answer_alike(scene: Scene) -> None:
    other = scene.officer.submit(consents=build_consents())
    elsewhere = create_screening(scene.officer, other)
    path = f"{get_path(scene.case)}/screenings"

    hidden = scene.lead.open(f"{path}/{scene.screening['id']}")
    missing = scene.officer.open(f"{path}{MISSING}")
    moved = scene.officer.open(f"{path}/{elsewhere['id']}")

    assert {hidden.status_code, missing.status_code, moved.status_code} == {404}
    assert (
        get_comparable_body(hidden)
        == get_comparable_body(missing)
        == get_comparable_body(moved)
    )


def test_of_a_case_that_is_not_theirs_strangers_learn_nothing(
    scene: Scene, stranger: Someone
) -> None:
    path = f"{get_path(scene.case)}/screenings"

    answers = [
        stranger.get(path),
        stranger.open(f"{path}/{scene.screening['id']}"),
        stranger.screen(scene.case, **SIGNS),
    ]

    for answer in answers:
        assert get_problem(answer) == (404, "not-found")
        assert get_comparable_body(answer) == get_comparable_body(
            stranger.get(f"/cases/{create_case_code(uuid4())}")
        )
