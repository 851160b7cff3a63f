"""A story by an author who had not read the code: the shelter that closed on a Friday."""

from app.directory.kinds import DisclosureLevel, OfficeFunction, OfficeKind
from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
    accept,
    assess_risk,
    close,
    complete,
    confirm_deletion,
    get_read_status,
    make_office_consent,
    record_consent,
    refer,
    report_visit,
    set_safeguards,
    start,
    update_summary,
    withdraw_consents,
    write_section,
)
from tests.support.stories import Story
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_contacts,
    make_takeover,
    unwrap,
)

NEEDS = {"sections": ["needs"]}
WRITTEN: list[Json] = [
    {"section": "needs", "summary": "A bed", "safety_alert": "A driver looks for her"},
    {"section": "contact", "alias": "Yoca", "safe_channel": "Her mobile"},
    {"section": "identity", "names": ["Yocasta Altagracia Peña Núñez"]},
    {"section": "health", "text": "Asthma"},
]


def get_states(lead: Someone, *referrals: Json) -> list[str]:
    """Return the states of referrals as their sender sees them."""
    return [lead.read(one)["state"] for one in referrals]


def test_a_woman_whose_shelter_closes_flies_home_without_a_return(story: Story) -> None:
    """Yocasta's shelter in Port of Spain closes, and her telephone is in the wrong hands.

    She withdraws one consent through her lawyer, buys a ticket and flies home to Santo
    Domingo. One office there declines the lead. A State office accepts it, and sees that
    she has a lawyer, but not who it is.
    """
    hotline = story.add_office("TT_HOT", OfficeKind.NON_STATE, "TT")
    lead = story.add_office("TT_NGO", OfficeKind.NON_STATE, "TT", can_lead=True)
    police = story.add_office(
        "TT_CTU", OfficeKind.STATE, "TT", function=OfficeFunction.POLICE, of_state="TT"
    )
    closing_one, second_one, third_one = (
        story.add_office(f"TT_SH{n}", OfficeKind.NON_STATE, "TT", services=["SHELTER"])
        for n in "123"
    )
    doctor = story.add_office(
        "TT_MED", OfficeKind.STATE, "TT", function=OfficeFunction.HEALTH, of_state="TT"
    )
    lawyer = story.add_office(
        "TT_LAW", OfficeKind.NON_STATE, "TT", function=OfficeFunction.LEGAL
    )
    ngo = story.add_office("DO_NGO", OfficeKind.NON_STATE, "DO", can_lead=True)
    state, second = (
        story.get_person("DO_LEAD"),
        story.get_person("DO_LEAD", Role.SUPERVISOR),
    )
    psy, watcher = (
        story.add_office("DO_PSY", OfficeKind.NON_STATE, "DO"),
        story.get_person("OVERSIGHT_DEMO"),
    )
    story.add_agreement(DisclosureLevel.CONTACT, "TT", "DO")

    story.on("2027-07-05 14:30")
    case = hotline.submit(
        summary={"country": "TT", "language": "es"},
        sections=WRITTEN,
        safeguards={"country_of_origin": "DO"},
        consents=[make_office_consent("TT_NGO", "REFER")],
    )
    assert hotline.read(case)["holder"] == "TT_NGO"
    assert get_problem(police.get(get_path(case))) == (404, "not-found")
    story.on("2027-07-05 15:10")
    unwrap(lead.does("acknowledge", case))
    story.on("2027-07-05 16:00")
    assess_risk(lead, case, "medium")
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    assert get_read_status(hotline, case, "contacts") == FOUND

    story.on("2027-07-05 17:00")
    record_consent(lead, case, make_office_consent("TT_SH1", "SHELTER"))
    record_consent(
        lead, case, make_office_consent("TT_MED", "MEDICAL", sections=["needs", "health"])
    )
    record_consent(lead, case, make_office_consent("TT_LAW", "LEGAL_AID", **NEEDS))
    bed = refer(lead, case, closing_one, "SHELTER", "needs", "contact")
    care = refer(lead, case, doctor, "MEDICAL", "needs", "health")
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs")
    for one in (closing_one, doctor, lawyer):
        assert len(unwrap(one.get("/referrals"))["items"]) == 1
        mine = bed if one is closing_one else care if one is doctor else law
        unwrap(one.does("acknowledge", mine))
    assert get_read_status(doctor, case, "sections/health") == HIDDEN
    story.on("2027-07-06 13:00")
    accept(closing_one, bed, "2027-07-06T15:00:00")
    accept(doctor, care, "2027-07-06T15:00:00")
    story.on("2027-07-06 15:30")
    start(closing_one, bed)
    start(doctor, care)
    assert get_read_status(doctor, case, "sections/health") == FOUND

    story.on("2027-07-07 14:00")
    question = {"topics": ["identity"], "question": "Her name for the court?"}
    unwrap(lawyer.does("ask", law, question))
    answer_body = {"sections": ["identity"], "answer": "As in her passport."}
    assert get_unmet(lead.does("answer", law, answer_body)) == [
        ("consent_to_answer", "sender")
    ]
    named = make_office_consent("TT_LAW", "LEGAL_AID", sections=["needs", "identity"])
    record_consent(lead, case, named)
    unwrap(lead.does("answer", law, answer_body))
    accept(lawyer, law, "2027-07-08T14:00:00")
    assert get_read_status(lawyer, case, "sections/identity") == FOUND
    assert get_read_status(closing_one, case, "sections/identity") == HIDDEN
    story.on("2027-07-08 14:30")
    start(lawyer, law)

    story.on("2027-07-12 13:00")
    closing_one.poll()
    update_summary(lead, case, safe_contact="no")
    write_section(lead, case, "contact", alias="Yoca", safe_channel="Through the shelter")
    note = "Do not call the old number"
    write_section(lead, case, "needs", summary="A bed", safety_alert=note)
    read = unwrap(closing_one.open(f"{get_path(case)}/sections/contact"))
    assert read["content"]["safe_channel"] == "Through the shelter"
    assert get_read_status(hotline, case, "sections/contact") == HIDDEN
    assert hotline.read(case)["summary"]["safe_contact"] == "yes"
    words = {"topics": ["contact"], "question": "Please do not call. Did anybody answer?"}
    open_question = unwrap(lead.create(f"{get_path(case)}/questions", words))
    assert words["question"] in [text for _, text in hotline.list_notes(case)]
    path = f"{get_path(case)}/questions/{open_question['id']}/answer"
    unwrap(hotline.send(path, {"answer": "A man, on Friday."}))
    assess_risk(lead, case, "medium")

    story.on("2027-07-16 21:00")
    story.world.close_office("TT_SH1")
    story.on("2027-07-16 21:20")
    assert get_states(lead, bed) == ["in_progress"]
    assert lead.read(case)["state"] == "assisting"
    refused = lead.does("revoke", bed, {"reason": "NO_LONGER_NEEDED"})
    assert get_problem(refused) == (409, "action-illegal")
    unwrap(lead.does("withdraw", bed, {"reason": "NO_LONGER_NEEDED"}))
    assert lead.read(case)["state"] == "assisting"

    story.on("2027-07-16 21:30")
    record_consent(lead, case, make_office_consent("TT_SH2", "SHELTER", **NEEDS))
    hotline.poll()
    update_summary(lead, case, priority="emergency")
    assert hotline.poll() == []
    next_bed = refer(lead, case, second_one, "SHELTER", "needs")
    assert next_bed["due_at"] == "2027-07-16T22:30:00Z"
    story.on("2027-07-16 22:25")
    other = {"reason": "NO_CAPACITY", "alternative": "TT_SH3"}
    unwrap(second_one.does("redirect", next_bed, other))
    [draft] = [
        one for one in unwrap(lead.get("/referrals"))["items"] if one["state"] == "draft"
    ]
    assert get_unmet(lead.does("send", draft)) == [("consent", "sender")]
    record_consent(lead, case, make_office_consent("TT_SH3", "SHELTER"))
    last = unwrap(lead.does("send", draft))
    story.on("2027-07-16 23:10")
    accept(third_one, last, "2027-07-17T00:15:00")
    story.on("2027-07-17 00:30")
    start(third_one, last)
    assert get_problem(second_one.get(get_path(last))) == (404, "not-found")
    confirm_deletion(second_one, next_bed)

    story.on("2027-07-20 15:00")
    assess_risk(lead, case)
    withdraw_consents(lawyer, case, "MEDICAL")
    assert get_states(lead, care) == ["withdrawn"]
    assert get_read_status(doctor, case, "sections/health") == HIDDEN
    assert "consent.withdrawn" not in list_types(lawyer.poll())
    confirm_deletion(doctor, care)

    story.on("2027-07-23 19:00")
    left = {"outcome": "partly_delivered", "feedback": "She flew home"}
    unwrap(third_one.does("complete", last, left))
    unwrap(lead.does("relocate", case, {"country": "DO"}))
    assert hotline.read(case)["summary"]["country"] == "TT"
    assert "DO_LEAD" not in hotline.get("/events", limit=200).text

    story.on("2027-07-24 15:00")
    record_consent(lead, case, make_office_consent("DO_NGO", "HANDOVER", **NEEDS))
    offered = unwrap(lead.offer(case, "DO_NGO"))
    assert offered["due_at"] == "2027-07-25T15:00:00Z"
    assert get_read_status(ngo, case, "sections/needs") == FOUND
    assert get_read_status(ngo, case, "sections/contact") == HIDDEN
    assert get_problem(lead.offer(case, "DO_LEAD")) == (409, "handover-open")
    story.on("2027-07-24 15:40")
    hotline.poll()
    update_summary(lead, case, priority="normal")
    assert lead.read(offered)["due_at"] == "2027-08-06T15:00:00Z"
    assert hotline.poll() == []
    story.on("2027-07-26 16:00")
    assert ngo.does("decline", offered, {"reason": "NO_CAPACITY"}).is_success
    assert lead.read(offered)["decline_reason"] == "NO_CAPACITY"
    assert get_read_status(ngo, case, "sections/needs") == HIDDEN
    refused = lead.offer(case, "DO_LEAD")
    missing = [("consent", "lead"), ("origin_permitted", "lead")]
    assert get_unmet(refused) == missing

    story.on("2027-07-27 15:00")
    guards = {"country_of_origin": "DO", "origin_contact": "permitted"}
    set_safeguards(lead, case, **guards)
    assess_risk(lead, case)
    record_consent(lead, case, make_office_consent("DO_LEAD", "HANDOVER"))
    offered = unwrap(lead.offer(case, "DO_LEAD"))
    story.on("2027-07-28 14:00")
    unwrap(state.does("accept", offered, make_takeover()))
    assert state.read(case)["lead"] == "DO_LEAD"
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    lead.poll()
    seen = state.read(law)
    assert (seen["recipient"], seen["state"]) == (None, "in_progress")
    assert "TT_LAW" not in state.get("/referrals").text

    story.on("2027-07-30 15:00")
    record_consent(state, case, make_office_consent("DO_PSY", "PSYCHOSOCIAL"))
    talk = refer(state, case, psy, "PSYCHOSOCIAL", "needs", "contact")
    assert state.read(talk)["recipient"] == "DO_PSY"
    accept(psy, talk, "2027-08-02T15:00:00")
    assert get_read_status(state, case, "sections/contact") == FOUND
    place = f"{get_path(talk)}/arrangement"
    assert [one.open(place).status_code for one in (psy, state)] == [FOUND, HIDDEN]
    story.on("2027-08-02 15:30")
    start(psy, talk)
    story.on("2027-08-09 15:00")
    assess_risk(state, case)
    complete(lawyer, law, "The court decided. TT_LAW")
    seen = state.read(law)
    assert (seen["outcome"], state.list_notes(law)) == ("delivered", [])

    story.run_weekly("2027-08-30 15:00", lambda: assess_risk(state, case))
    complete(psy, talk, "She sleeps.")
    plan = ["2027-09-27T15:00:00Z", "2027-11-29T15:00:00Z"]
    unwrap(state.does("monitor", case, {"visits": plan}))
    story.on("2027-09-27 15:30")
    report_visit(state, case)
    story.on("2027-11-29 15:30")
    report_visit(state, case)
    story.on("2027-11-30 15:00")
    close(state, second, case, "GOALS_MET")
    assert get_read_status(hotline, case, "sections/needs") == HIDDEN
    assert lead.poll() == []
    assert "referral.overdue" in list_types(watcher.poll())
    story.require_closure(case, "GOALS_MET", TT_SH1="confirm_deletion")
