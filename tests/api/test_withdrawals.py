"""Tests of the withdrawal of consents, and of the counts of refusals."""

from typing import Any

import pytest
from sqlalchemy import inspect, select

from app.consents.models import Refusal
from app.kernel.actors import Role, Scope
from app.kernel.db import Base
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

HIDDEN = (404, "not-found")
WOMEN, LAW = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"
EVERYTHING = ["REFER", "HANDOVER", "SHELTER", "LEGAL_AID"]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and a separate consent for each purpose."""
    shelter, law = (
        make_service_consent(purposes=[one]) for one in ("SHELTER", "LEGAL_AID")
    )
    given = [make_consent(), shelter, law, make_handover_consent("IOM")]
    return lead.take_lead(officer.submit(consents=given))


def record_withdrawal(who: Someone, case: Json, *purposes: str) -> tuple[int, str]:
    """Record a withdrawal, and return the status with the text or the problem type."""
    body = {"purposes": list(purposes)}
    answer = who.send(f"{get_path(case)}/consents/withdraw", body)
    return get_problem(answer) if answer.is_error else (answer.status_code, answer.text)


def list_valid_consents(lead: Someone, case: Json) -> list[str]:
    """Return the purposes of the consents that the lead sees as not withdrawn."""
    given = unwrap(lead.get(f"{get_path(case)}/consents"))["items"]
    return sorted(p for one in given if not one["withdrawn_at"] for p in one["purposes"])


def refer_and_accept(lead: Someone, shelter: Someone, case: Json, **changes: Any) -> Json:
    sent = unwrap(lead.refer(case, shelter.code, **changes))
    return unwrap(shelter.does("accept", sent, make_acceptance()))


@pytest.mark.parametrize("who", ["officer", "lead", "shelter", "lawyer", "desk", "watcher"])
def test_whoever_hears_it_from_the_person_records_it(
    world: World, lead: Someone, case: Json, who: str
) -> None:
    shelter, lawyer = world.add_person(WOMEN), world.add_person(LAW)
    bed = refer_and_accept(lead, shelter, case)
    unwrap(lead.refer(case, LAW, service="LEGAL_AID"))
    parties = {
        "lead": lead,
        "officer": world.add_person("UZ_CONSULATE_ALMATY"),
        "shelter": shelter,
        "lawyer": lawyer,
        "watcher": world.add_person("OVERSIGHT_DEMO"),
    }
    if who == "desk":
        parties["desk"] = at_the_desk(world, lead, case)

    answer = record_withdrawal(parties[who], case, "SHELTER")

    assert answer == (204, "")
    assert shelter.read(bed)["state"] == "withdrawn"
    assert "SHELTER" not in list_valid_consents(lead, case)
    assert "LEGAL_AID" in list_valid_consents(lead, case)


def at_the_desk(world: World, lead: Someone, case: Json) -> Someone:
    """Wait until the lead has missed three deadlines; return a person of the desk."""
    world.wait(days=21)
    desk = world.add_person("DESK_CENTRAL_ASIA")
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    assert lead.read(case)["lead"] == lead.code
    return desk


def test_it_tells_whoever_records_it_nothing_of_what_was_agreed_to(
    shelter: Someone, lead: Someone, case: Json
) -> None:
    unwrap(lead.refer(case, WOMEN))
    shelter.poll()

    answers = {
        record_withdrawal(shelter, case, one) for one in ("HANDOVER", "ASYLUM", "ASYLUM")
    }

    assert answers == {(204, "")}
    assert shelter.poll() == []
    assert list_valid_consents(lead, case) == ["LEGAL_AID", "REFER", "SHELTER"]


def test_a_stranger_or_whose_part_has_ended_records_nothing(
    stranger: Someone, lead: Someone, shelter: Someone, supervisor: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, WOMEN))
    unwrap(shelter.does("decline", sent, {"reason": "NO_CAPACITY"}))

    assert record_withdrawal(stranger, case, *EVERYTHING) == HIDDEN
    assert record_withdrawal(shelter, case, *EVERYTHING) == HIDDEN
    assert record_withdrawal(supervisor, case, *EVERYTHING) == (403, "role-missing")
    assert list_valid_consents(lead, case) == sorted(EVERYTHING)


@pytest.mark.parametrize(
    "body",
    [{}, {"purposes": []}, {"purposes": ["ALL"]}, {"purposes": ["SHELTER"], "why": "x"}],
)
def test_what_is_taken_back_is_said_and_never_guessed(
    lead: Someone, case: Json, body: Json
) -> None:
    answer = lead.send(f"{get_path(case)}/consents/withdraw", body)

    assert answer.status_code == 422
    assert list_valid_consents(lead, case) == sorted(EVERYTHING)


def test_said_twice_it_is_said_once(lead: Someone, shelter: Someone, case: Json) -> None:
    refer_and_accept(lead, shelter, case)
    lead.poll()

    answers = [record_withdrawal(lead, case, "SHELTER") for _ in range(2)]

    assert answers == [(204, "")] * 2
    assert list_types(lead.poll()) == [
        "consent.withdrawn",
        "referral.withdrawn",
        "case.referring_again",
    ]


def test_overseers_hear_who_took_consents_back_or_one_could_end_help_unseen(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    refer_and_accept(lead, shelter, case)
    watcher.poll()

    record_withdrawal(lead, case, "SHELTER")

    events = [(e["type"], e["by"]) for e in watcher.poll()]
    assert ("consent.withdrawn", "KZ_LEAD") in events
    assert unwrap(watcher.get(f"{get_path(case)}/consents"))["items"] == []


def test_everything_under_it_ends_in_one_transaction_and_nothing_else(
    world: World, lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    bed = refer_and_accept(lead, shelter, case)
    advice = refer_and_accept(lead, lawyer, case, service="LEGAL_AID")
    offer = unwrap(lead.offer(case, "IOM"))
    iom = world.add_person("IOM")
    assert iom.read(case)["you_are"] == ["handover_candidate"]
    for one in (iom, shelter, lawyer):
        one.poll()

    record_withdrawal(lawyer, case, "SHELTER", "HANDOVER")

    assert (lead.read(bed)["state"], lead.read(offer)["state"]) == (
        "withdrawn",
        "cancelled",
    )
    assert lead.read(advice)["state"] == "accepted"
    assert get_problem(iom.get(get_path(case))) == HIDDEN
    assert get_problem(shelter.get(get_path(case))) == HIDDEN
    assert [list_types(one.poll()) for one in (iom, shelter, lawyer)] == [
        ["handover.cancelled"],
        ["referral.withdrawn"],
        [],
    ]


def test_who_had_been_told_has_to_say_that_it_deleted_and_its_silence_is_evidence(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    bed = refer_and_accept(lead, shelter, case)
    record_withdrawal(lead, case, "SHELTER")
    [(subject, kind, due)] = shelter.get_worklist()
    assert (subject, kind) == (f"referrals/{bed['id']}", "confirm_deletion")
    assert due == "2026-06-08T12:00:00Z"
    for one in (lead, shelter, watcher):
        one.poll()

    world.wait(days=7)

    for one in (lead, shelter, watcher):
        [late] = [e for e in one.poll() if e["subject"] == subject]
        assert late["type"] == "referral.overdue"
        assert (late["facts"]["deadline"], late["facts"]["missed"]) == (
            "confirm_deletion",
            1,
        )
    assert shelter.does("confirm-deletion", bed).status_code == 204
    assert shelter.get_worklist() == []
    assert "referral.deletion_confirmed" in list_types(lead.poll())


@pytest.mark.parametrize("steps", [["acknowledge"], ["ask"], ["accept"]])
def test_everybody_who_was_told_is_asked_to_delete_whatever_they_did_with_it(
    lead: Someone, shelter: Someone, case: Json, steps: list[str]
) -> None:
    bodies = {"accept": make_acceptance(), "ask": {"topics": ["needs"], "question": "Who?"}}
    sent = unwrap(lead.refer(case, WOMEN))
    for step in steps:
        unwrap(shelter.does(step, sent, bodies.get(step)))

    record_withdrawal(lead, case, "SHELTER")

    assert [kind for _, kind, _ in shelter.get_worklist()] == ["confirm_deletion"]


def test_what_a_guardian_takes_back_leaves_a_child_what_protects_it(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    by = {"given_by": "guardian_with_assent"}
    given = [make_consent(**by), make_service_consent(**by)]
    child = officer.submit(summary={"age_class": "child"}, consents=given)
    lead.take_lead(child)
    bed = unwrap(lead.refer(child, WOMEN))
    advice = unwrap(lead.refer(child, LAW, service="LEGAL_AID"))

    record_withdrawal(officer, child, "SHELTER")

    assert (lead.read(bed)["state"], lead.read(bed)["sections"]) == ("sent", [])
    assert lead.read(advice)["state"] == "withdrawn"
    assert get_problem(shelter.open(f"{get_path(child)}/sections/needs")) == HIDDEN


# A refusal is only counted.


def record_refusal(who: Someone, country: str = "KZ", **changes: Any) -> int:
    body = {"country": country, "age_class": "adult"} | changes
    return who.send("/refusals", body).status_code


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.ANALYST})


def list_counts(who: Someone) -> list[tuple[str, int, int, int]]:
    items = unwrap(who.get("/refusals"))["items"]
    return [(i["country"], i["year"], i["quarter"], i["refusals"]) for i in items]


def test_an_adult_who_says_no_is_counted_and_linked_to_nothing(
    world: World, officer: Someone
) -> None:
    def rows() -> dict[str, list[Any]]:
        with world.database.begin_read() as session:
            tables = Base.metadata.sorted_tables
            return {t.name: list(session.execute(select(t)).all()) for t in tables}

    before = rows()

    assert record_refusal(officer) == 204

    after = rows()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {Refusal.__tablename__}
    assert {c.key for c in inspect(Refusal).columns} == {"id", "country", "week"}
    [(_, country, week)] = after["refusal"]
    assert (country, week.isoformat()) == ("KZ", "2026-06-01")


@pytest.mark.parametrize(
    "changes",
    [
        {"age_class": "child"},
        {"age_class": "presumed_child"},
        {"reason": "AFRAID"},
        {"note": "Oygul"},
        {"place": "Almaty"},
        {"country": "Almaty"},
        {"week": "2026-06-01"},
    ],
)
def test_nothing_more_is_taken_and_no_child(
    world: World, officer: Someone, changes: Json
) -> None:
    answer = officer.send("/refusals", {"country": "KZ", "age_class": "adult"} | changes)

    assert answer.status_code == 422
    assert "Oygul" not in answer.text
    with world.database.begin_read() as session:
        assert session.scalars(select(Refusal)).all() == []


def test_every_day_of_a_week_is_its_monday(world: World, officer: Someone) -> None:
    for _ in range(8):
        record_refusal(officer)
        world.advance(days=1)

    with world.database.begin_read() as session:
        weeks = sorted(one.week.isoformat() for one in session.scalars(select(Refusal)))
    assert weeks == ["2026-06-01"] * 7 + ["2026-06-08"]


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the service publish exact counts, without statistical noise."""
    monkeypatch.setattr("app.consents.queries.derive_noise", lambda _: 0)


