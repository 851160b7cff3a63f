"""Tests of who stores screenings, receives their events and opens their indicators."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select, update

from app.cases import queries
from app.cases.actions import seal
from app.cases.models import Sealed
from app.cases.sections import Indicators, Paper, Section
from app.directory.kinds import Function
from app.directory.models import FocalPoint
from app.disclosure.models import AccessEntry
from app.kernel.actors import SERVICE, Role
from app.kernel.codes import new_code
from tests.support.databases import ask
from tests.support.world import (
    ALL_SECTIONS,
    SIGNS,
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_services,
    kinds,
    path_of,
    problem,
    promise,
)

pytestmark = pytest.mark.slow
REMARKS = "canary-remarks"
WORDS = [*(code for codes in SIGNS.values() for code in codes), REMARKS]
WITH_SIGNS = [*ALL_SECTIONS, "indicators"]
MISSING = f"/{UUID(int=7)}"


def build_consents(sections: list[str] = WITH_SIGNS) -> list[Json]:
    """Return consents to all sections that these tests send, including the indicators."""
    return [consent(sections=sections), for_services(sections=sections)]


def create_screening(who: Someone, case: Json, **signs: Any) -> Json:
    return done(who.screens(case, **SIGNS | {"remarks": REMARKS} | signs))


def list_screenings(who: Someone, case: Json) -> list[Json]:
    return list(done(who.get(f"{path_of(case)}/screenings"))["items"])


def open_screening(who: Someone, case: Json, screening: Json) -> Response:
    return who.opens(f"{path_of(case)}/screenings/{screening['id']}", "assessment")


def get_comparable_body(answer: Response) -> Json:
    """Return the body of an answer without its instance, which is unique."""
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
    case = officer.submits(consents=build_consents())
    return Scene(officer, lead, shelter, case, create_screening(officer, case))


def test_the_submitter_screens_and_then_the_lead_and_nobody_else(
    world: World, officer: Someone, lead: Someone, shelter: Someone, stranger: Someone
) -> None:
    case = done(officer.writes_case())
    oversight = world.someone("OVERSIGHT_DEMO")
    analyst = world.someone("UZ_CONSULATE_ALMATY", {Role.ANALYST})
    everyone = {
        "officer": officer,
        "analyst": analyst,
        "lead": lead,
        "shelter": shelter,
        "oversight": oversight,
        "stranger": stranger,
    }

    def answers() -> dict[str, int]:
        return {n: who.screens(case, **SIGNS).status_code for n, who in everyone.items()}

    nobody = dict.fromkeys(everyone, 404)
    assert answers() == nobody | {"officer": 201, "analyst": 403}
    done(officer.does("submit", case))
    parties = nobody | {"officer": 201, "analyst": 403, "lead": 403, "oversight": 403}
    assert answers() == parties
    lead.leads(case)
    done(shelter.does("accept", done(lead.refers(case, shelter.code)), promise()))
    assert answers() == parties | {"officer": 403, "lead": 201, "shelter": 403}


def test_a_case_that_was_closed_is_screened_no_more(scene: Scene, world: World) -> None:
    lead, case = scene.lead, scene.case
    lead.leads(case)
    second = world.someone("KZ_LEAD", {Role.SUPERVISOR})
    asked = done(lead.does("close", case, closing()))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("close", case, closing(), approval=asked["id"]))

    assert problem(lead.screens(case, **SIGNS)) == (409, "action-illegal")
    assert open_screening(lead, case, scene.screening).status_code == 404


def test_the_keepers_list_all_and_others_what_they_made(scene: Scene, world: World) -> None:
    officer, lead, shelter, case = scene.officer, scene.lead, scene.shelter, scene.case
    by_candidate = [s["id"] for s in list_screenings(lead, case)]
    lead.leads(case)
    done(shelter.does("accept", done(lead.refers(case, shelter.code)), promise()))
    world.passes(minutes=1)
    later = create_screening(lead, case)
    oversight = world.someone("OVERSIGHT_DEMO")

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
    scene.lead.leads(scene.case)
    scene.officer.hears()
    create_screening(scene.lead, scene.case)

    assert "case.screened" not in kinds(scene.officer.hears())
    assert "case.screened" in kinds(scene.lead.hears())


def test_a_list_that_did_not_change_is_not_sent_again(scene: Scene) -> None:
    path = f"{path_of(scene.case)}/screenings"
    tag = scene.officer.get(path).headers["ETag"]

    again = scene.officer.ask("GET", path, headers={"If-None-Match": tag})
    create_screening(scene.officer, scene.case)
    changed = scene.officer.ask("GET", path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert len(done(changed)["items"]) == 2


def test_what_is_kept_in_clear_is_the_outcome_and_nothing_of_what_was_seen(
    url: str, scene: Scene, world: World
) -> None:
    screening = scene.screening
    [row] = ask(url, "SELECT * FROM screening")
    with world.database.reading(SERVICE) as session:
        papers = select(Sealed.sealed).where(Sealed.kind == Paper.SCREENING)
        [sealed] = session.scalars(papers)

    assert set(screening) == {
        *("id", "outcome", "counted_as", "scoring", "screened_by", "screened_at"),
    }
    assert (screening["outcome"], screening["counted_as"]) == ("indicated", "adult")
    assert screening["screened_by"] == "UZ_CONSULATE_ALMATY"
    assert len(row) == 7
    assert repeats(str(row)) == []
    assert not any(word.encode() in sealed for word in WORDS)


def test_events_and_lists_say_that_and_never_what(scene: Scene) -> None:
    heard = {who.code: who.hears() for who in (scene.officer, scene.lead, scene.shelter)}

    [event] = [e for e in heard["UZ_CONSULATE_ALMATY"] if e["type"] == "case.screened"]
    assert event["facts"] == {"screening": scene.screening["id"]}
    assert event["subject"] == f"cases/{scene.case['code']}"
    assert kinds(heard["KZ_LEAD"]).count("case.screened") == 1
    assert heard["KZ_SHELTER_KOGERSHIN"] == []
    for who in (scene.officer, scene.lead):
        texts = [
            who.get(f"{path_of(scene.case)}{part}").text
            for part in ("", "/screenings", "/history", "/evidence", "/access-log")
        ]
        assert repeats("".join([*texts, str(heard)])) == []


def test_what_was_ticked_is_opened_as_it_was_with_its_reasons(scene: Scene) -> None:
    opened = done(open_screening(scene.officer, scene.case, scene.screening))

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
    oversight, stranger = world.someone("OVERSIGHT_DEMO"), world.someone("IOM")
    people = {"officer": officer, "lead": lead, "shelter": shelter}
    people |= {"oversight": oversight, "stranger": stranger}
    signs = {"section": "indicators", "codes": ["ILO11_09"]}
    seen = {"If-Match": officer.tag(case)}
    path = f"{path_of(case)}/sections/indicators"
    done(officer.ask("PUT", path, signs, headers=seen))
    sent: Json = {}

    for step, expected in OPENS.items():
        match step:
            case "acknowledged":
                done(lead.does("acknowledge", case))
            case "led":
                accept = {"contacts": promise()["contacts"]}
                done(lead.does("accept-lead", case, accept))
            case "sent":
                sent = done(lead.refers(case, shelter.code, sections=WITH_SIGNS))
            case "accepted":
                done(shelter.does("accept", sent, promise()))
            case "declined":
                done(shelter.does("decline", sent, {"reason": "LANGUAGE"}))
            case _:
                assert step == "submitted"
        answers = {
            name: open_screening(p, case, scene.screening) for name, p in people.items()
        }
        as_section = {name for name, p in people.items() if p.opens(path).is_success}
        may = {name for name, answer in answers.items() if answer.is_success}
        assert may == as_section == set(expected), step


def test_a_recipient_that_was_not_sent_the_indicators_opens_none(scene: Scene) -> None:
    lead, shelter, case = scene.lead, scene.shelter, scene.case
    lead.leads(case)
    sent = done(lead.refers(case, shelter.code, sections=ALL_SECTIONS))
    done(shelter.does("accept", sent, promise()))

    assert open_screening(shelter, case, scene.screening).status_code == 404
    assert done(shelter.opens(f"{path_of(case)}/sections/health"))


def test_without_consent_to_the_indicators_the_lead_opens_what_it_made_alone(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=build_consents(ALL_SECTIONS))
    theirs = create_screening(officer, case)
    lead.leads(case)
    own = create_screening(lead, case)

    assert open_screening(lead, case, theirs).status_code == 404
    assert done(open_screening(lead, case, own))
    assert open_screening(officer, case, own).status_code == 404
    assert done(open_screening(officer, case, theirs))


def test_police_need_a_consent_of_their_own(scene: Scene, world: World) -> None:
    lead, case = scene.lead, scene.case
    lead.leads(case)
    with world.database.writing() as session:
        police = update(FocalPoint).where(FocalPoint.code == "KZ_LEAD")
        session.execute(police.values(function=Function.POLICE))
    refused = open_screening(lead, case, scene.screening)
    allowed = consent(sections=WITH_SIGNS, purposes=["LAW_ENFORCEMENT"])
    done(lead.creates(f"{path_of(case)}/consents", allowed))

    assert refused.status_code == 404
    assert done(open_screening(lead, case, scene.screening))


def test_a_consent_that_is_taken_back_shuts_it_at_once(scene: Scene) -> None:
    lead, case = scene.lead, scene.case
    lead.leads(case)
    before = open_screening(lead, case, scene.screening)
    for item in done(lead.get(f"{path_of(case)}/consents"))["items"]:
        done(lead.post(f"{path_of(case)}/consents/{item['id']}/withdraw"))

    assert done(before)
    assert open_screening(lead, case, scene.screening).status_code == 404


def test_a_section_that_was_sealed_under_another_list_still_opens(scene: Scene) -> None:
    officer, path = scene.officer, f"{path_of(scene.case)}/sections/indicators"
    old = Indicators(section=Section.INDICATORS, codes=["A_CODE_THAT_IS_GONE"])
    with officer.writing() as work:
        seal(work, queries.get(work, scene.case["code"]), Section.INDICATORS, old)

    assert done(officer.opens(path))["content"]["codes"] == ["A_CODE_THAT_IS_GONE"]


def test_each_opening_and_each_refusal_is_entered_before(
    scene: Scene, world: World
) -> None:
    lead, case = scene.lead, scene.case
    lead.leads(case)
    oversight = world.someone("OVERSIGHT_DEMO")
    done(open_screening(lead, case, scene.screening))
    open_screening(oversight, case, scene.screening)
    lead.get(f"{path_of(case)}/screenings/{scene.screening['id']}")  # Without a purpose.

    log = done(oversight.get(f"{path_of(case)}/access-log"))["items"]
    assert [(e["focal_point"], e["subject"], e["allowed"]) for e in log] == [
        ("KZ_LEAD", "screening", True),
        ("OVERSIGHT_DEMO", "screening", False),
    ]
    assert {e["purpose"] for e in log} == {"assessment"}


def test_the_entry_names_the_screening_and_not_its_case(scene: Scene) -> None:
    scene.lead.leads(scene.case)
    done(open_screening(scene.lead, scene.case, scene.screening))

    with scene.lead.reading() as work:
        [entered] = work.session.scalars(select(AccessEntry.record_id))
    assert str(entered) == scene.screening["id"]


def test_what_is_not_there_is_not_opened_by_who_might_have(scene: Scene) -> None:
    scene.lead.leads(scene.case)

    missing = scene.lead.opens(f"{path_of(scene.case)}/screenings{MISSING}")

    assert problem(missing) == (404, "not-found")


def test_hidden_missing_and_of_another_case_answer_alike(scene: Scene) -> None:
    other = scene.officer.submits(consents=build_consents())
    elsewhere = create_screening(scene.officer, other)
    path = f"{path_of(scene.case)}/screenings"

    hidden = scene.lead.opens(f"{path}/{scene.screening['id']}")
    missing = scene.officer.opens(f"{path}{MISSING}")
    moved = scene.officer.opens(f"{path}/{elsewhere['id']}")

    assert {hidden.status_code, missing.status_code, moved.status_code} == {404}
    assert (
        get_comparable_body(hidden)
        == get_comparable_body(missing)
        == get_comparable_body(moved)
    )


def test_of_a_case_that_is_not_theirs_strangers_learn_nothing(
    scene: Scene, stranger: Someone
) -> None:
    path = f"{path_of(scene.case)}/screenings"

    answers = [
        stranger.get(path),
        stranger.opens(f"{path}/{scene.screening['id']}"),
        stranger.screens(scene.case, **SIGNS),
    ]

    for answer in answers:
        assert problem(answer) == (404, "not-found")
        assert get_comparable_body(answer) == get_comparable_body(
            stranger.get(f"/cases/{new_code(uuid4())}")
        )
