"""Tests of `knowledge`: the sections that an office may open, and who opened them."""

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_case,
    make_consent,
    unwrap,
)

BY_CONSENT = {"code": "consent", "purposes": ["REFER"], "roles": []}


def read_knowledge(who: Someone, case: Json) -> Json:
    return unwrap(who.get(f"{get_path(case)}/knowledge"))


def list_own(who: Someone, case: Json) -> dict[str, Json]:
    """Return the caller's own entry of `knowledge` for each section."""
    return {one.pop("section"): one for one in read_knowledge(who, case)["own"]}


def test_a_lead_sees_what_it_may_open_and_which_consent_is_missing(
    officer: Someone, lead: Someone
) -> None:
    given = [make_consent(sections=["needs"])]
    case = lead.take_lead(officer.submit(consents=given))

    own = list_own(lead, case)

    assert own["needs"] == {"written": True, "may_open": True, "why_not": None}
    assert own["contact"]["why_not"] == own["indicators"]["why_not"] == BY_CONSENT
    assert (own["contact"]["written"], own["indicators"]["written"]) == (True, False)
    for section, one in own.items():
        answer = lead.open(f"{get_path(case)}/sections/{section}")
        assert answer.is_success == (one["may_open"] and one["written"]), section


def test_other_readers_get_their_own_reasons_and_no_offices(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", sections=["needs", "contact"]))
    boss = world.add_person("KZ_SHELTER_KOGERSHIN", {Role.SUPERVISOR})
    workers = ["caseworker", "coordinator", "officer"]

    asked, alone = list_own(shelter, case), list_own(boss, case)

    assert asked["needs"] == {"written": None, "may_open": True, "why_not": None}
    assert asked["contact"]["why_not"]["code"] == "state"
    assert asked["health"]["why_not"]["code"] == "relation"
    assert alone["needs"]["why_not"] == {"code": "role", "purposes": [], "roles": workers}
    assert list_own(officer, case)["needs"]["may_open"]
    assert list_own(officer, case)["indicators"]["why_not"]["code"] == "author"
    for who in (shelter, boss, officer):
        assert read_knowledge(who, case)["offices"] is None


def test_the_lead_and_oversight_see_who_opened_which_section(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    overseer = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", sections=["needs"]))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    before = read_knowledge(lead, case)["offices"]
    assert shelter.open(f"{get_path(case)}/sections/needs").is_success
    assert not shelter.open(f"{get_path(case)}/sections/health").is_success
    log = unwrap(lead.get(f"{get_path(case)}/access-log"))["items"]

    opened = [{"section": "needs", "at": "2026-06-01T12:00:00Z"}]

    assert before == []
    for who in (lead, overseer):
        assert read_knowledge(who, case)["offices"] == [
            {"focal_point": "KZ_SHELTER_KOGERSHIN", "opened": opened}
        ]
    assert unwrap(lead.get(f"{get_path(case)}/access-log"))["items"] == log


def test_a_fear_of_the_lead_looks_like_a_missing_consent(
    officer: Someone, lead: Someone
) -> None:
    consents = make_case()["consents"]
    feared, refused = (lead.take_lead(officer.submit(consents=consents)) for _ in "12")
    unsafe = {"country_of_origin": "UZ", "unsafe_focal_points": ["KZ_LEAD"]}
    match = {"If-Match": lead.get_tag(feared)}
    unwrap(lead.ask("PUT", f"{get_path(feared)}/safeguards", unsafe, headers=match))
    taken_back = {"purposes": ["REFER"]}
    assert lead.send(f"{get_path(refused)}/consents/withdraw", taken_back).is_success

    assert list_own(lead, feared) == list_own(lead, refused)
    assert not any(one["may_open"] for one in list_own(lead, feared).values())


def test_reading_the_knowledge_is_no_evidence_that_the_case_was_read(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    read_knowledge(lead, case)

    [ladder] = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]

    assert "retrieved" not in {rung["name"] for rung in ladder["statuses"]}


def test_section_that_is_not_written_looks_like_one_without_a_consent(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    """A recipient cannot distinguish an unwritten section from one without a consent."""
    written = [{"section": "needs", "summary": "Нужен приют"}]
    case = lead.take_lead(officer.submit(sections=written))
    wanted = ["needs", "contact"]
    asked = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN", sections=wanted))
    unwrap(shelter.does("accept", asked, make_acceptance()))

    own = list_own(shelter, case)

    assert own["needs"]["may_open"]
    missing = {"written": None, "may_open": False}
    assert {name: own["contact"][name] for name in missing} == missing
    assert own["contact"]["why_not"]["code"] == "consent"
    assert not shelter.open(f"{get_path(case)}/sections/contact").is_success
