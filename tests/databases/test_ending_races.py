"""If two actions on relations or cases coincide, each takes effect fully or not at all."""

from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import select

from app.cases import queries as case_queries
from app.casework import carrying
from app.deadlines.models import Clock
from app.kernel.actors import Role
from tests.databases.test_races import (
    acts,
    closed_cases_with_a_live_referral,
    only_winner,
    settled,
)
from tests.support.effort import choose_number
from tests.support.servers import Served, report, serve_world
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

ROUNDS = choose_number(4, sample=2, night=200)
STOP: Json = {"reason": "SURVIVOR_REQUEST"}
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.race]


@dataclass
class Sides:
    """The sides of a case: an account for each party, and two second persons."""

    world: Served
    officer: Someone
    lead: Someone
    shelter: Someone
    desk: Someone
    guard: Someone
    seconds: dict[str, Someone]


@pytest.fixture
def sides(url: str) -> object:
    with serve_world(url) as world:
        boss = {Role.SUPERVISOR}
        yield Sides(
            world,
            world.add_person("UZ_CONSULATE_ALMATY"),
            world.add_person("KZ_LEAD"),
            world.add_person("KZ_SHELTER_KOGERSHIN"),
            world.add_person("DESK_CENTRAL_ASIA"),
            world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER}),
            {c: world.add_person(c, boss) for c in ("DESK_CENTRAL_ASIA", "OVERSIGHT_DEMO")},
        )


def approve_action(sides: Sides, who: Someone, action: str, case: Json, body: Json) -> str:
    """Request an approval, approve it as a second person, and return the approval's id."""
    approval = unwrap(who.does(action, case, body))
    unwrap(sides.seconds[who.code].send(f"/approvals/{approval['id']}/approve"))
    return str(approval["id"])


def list_running(sides: Sides) -> set[str]:
    """Return the kinds of deadlines that are running."""
    with sides.world.database.begin_read() as session:
        going = select(Clock.kind).where(Clock.stopped_at.is_(None))
        return {str(kind) for kind in session.scalars(going)}


def test_a_no_beside_a_yes_ends_everything(sides: Sides) -> None:
    won = []
    for _ in range(ROUNDS):
        case = sides.lead.take_lead(sides.officer.submit())
        referral = unwrap(sides.lead.refer(case, sides.shelter.code))
        stop = partial(sides.lead.send, f"{get_path(case)}/stop", STOP)
        accept = acts(sides.shelter, "accept", referral, make_acceptance())

        stopped, accepted = settled(stop, accept)

        assert stopped.status_code == 200
        assert sides.lead.read(referral)["state"] == "withdrawn"
        assert sides.lead.read(case)["state"] == "closed"
        won.append(accepted.status_code)
    report("accept", won)
    assert closed_cases_with_a_live_referral(sides.world) == []
    assert list_running(sides) == {"erase", "confirm_deletion"}


def test_a_draft_is_submitted_or_thrown_away(sides: Sides) -> None:
    won = []
    for _ in range(ROUNDS):
        draft = unwrap(sides.officer.create_case())
        submit = acts(sides.officer, "submit", draft)
        discard = acts(sides.officer, "discard", draft)

        winner = only_winner(settled(submit, discard))

        last = ("submitted", "void")[winner]
        assert sides.officer.read(draft)["state"] == last
        sections = sides.officer.read(draft)["sections"]
        assert bool(sections) == (last == "submitted")
        assert (sides.lead.get(get_path(draft)).status_code == 200) == bool(sections)
        won.append(last)
    report("won", won)


def test_a_case_is_erased_or_begins_again(sides: Sides) -> None:
    won, why = [], {"reason": "RETENTION_OVER"}
    for _ in range(ROUNDS):
        case = sides.lead.take_lead(sides.officer.submit())
        unwrap(sides.lead.does("stop", case, STOP))
        approval = approve_action(sides, sides.guard, "erase", case, why)
        erase = acts(sides.guard, "erase", case, why, approval=approval)
        reopen = acts(sides.lead, "reopen", case, {"reason": "NEW_NEED"})

        winner = only_winner(settled(erase, reopen))

        last = ("erased", "referring")[winner]
        assert sides.guard.read(case)["state"] == last
        opened = sides.lead.open(f"{get_path(case)}/sections/needs").status_code
        assert opened == (404, 200)[winner]
        won.append(last)
    report("won", won)


def test_a_question_is_answered_by_one(sides: Sides) -> None:
    case = sides.lead.take_lead(sides.officer.submit())
    path, ask = f"{get_path(case)}/questions", {"topics": ["needs"], "question": "Who?"}
    for _ in range(ROUNDS):
        question = unwrap(sides.lead.create(path, ask))
        answer = f"{path}/{question['id']}/answer"
        answers_to_send = [
            partial(sides.officer.send, answer, {"answer": word}) for word in "ab"
        ]

        winner = only_winner(settled(*answers_to_send))

        notes = [
            t for about, t in sides.lead.list_notes(case) if about.endswith(question["id"])
        ]
        assert sorted(notes) == sorted(["Who?", "ab"[winner]])
    assert list_types(sides.lead.poll()).count("case.answered") == ROUNDS


def test_of_two_who_are_given_the_lead_one_has_it(sides: Sides) -> None:
    won, given = [], [make_consent(), NGOS, make_service_consent()]
    body = {"reason": "LEAD_SILENT", "person_informed": True}
    for _ in range(min(ROUNDS, 15)):  # three weeks each; consents are valid for a year
        case = sides.lead.take_lead(sides.officer.submit(consents=given))
        sides.world.advance(days=21)
        with sides.lead.begin_write() as tx:
            carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
        choices = [body | {"focal_point": c} for c in ("SANA_SEZIM", "IOM")]
        named = make_consent(focal_point="IOM", obtained_on="2026-06-01")
        named["expires_at"] = "2099-01-01T00:00:00Z"
        unwrap(sides.lead.create(f"{get_path(case)}/consents", named))
        ready = [
            acts(
                sides.desk,
                "take-over",
                case,
                choice,
                approval=approve_action(sides, sides.desk, "take-over", case, choice),
            )
            for choice in choices
        ]

        winner = only_winner(settled(*ready))

        last = choices[winner]["focal_point"]
        assert sides.world.add_person(str(last)).read(case)["lead"] == last
        assert get_problem(sides.desk.get(get_path(case))) == (404, "not-found")
        won.append(last)
    report("won", won)


def test_what_was_taken_back_is_confirmed_and_taken_back_once(sides: Sides) -> None:
    case = sides.lead.take_lead(sides.officer.submit())
    why = {"reason": "NO_LONGER_NEEDED"}
    for _ in range(ROUNDS):
        referral = unwrap(sides.lead.refer(case, sides.shelter.code))
        withdraw = acts(sides.lead, "withdraw", referral, why)
        early = acts(sides.shelter, "confirm-deletion", referral)

        taken, confirmed = settled(withdraw, early)

        assert taken.status_code == 200
        assert confirmed.status_code in {409, 412}
        again = [acts(sides.shelter, "confirm-deletion", referral) for _ in "12"]
        assert only_winner(settled(*again)) in {0, 1}
        assert sides.shelter.get(get_path(referral)).status_code == 404
    assert "confirm_deletion" not in list_running(sides)