@pytest.mark.usefixtures("exact")
def test_analysts_are_told_large_numbers_of_quarters_that_are_over(
    world: World, officer: Someone, analyst: Someone
) -> None:
    for country, count in (("KZ", 11), ("KG", 10), ("UZ", 12)):
        assert [record_refusal(officer, country) for _ in range(count)] == [204] * count
    now = list_counts(analyst)
    world.advance(days=30)
    record_refusal(officer, "KG")  # Wednesday, 1 July, in the week of 29 June.
    growing = list_counts(analyst)

    world.advance(days=5)

    assert now == growing == []
    assert list_counts(analyst) == [
        ("KG", 2026, 2, 11),
        ("KZ", 2026, 2, 11),
        ("UZ", 2026, 2, 12),
    ]
    assert record_refusal(officer, "KG") == 204
    assert list_counts(analyst)[0] == ("KG", 2026, 2, 11)


def test_a_count_is_off_by_the_same_each_time(
    world: World, officer: Someone, analyst: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def by_three(fingerprint: str) -> int:
        drawn.append(fingerprint)
        return 3

    monkeypatch.setattr("app.consents.queries.derive_noise", by_three)
    for country, count in (("KZ", 8), ("KG", 7)):
        assert [record_refusal(officer, country) for _ in range(count)] == [204] * count
    world.advance(days=60)

    assert [list_counts(analyst) for _ in "12"] == [[("KZ", 2026, 2, 11)]] * 2
    assert drawn[:2] == drawn[2:]
    assert drawn[0] != drawn[1]


@pytest.mark.usefixtures("exact")
def test_few_are_none(officer: Someone, analyst: Someone, world: World) -> None:
    for _ in range(10):
        record_refusal(officer)

    world.advance(days=60)

    assert list_counts(analyst) == []


@pytest.mark.parametrize("role", Role)
def test_only_analysts_read_how_many_there_were_and_only_workers_count(
    world: World, role: Role
) -> None:
    someone = world.add_person("OVERSIGHT_DEMO", {role})
    works = role in {Role.OFFICER, Role.CASEWORKER, Role.COORDINATOR}

    assert someone.get("/refusals").is_success == (role == Role.ANALYST)
    assert (record_refusal(someone) == 204) == works


def test_reading_them_takes_a_scope_of_its_own(world: World) -> None:
    key = world.add_person("OVERSIGHT_DEMO", {Role.ANALYST}, {Scope.CASES_READ})

    assert get_problem(key.get("/refusals")) == (403, "forbidden")
