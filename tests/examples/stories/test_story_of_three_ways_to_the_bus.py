"""A story by an author who had not read the code: a man who sets out three times."""

from app.directory.kinds import DisclosureLevel, OfficeFunction, OfficeKind
from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
    NORMAL,
    accept,
    assess_risk,
    close,
    complete,
    confirm_deletion,
    get_read_status,
    make_office_consent,
    record_consent,
    record_fact,
    refer,
    report_visit,
    set_safeguards,
    start,
    withdraw_consents,
)
from tests.support.returns import AT_HOME, MET, SAFE, TOLD, create_return
from tests.support.stories import Story
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_contacts,
    make_travel_plan,
    unwrap,
)

NEEDS = {"sections": ["needs"]}
WRITTEN: list[Json] = [
    {"section": "needs", "summary": "A bed"},
    {"section": "contact", "alias": "Óscar", "safe_channel": "WhatsApp"},
    {"section": "identity", "names": ["Óscar Iván Cáceres Núñez"]},
]
PERMITTED = {"country_of_origin": "HN", "origin_contact": "permitted"}
CONFIRMED = {"nationality": "confirmed"}


def list_work_kinds(who: Someone) -> list[str]:
    """Return the kinds of items on the worklist of a person's office."""
    return [kind for _, kind, _ in who.get_worklist()]


