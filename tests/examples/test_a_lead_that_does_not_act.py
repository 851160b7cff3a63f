"""Two cases whose lead does not act, each from the first contact to its end.

The person agreed to State bodies of Kazakhstan alone, and only one of those leads cases. So
no other office may be given the lead until the person agrees to another kind of office. The
lead cannot record that, because it does not act. The regional desk does it (ADR 47).
"""

from app.kernel.actors import Role
from tests.support.stuck_cases import giving, records
from tests.support.world import (
    Json,
    Someone,
    World,
    actions,
    closing,
    consent,
    contacts,
    done,
    for_services,
    kinds,
    lacks,
    lead_consent,
    path_of,
    problem,
    promise,
)

STATE_ALONE = [consent(), for_services()]
"""Only a State body may lead; NGOs may shelter and advise."""


def replace_lead(desk: Someone, second: Someone, case: Json, to: str, reason: str) -> None:
    """Give an office the lead as two people of the desk, which then loses access."""
    choice = giving(to, reason=reason)
    assert desk.does_with(second, "take-over", case, choice).status_code == 204
    assert problem(desk.get(path_of(case))) == (404, "not-found")


def test_a_state_lead_is_closed_and_the_person_agrees_to_an_ngo(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    desk = world.someone("DESK_CENTRAL_ASIA")
    second = world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    oversight = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    ngo = world.someone("SANA_SEZIM")
    ngo_second = world.someone("SANA_SEZIM", {Role.SUPERVISOR})

    # 1 June: a consulate submits the case, Kazakhstan leads, a shelter takes the woman in.
    case = lead.leads(officer.submits(consents=STATE_ALONE, risk={"level": "low"}))
    bed = done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    done(shelter.does("accept", bed, promise()))
    world.waits_for(days=1)
    done(shelter.does("start", bed, {"person_met": True}))

    # 3 June: two administrators close the office that leads. The desk is admitted at once.
    world.waits_for(days=1)
    world.shuts("KZ_LEAD")
    world.works()
    assert kinds(desk.hears())[-1] == "case.escalated"
    escalated = desk.sees(case)
    assert (escalated["you_are"], escalated["lead"]) == (["escalation_desk"], "KZ_LEAD")

    # The person agreed to no office that could lead instead, so the desk can choose none.
    choice = {"reason": "LEAD_INACTIVE", "person_informed": True}
    for office in ("SANA_SEZIM", "PARTNERSHIP_IN_ACTION", "IOM"):
        refused = desk.does("take-over", case, choice | {"focal_point": office})
        assert lacks(refused) == [("focal_point_chosen", "desk")]
    open_now = [name for name, one in actions(escalated).items() if one["open"]]
    assert open_now == ["record_lead_consent", "take_over", "stop"]

    # 4 June: the desk reaches her through the shelter. She agrees to an NGO.
    world.waits_for(days=1)
    oversight.hears()
    recorded = records(desk, second, case)
    assert recorded["next_lead"] == "SANA_SEZIM"
    assert kinds(oversight.hears()) == ["case.lead_consent_recorded"]
    replace_lead(desk, second, case, "SANA_SEZIM", "LEAD_INACTIVE")

    # 5 June: the NGO reads what she needs, and no more, until she tells it more herself.
    world.waits_for(days=1)
    path = path_of(case)
    assert ngo.sees(case)["lead"] == "SANA_SEZIM"
    assert ngo.opens(f"{path}/sections/needs").status_code == 200
    assert problem(ngo.opens(f"{path}/sections/contact")) == (404, "not-found")
    more = {"focal_point": "SANA_SEZIM", "sections": ["needs", "contact", "identity"]}
    done(ngo.creates(f"{path}/consents", consent(**more)))
    assert "Oygul" in ngo.opens(f"{path}/sections/contact").text
    people = {"contacts": contacts("Асель", "Марат")}
    match = {"If_Match": ngo.tag(case)}
    done(ngo.ask("PUT", f"{path}/contacts", people, headers=match))
    done(ngo.creates(f"{path}/risk-assessments", {"level": "low"}))

    # 20 June: she has found work and leaves the shelter.
    world.waits_for(days=15)
    done(ngo.creates(f"{path}/risk-assessments", {"level": "low"}))
    report = {"outcome": "delivered", "feedback": "She has work and a room."}
    done(shelter.does("complete", bed, report))
    closed = done(ngo.does_with(ngo_second, "close", case, closing()))
    assert (closed["state"], closed["closure_reason"]) == ("closed", "GOALS_MET")

    # June 2028: the sealed documents are erased.
    world.waits_for(days=731)
    assert oversight.sees(case)["state"] == "erased"


def test_a_state_lead_misses_three_deadlines_and_nobody_is_safe_at_first(
    world: World, officer: Someone, lead: Someone
) -> None:
    desk = world.someone("DESK_CENTRAL_ASIA")
    second = world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    iom = world.someone("IOM")
    iom_second = world.someone("IOM", {Role.SUPERVISOR})

    # 1 June: he is afraid of both NGOs that lead in Kazakhstan, and of no other office.
    feared = ["SANA_SEZIM", "PARTNERSHIP_IN_ACTION"]
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": feared}
    case = officer.submits(consents=STATE_ALONE, safeguards=guards, risk={"level": "low"})
    lead.leads(case)

    # 8, 15 and 22 June: Kazakhstan does not assess the risk again. Its office is open.
    for _ in range(3):
        world.waits_for(days=7)
    assert desk.sees(case)["you_are"] == ["escalation_desk"]
    body = lead_consent(reason="LEAD_INACTIVE")
    refused = desk.does("record-lead-consent", case, body)
    assert problem(refused) == (409, "lead-not-failing")

    # 23 June: he agrees to an NGO if it is neither of the two. The desk is shown no office.
    world.waits_for(days=1)
    nobody = records(desk, second, case, reason="LEAD_SILENT")
    assert nobody["next_lead"] is None

    # 24 June: so the desk asks him about international organisations.
    world.waits_for(days=1)
    body = lead_consent(reason="LEAD_SILENT", kind="intergovernmental")
    named = done(desk.does_with(second, "record-lead-consent", case, body))
    assert named["next_lead"] == "IOM"
    choice = {"reason": "LEAD_SILENT", "person_informed": True}
    other = desk.does("take-over", case, choice | {"focal_point": "UNHCR"})
    assert lacks(other) == [("focal_point_chosen", "desk")]
    replace_lead(desk, second, case, "IOM", "LEAD_SILENT")

    # 25 June: IOM meets him. He wants nothing more, and IOM records the withdrawal.
    world.waits_for(days=1)
    assert iom.sees(case)["you_are"] == ["lead"]
    done(iom.opens(f"{path_of(case)}/sections/needs"))
    taken_back = iom.post(f"{path_of(case)}/consents/withdraw", {"purposes": ["REFER"]})
    assert taken_back.status_code == 204
    assert problem(iom.opens(f"{path_of(case)}/sections/needs")) == (404, "not-found")
    why = closing(reason="SURVIVOR_REQUEST")
    closed = done(iom.does_with(iom_second, "close", case, why))
    assert closed["state"] == "closed"
