"""Two cases whose lead does not act, each from the first contact to closure.

The person consented only to State offices of Kazakhstan as lead, and only one of these can
lead a case. Another office may therefore become the lead only if the person consents to
another kind of office. The lead has to record that consent, but does not act. The regional
desk records it instead (ADR 47).
"""

from app.kernel.actors import Role
from tests.support.failing_leads import make_takeover, record_new_lead
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_contacts,
    make_lead_consent,
    make_service_consent,
    unwrap,
)

STATE_ALONE = [make_consent(), make_service_consent()]
"""Consents to a State office as lead, and to NGOs for shelter and legal aid."""


def replace_lead(desk: Someone, second: Someone, case: Json, to: str, reason: str) -> None:
    """Assign the lead as two people of the desk, which then cannot read the case."""
    choice = make_takeover(to, reason=reason)
    assert desk.does_with(second, "take-over", case, choice).status_code == 204
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")


def test_a_state_lead_is_closed_and_the_person_agrees_to_an_ngo(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    second = world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    ngo = world.add_person("SANA_SEZIM")
    ngo_second = world.add_person("SANA_SEZIM", {Role.SUPERVISOR})

    # 1 June: a consulate submits the case, Kazakhstan leads, a shelter takes the woman in.
    case = lead.take_lead(officer.submit(consents=STATE_ALONE, risk={"level": "low"}))
    bed = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    world.wait(days=1)
    unwrap(shelter.does("start", bed, {"person_met": True}))

    # 3 June: two administrators close the leading office. The desk becomes a party.
    world.wait(days=1)
    world.close_office("KZ_LEAD")
    world.run_worker()
    assert list_types(desk.poll())[-1] == "case.escalated"
    escalated = desk.read(case)
    assert (escalated["you_are"], escalated["lead"]) == (["escalation_desk"], "KZ_LEAD")

    # The person agreed to no office that could lead instead, so the desk can choose none.
    choice = {"reason": "LEAD_INACTIVE", "person_informed": True}
    for office in ("SANA_SEZIM", "PARTNERSHIP_IN_ACTION", "IOM"):
        refused = desk.does("take-over", case, choice | {"focal_point": office})
        assert get_unmet(refused) == [("focal_point_chosen", "desk")]
    open_now = [name for name, one in get_actions(escalated).items() if one["open"]]
    assert open_now == ["record_lead_consent", "take_over", "stop"]

    # 4 June: the desk reaches her through the shelter. She agrees to an NGO.
    world.wait(days=1)
    oversight.poll()
    recorded = record_new_lead(desk, second, case)
    assert recorded["next_lead"] == "SANA_SEZIM"
    assert list_types(oversight.poll()) == ["case.lead_consent_recorded"]
    replace_lead(desk, second, case, "SANA_SEZIM", "LEAD_INACTIVE")

    # 5 June: the NGO reads only the needs, until she tells the NGO more herself.
    world.wait(days=1)
    path = get_path(case)
    assert ngo.read(case)["lead"] == "SANA_SEZIM"
    assert ngo.open(f"{path}/sections/needs").status_code == 200
    assert get_problem(ngo.open(f"{path}/sections/contact")) == (404, "not-found")
    more = {"focal_point": "SANA_SEZIM", "sections": ["needs", "contact", "identity"]}
    unwrap(ngo.create(f"{path}/consents", make_consent(**more)))
    assert "Oygul" in ngo.open(f"{path}/sections/contact").text
    people = {"contacts": make_contacts("Асель", "Марат")}
    match = {"If_Match": ngo.get_tag(case)}
    unwrap(ngo.ask("PUT", f"{path}/contacts", people, headers=match))
    unwrap(ngo.create(f"{path}/risk-assessments", {"level": "low"}))

    # 20 June: she has found work and leaves the shelter.
    world.wait(days=15)
    unwrap(ngo.create(f"{path}/risk-assessments", {"level": "low"}))
    report = {"outcome": "delivered", "feedback": "She has work and a room."}
    unwrap(shelter.does("complete", bed, report))
    closed = unwrap(ngo.does_with(ngo_second, "close", case, make_closure()))
    assert (closed["state"], closed["closure_reason"]) == ("closed", "GOALS_MET")

    # June 2028: the sealed documents are erased.
    world.wait(days=731)
    assert oversight.read(case)["state"] == "erased"


def test_a_state_lead_misses_three_deadlines_and_nobody_is_safe_at_first(
    world: World, officer: Someone, lead: Someone
) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    second = world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    iom = world.add_person("IOM")
    iom_second = world.add_person("IOM", {Role.SUPERVISOR})

    # 1 June: he is afraid of both NGOs that lead in Kazakhstan, and of no other office.
    feared = ["SANA_SEZIM", "PARTNERSHIP_IN_ACTION"]
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": feared}
    case = officer.submit(consents=STATE_ALONE, safeguards=guards, risk={"level": "low"})
    lead.take_lead(case)

    # 8, 15 and 22 June: Kazakhstan does not assess the risk again. Its office is open.
    for _ in range(3):
        world.wait(days=7)
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    body = make_lead_consent(reason="LEAD_INACTIVE")
    refused = desk.does("record-lead-consent", case, body)
    assert get_problem(refused) == (409, "lead-not-failing")

    # 23 June: he agrees to an NGO if it is neither of the two. The desk is shown no office.
    world.wait(days=1)
    nobody = record_new_lead(desk, second, case, reason="LEAD_SILENT")
    assert nobody["next_lead"] is None

    # 24 June: so the desk asks him about international organisations.
    world.wait(days=1)
    body = make_lead_consent(reason="LEAD_SILENT", kind="intergovernmental")
    named = unwrap(desk.does_with(second, "record-lead-consent", case, body))
    assert named["next_lead"] == "IOM"
    choice = {"reason": "LEAD_SILENT", "person_informed": True}
    other = desk.does("take-over", case, choice | {"focal_point": "UNHCR"})
    assert get_unmet(other) == [("focal_point_chosen", "desk")]
    replace_lead(desk, second, case, "IOM", "LEAD_SILENT")

    # 25 June: IOM meets him. He wants nothing more, and IOM records the withdrawal.
    world.wait(days=1)
    assert iom.read(case)["you_are"] == ["lead"]
    unwrap(iom.open(f"{get_path(case)}/sections/needs"))
    taken_back = iom.send(f"{get_path(case)}/consents/withdraw", {"purposes": ["REFER"]})
    assert taken_back.status_code == 204
    assert get_problem(iom.open(f"{get_path(case)}/sections/needs")) == (404, "not-found")
    why = make_closure(reason="SURVIVOR_REQUEST")
    closed = unwrap(iom.does_with(iom_second, "close", case, why))
    assert closed["state"] == "closed"