def test_a_man_who_goes_three_times_to_the_bus_is_home_in_the_end(story: Story) -> None:
    """Óscar wants to go home from Costa Rica, but changes his mind before he travels.

    On his second journey he leaves the bus and calls a person whom he trusts. In the end he
    travels alone, and arrives at an office in his country. He is helped there, and his lead
    stays the same.
    """
    consul = story.add_office(
        "HN_CON", OfficeKind.STATE, "CR", function=OfficeFunction.CONSULAR, of_state="HN"
    )
    lead, absent = story.get_person("CR_LEAD"), story.get_person("CR_LEAD", Role.SUPERVISOR)
    second = story.get_person("CR_LEAD", Role.SUPERVISOR)
    shelter = story.add_office("CR_SH", OfficeKind.NON_STATE, "CR")
    north, capital = (
        story.add_office(f"HN_{n}", OfficeKind.NON_STATE, "HN") for n in ("SPS", "TGU")
    )
    story.add_agreement(DisclosureLevel.IDENTITY, "CR", "HN")

    story.on("2027-11-08 15:00")
    case = consul.submit(
        summary=NORMAL
        | {"country": "CR", "language": "es", "services": ["SHELTER", "RETURN"]},
        sections=WRITTEN,
        safeguards={"country_of_origin": "HN"},
        consents=[make_office_consent("CR_LEAD", "REFER")],
    )
    story.on("2027-11-08 17:00")
    unwrap(lead.does("acknowledge", case))
    story.on("2027-11-09 15:00")
    assess_risk(lead, case)
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    assert get_read_status(consul, case, "contacts") == HIDDEN
    story.on("2027-11-10 15:00")
    record_consent(lead, case, make_office_consent("CR_SH", "SHELTER"))
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    accept(shelter, bed, "2027-11-10T18:00:00")
    start(shelter, bed)
    ends = {"country": "CR", "ends_on": "2027-12-31"}
    record_fact(lead, case, "reflection_period", "running", **ends)

    story.on("2027-11-11 15:00")
    record_consent(lead, case, make_office_consent("HN_SPS", "RETURN", **NEEDS))
    sent = refer(lead, case, north, "RETURN", "needs")
    sent = accept(north, sent, "2027-11-25T15:00:00")
    first = unwrap(create_return(lead, sent))
    assert first["due_at"] == "2027-12-11T15:00:00Z"
    assert get_problem(consul.get(f"/returns/{first['id']}")) == (404, "not-found")
    unwrap(lead.does("inform", first, TOLD))
    refused = lead.does("permit-contact", first)
    assert get_unmet(refused) == [("contact_permitted", "lead")]
    set_safeguards(lead, case, **PERMITTED)
    unwrap(lead.does("permit-contact", first))
    early = north.does("assess-origin", first, AT_HOME)
    assert get_problem(early) == (409, "action-illegal")

    story.on("2027-11-12 15:00")
    refused = consul.does("verify-nationality", first, CONFIRMED)
    assert get_problem(refused) == (
        404,
        "not-found",
    )  # it has no referral for a travel document yet
    named = make_office_consent("HN_CON", "CONSULAR_DOCUMENT", sections=["identity"])
    record_consent(lead, case, named)
    papers = refer(lead, case, consul, "CONSULAR_DOCUMENT", "identity")
    accept(consul, papers, "2027-11-15T15:00:00")
    unwrap(consul.does("verify-nationality", first, CONFIRMED))
    assert lead.read(first)["state"] == "assessing"
    assert consul.open(f"{get_path(bed)}/arrangement").status_code == HIDDEN
    assert get_read_status(consul, case, "contacts") == HIDDEN

    story.on("2027-11-15 15:00")
    start(consul, papers)
    assess_risk(lead, case)
    unwrap(lead.does("assess-destination", first, SAFE))
    unwrap(north.does("assess-origin", first, AT_HOME | {"level": "medium"}))
    assert get_unmet(lead.does("go", first, {})) == [("reflection_over", "lead")]
    go = {"person_asked_to_leave": True}
    approval = unwrap(lead.does("go", first, go))
    story.on("2027-11-18 17:00")
    assert "approval.expired" in list_types(lead.poll())
    assert lead.read(first)["state"] == "assessing"
    late = absent.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(late) == (409, "approval-decided")
    unwrap(lead.does_with(second, "go", first, go))

    story.on("2027-11-22 15:00")
    assess_risk(lead, case)
    marked = consul.does("issue-document", first, {"without_marker": False})
    assert get_problem(marked) == (409, "needs-unmet")
    assert consul.does("issue-document", first, {"without_marker": True}).is_success
    story.on("2027-11-23 15:00")
    unwrap(lead.does("plan", first, make_travel_plan("2027-11-27T20:00:00Z")))
    story.on("2027-11-24 15:00")
    unwrap(north.does("accept-plan", first))
    plan = f"/returns/{first['id']}/travel-plan"
    assert [one.open(plan).status_code for one in (north, consul)] == [FOUND, HIDDEN]

    story.on("2027-11-26 23:00")
    consul.poll()
    assert north.does("call-off", first, {}).is_success
    assert lead.read(first)["state"] == "called_off"
    [event] = consul.poll()
    assert (event["type"], event["facts"]["reason"]) == (
        "referral.withdrawn",
        "NO_LONGER_NEEDED",
    )
    assert north.open(plan).status_code == HIDDEN
    assert "review" in list_work_kinds(lead)
    assert lead.read(sent)["state"] == "withdrawn"
    assert lead.read(papers)["state"] == "withdrawn"
    read = unwrap(lead.open(f"{get_path(case)}/safeguards"))
    assert read["content"]["origin_contact"] == "undecided"

    story.on("2027-11-27 15:00")
    assess_risk(lead, case, "high")
    assert lead.read(case)["state"] == "assisting"
    story.on("2027-11-30 14:00")
    assess_risk(lead, case, "medium")
    confirm_deletion(north, sent)
    confirm_deletion(consul, papers)

    story.on("2027-12-06 15:00")
    assess_risk(lead, case)
    set_safeguards(lead, case, **PERMITTED)
    assert "review" not in list_work_kinds(lead)
    record_consent(lead, case, make_office_consent("HN_TGU", "RETURN", **NEEDS))
    again = refer(lead, case, capital, "RETURN", "needs")
    again = accept(capital, again, "2027-12-14T15:00:00")
    journey = unwrap(create_return(lead, again))
    assert first["id"] not in capital.get(get_path(again)).text
    unwrap(lead.does("inform", journey, TOLD))
    unwrap(lead.does("permit-contact", journey))
    new_papers = refer(lead, case, consul, "CONSULAR_DOCUMENT", "identity")
    accept(consul, new_papers, "2027-12-07T15:00:00")
    unwrap(consul.does("verify-nationality", journey, CONFIRMED))
    unwrap(lead.does("assess-destination", journey, SAFE))
    unwrap(capital.does("assess-origin", journey, AT_HOME))
    story.on("2027-12-08 15:00")
    unwrap(lead.does_with(second, "go", journey, go))
    story.on("2027-12-10 15:00")
    assert consul.does("issue-document", journey, {"without_marker": True}).is_success
    unwrap(lead.does("plan", journey, make_travel_plan("2027-12-13T23:00:00Z")))
    unwrap(capital.does("accept-plan", journey))
    story.on("2027-12-12 12:00")
    start(consul, new_papers)
    complete(consul, new_papers, "He has it.")
    assess_risk(lead, case)
    unwrap(lead.does("depart", journey, {"reconfirmed_today": True}))
    complete(shelter, bed, "He left for the bus.")
    lead.poll()

    story.on("2027-12-14 06:01")
    assert "return.overdue" in list_types(lead.poll())
    assert lead.read(journey)["state"] == "in_transit"
    story.on("2027-12-14 15:00")
    withdraw_consents(shelter, case, "RETURN")
    assert lead.read(journey)["state"] == "halted"
    assert lead.read(again)["state"] == "withdrawn"
    plan = f"/returns/{journey['id']}/travel-plan"
    assert capital.open(plan).status_code == HIDDEN
    confirm_deletion(capital, again)
    story.on("2027-12-17 16:00")
    unwrap(lead.does("locate", journey, MET))
    assert lead.read(journey)["state"] == "ended"

    story.on("2027-12-20 15:00")
    assess_risk(lead, case)
    unwrap(lead.does("relocate", case, {"country": "HN"}))
    set_safeguards(lead, case, country_of_origin="HN", origin_contact="blocked")
    assert "review" not in list_work_kinds(lead)
    assert ("consent", "lead") in get_unmet(lead.offer(case, "HN_LEAD"))
    record_consent(lead, case, make_office_consent("HN_SPS", "REINTEGRATION"))
    course = refer(lead, case, north, "REINTEGRATION", "needs", "contact")
    accept(north, course, "2027-12-21T15:00:00")
    story.on("2027-12-21 15:30")
    start(north, course)
    assert lead.read(case)["state"] == "assisting"
    assert consul.read(case)["summary"]["country"] == "CR"
    story.run_weekly("2028-03-20 15:00", lambda: assess_risk(lead, case))
    complete(north, course, "He drives a bus.")
    unwrap(lead.does("monitor", case, {"visits": ["2028-04-17T15:00:00Z"]}))
    story.on("2028-04-17 15:30")
    report_visit(lead, case)
    story.on("2028-04-18 15:00")
    close(lead, second, case, "GOALS_MET")
    assert get_read_status(consul, case, "sections/identity") == HIDDEN
    states = {lead.read(one)["state"] for one in (first, journey)}
    assert states == {"called_off", "ended"}
    story.require_closure(case, "GOALS_MET")
