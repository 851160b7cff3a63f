"""A story by an author who had not read the code: a night before Thanksgiving."""

from app.consents.coverage import Purpose
from app.directory.kinds import OfficeFunction, OfficeKind
from app.kernel.actors import AccountKind, Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
    accept,
    assess_risk,
    close,
    complete,
    confirm_deletion,
    get_read_status,
    make_class_consent,
    make_office_consent,
    record_consent,
    refer,
    report_visit,
    start,
    stop,
    withdraw_consents,
)
from tests.support.stories import Story
from tests.support.world import (
    WORKERS,
    Json,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_contacts,
    unwrap,
)

NEEDS = {"sections": ["needs"]}
WRITTEN: list[Json] = [
    {"section": "needs", "summary": "A bed, a doctor", "safety_alert": "Not the police"},
    {"section": "contact", "alias": "Marie", "safe_channel": "A neighbour"},
]


def test_a_woman_in_castries_says_stop_and_is_back_in_four_days(story: Story) -> None:
    """A bed is found for Marie-Thérèse in a night in which no office leads her case.

    The organisation that finds the bed then declines the lead. Ten days later, the same
    organisation gets the lead after all, because the State office that leads has missed a
    deadline three times. She stops the case, comes back, is helped, and asks for erasure,
    which a legal hold delays.
    """
    hotline, state = (
        story.add_office("LC_HOT", OfficeKind.NON_STATE, "LC"),
        story.get_person("LC_LEAD"),
    )
    lead = story.add_office("LC_IO", OfficeKind.INTERGOVERNMENTAL, "LC", can_lead=True)
    second = story.get_person("LC_IO", Role.SUPERVISOR)
    shelter, clinic = (
        story.add_office(f"LC_{n}", OfficeKind.NON_STATE, "LC") for n in ("SH", "MED")
    )
    police = story.add_office(
        "LC_POL", OfficeKind.STATE, "LC", function=OfficeFunction.POLICE, of_state="LC"
    )
    desk, boss = (story.get_person("DESK_CARIBBEAN") for _ in "ab")
    machine = story.world.add_person(
        "DESK_CARIBBEAN", WORKERS, kind=AccountKind.INTEGRATION
    )
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)
    other = story.get_person("OVERSIGHT_DEMO", Role.SUPERVISOR)

    story.on("2027-10-02 02:10")
    case = hotline.submit(
        summary={"country": "LC", "language": "ht", "priority": "emergency"}
        | {"services": ["SHELTER", "MEDICAL"]},
        sections=WRITTEN,
        safeguards={"country_of_origin": "HT", "unsafe_focal_points": ["LC_POL"]}
        | {"official_implicated": True},
        consents=[
            make_class_consent("state", "LC", "REFER", **NEEDS),
            make_office_consent("LC_IO", "REFER"),
        ],
    )
    assert state.read(case)["due_at"] == "2027-10-02T03:10:00Z"
    listed = unwrap(hotline.get(f"{get_path(case)}/routing"))
    assert "LC_POL" not in [one["focal_point"] for one in listed["candidates"]]
    story.on("2027-10-02 03:10")
    assert list_types(hotline.poll())[-2:] == ["case.not_acknowledged", "case.rerouted"]
    assert lead.read(case)["due_at"] == "2027-10-02T04:10:00Z"
    assert get_problem(state.get(get_path(case))) == (404, "not-found")

    story.on("2027-10-02 03:50")
    unwrap(lead.does("acknowledge", case))
    assess_risk(lead, case, "high")
    record_consent(hotline, case, make_office_consent("LC_SH", "SHELTER"))
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    story.on("2027-10-02 04:05")
    accept(shelter, bed, "2027-10-02T05:00:00")
    assert lead.read(case)["state"] == "under_review"
    story.on("2027-10-02 04:30")
    assert lead.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert desk.read(case)["you_are"] == ["desk"]
    assert desk.read(bed)["you_are"] == ["sender"]
    assert lead.open(f"{get_path(bed)}/arrangement").status_code == HIDDEN
    for part in ("needs", "contact"):
        assert get_read_status(desk, case, f"sections/{part}") == HIDDEN
    story.on("2027-10-02 05:10")
    start(shelter, bed)
    assert desk.read(case)["state"] == "submitted"
    story.on("2027-10-02 12:00")
    assert get_problem(state.does("acknowledge", case)) == (404, "not-found")

    story.on("2027-10-02 13:00")
    choice = {"focal_point": "LC_LEAD", "reason": "LOCAL_KNOWLEDGE"}
    assert desk.does("assign", case, choice).is_success
    story.on("2027-10-02 13:20")
    unwrap(state.does("acknowledge", case))
    story.on("2027-10-02 15:00")
    assess_risk(state, case, "high")
    led = unwrap(state.does("accept-lead", case, {"contacts": make_contacts()}))
    assert led["state"] == "assisting"
    assert shelter.read(bed)["sender"] == "LC_LEAD"
    assert hotline.read(case)["lead"] == "LC_LEAD"
    assert get_read_status(hotline, case, "contacts") == FOUND

    state.poll(), police.poll()
    story.on("2027-10-05 15:00")
    assert "case.overdue" in list_types(state.poll())
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    story.on("2027-10-08 15:00")  # the third miss, with that of the first night
    assert {"case.overdue", "case.escalated"} <= set(list_types(state.poll()))
    story.on("2027-10-11 15:00")
    assert "case.overdue" in list_types(state.poll())
    assert police.poll() == []
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    assert get_read_status(desk, case, "sections/needs") == HIDDEN
    story.on("2027-10-12 14:00")
    move = {"focal_point": "LC_IO", "reason": "LEAD_SILENT", "person_informed": True}
    approval = unwrap(desk.does("take-over", case, move))
    for one in (desk, machine):
        alone = one.send(f"/approvals/{approval['id']}/approve")
        assert get_problem(alone) == (409, "not-a-second-person")
    unwrap(boss.send(f"/approvals/{approval['id']}/approve"))
    assert desk.does("take-over", case, move, Approval=approval["id"]).is_success
    assert lead.read(case)["lead"] == "LC_IO"
    assert lead.read(case)["due_at"] == "2027-10-13T14:00:00Z"
    assert get_read_status(lead, case, "sections/contact") == FOUND
    assert get_problem(state.get(get_path(case))) == (404, "not-found")

    story.on("2027-10-13 13:00")
    assess_risk(lead, case, "medium")
    record_consent(lead, case, make_office_consent("LC_MED", "MEDICAL"))
    care = refer(lead, case, clinic, "MEDICAL", "needs")
    accept(clinic, care, "2027-10-13T15:00:00")
    story.on("2027-10-14 03:00")
    withdraw_consents(shelter, case, *Purpose)
    assert [lead.read(one)["state"] for one in (bed, care)] == ["withdrawn", "withdrawn"]
    assert "MEDICAL" not in shelter.get("/events", limit=200).text
    for one in (shelter, clinic):
        assert "confirm_deletion" in [kind for _, kind, _ in one.get_worklist()]
    story.on("2027-10-14 13:00")
    stop(lead, case)
    assert lead.read(case)["state"] == "closed"
    for one in (hotline, shelter):
        assert get_read_status(one, case, "sections/contact") == HIDDEN

    story.on("2027-10-18 14:00")
    why = {"reason": "SURVIVOR_REQUEST"}
    refused = lead.does("reopen", case, why)
    assert [need for need, _ in get_unmet(refused)] == ["consent_to_refer"]
    record_consent(lead, case, make_office_consent("LC_IO", "REFER"))
    assert unwrap(lead.does("reopen", case, why))["state"] == "referring"
    assess_risk(lead, case, "medium")
    record_consent(lead, case, make_office_consent("LC_SH", "SHELTER", **NEEDS))
    again = refer(lead, case, shelter, "SHELTER", "needs")
    accept(shelter, again, "2027-10-18T16:00:00")
    assert lead.read(case)["state"] == "assisting"
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    story.on("2027-10-18 16:30")
    start(shelter, again)
    confirm_deletion(clinic, care)
    assert shelter.read(bed)["state"] == "withdrawn"
    confirm_deletion(shelter, bed)

    story.on("2027-10-20 14:00")
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "A complaint"}
    asking |= {"sections": ["contact"], "purpose": "protection"}
    answers = [
        police.get(f"{get_path(case)}{part}") for part in ("", "/history", "/evidence")
    ]
    answers += [police.create(f"{get_path(case)}/emergency-access", asking)]
    assert {get_problem(one) for one in answers} == {(404, "not-found")}
    story.on("2027-10-21 14:00")
    assess_risk(lead, case, "medium")
    unwrap(watcher.does_with(other, "legal-hold", case, {"value": "in_force"}))
    assert get_read_status(watcher, case, "sections/needs") == HIDDEN
    assert lead.read(case)["state"] == "assisting"

    story.run_weekly("2028-01-10 14:00", lambda: assess_risk(lead, case))
    complete(shelter, again, "She rents a room.")
    unwrap(lead.does("monitor", case, {"visits": ["2028-02-07T14:00:00Z"]}))
    story.on("2028-02-07 14:30")
    report_visit(lead, case)
    story.on("2028-02-08 14:00")
    close(lead, second, case, "GOALS_MET")
    story.on("2028-02-15 14:00")
    refused = watcher.does("erase", case, {"reason": "SURVIVOR_REQUEST"})
    assert get_unmet(refused) == [("no_legal_hold", "oversight")]
    story.on("2028-06-05 14:00")
    unwrap(watcher.does_with(other, "legal-hold", case, {"value": "lifted"}))
    wish = {"reason": "SURVIVOR_REQUEST"}
    approval = unwrap(watcher.does("erase", case, wish))
    own = watcher.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(own) == (409, "not-a-second-person")
    unwrap(other.send(f"/approvals/{approval['id']}/approve"))
    unwrap(watcher.does("erase", case, wish, Approval=approval["id"]))
    [mine, *_] = [
        one
        for one in unwrap(watcher.get(f"{get_path(case)}/evidence"))["items"]
        if one["recipient"] == "LC_LEAD"
    ]
    assert "not_acknowledged" in [one["name"] for one in mine["missed_deadlines"]]
    story.require_erasure(case)
