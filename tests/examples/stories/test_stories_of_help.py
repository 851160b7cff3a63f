"""Stories of people who are helped where they are: with a bed, a lawyer and visits."""

from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
    NORMAL,
    accept,
    acknowledge,
    assess_risk,
    close,
    complete,
    confirm_deletion,
    decline,
    get_read_status,
    record_consent,
    refer,
    report_visit,
    start,
)
from tests.support.stories import Story
from tests.support.world import (
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    make_consent,
    make_service_consent,
    unwrap,
)


def test_a_seamstress_from_uzbekistan_is_helped_in_almaty_and_forgotten_in_time(
    story: Story,
) -> None:
    """The consulate of Uzbekistan in Almaty meets Ойгул Ғаниева, who fled from a workshop.

    Kazakhstan leads her case, a shelter takes her in, and a lawyer gets her wages paid. She
    is visited for a month, and the case is closed. Two years later it is erased, and nobody
    can open it any more.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second = story.get_person("KZ_LEAD", Role.SUPERVISOR)
    shelter, lawyer = (
        story.get_person("KZ_SHELTER_KOGERSHIN"),
        story.get_person("KZ_LEGAL_AID"),
    )

    story.on("2026-06-01 13:00")
    case = officer.submit()
    assert get_read_status(lead, case, "sections/contact") == HIDDEN

    story.on("2026-06-01 14:30")
    lead.take_lead(case)
    assert get_read_status(lead, case, "sections/contact") == FOUND
    assert get_read_status(lead, case, "sections/identity") == HIDDEN

    story.on("2026-06-01 15:00")
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs", "narrative")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN

    story.on("2026-06-01 16:00")
    accept(shelter, bed, "2026-06-02T04:00:00")
    acknowledge(lawyer, law)
    assert lead.read(case)["state"] == "assisting"
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    assert get_read_status(shelter, case, "sections/narrative") == HIDDEN

    story.on("2026-06-02 05:00")
    start(shelter, bed)
    accept(lawyer, law, "2026-06-03T05:00:00")
    assert get_read_status(lawyer, case, "sections/narrative") == FOUND
    assert get_read_status(lawyer, case, "sections/contact") == HIDDEN
    assert get_problem(lawyer.get(get_path(bed))) == (404, "not-found")

    story.on("2026-06-03 06:00")
    start(lawyer, law)
    story.on("2026-06-05 10:00")
    complete(shelter, bed, "She sleeps, and calls her mother.")
    story.on("2026-06-08 10:00")
    complete(lawyer, law, "The workshop paid her wages.")
    assert get_read_status(lawyer, case, "sections/narrative") == HIDDEN

    story.on("2026-06-08 12:30")
    plan = ["2026-06-15T10:00:00Z", "2026-07-08T10:00:00Z"]
    unwrap(lead.does("monitor", case, {"visits": plan}))
    early = lead.does("visits", case, {"person_met": True})
    assert get_problem(early) == (409, "date-not-reached")
    story.on("2026-06-15 10:00")
    report_visit(lead, case)
    story.on("2026-07-08 10:30")
    report_visit(lead, case)

    story.on("2026-07-10 09:00")
    close(lead, second, case, "GOALS_MET")
    assert list_types(officer.poll())[-2:] == ["case.monitoring_begun", "case.closed"]
    for one, part in ((lead, "needs"), (officer, "identity"), (shelter, "contact")):
        assert get_read_status(one, case, f"sections/{part}") == HIDDEN

    story.on("2028-07-10 08:59")
    assert lead.read(case)["state"] == "closed"
    story.on("2028-07-10 09:01")
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert get_problem(officer.get(get_path(case))) == (404, "not-found")
    story.require_erasure(case)


def test_a_man_whose_first_bed_is_lost_is_found_another(story: Story) -> None:
    """Бекзод Турсунов escaped a brick kiln, and the consulate in Almaty submits his case.

    One shelter does not take men. The next one accepts him, but has to decline in the end
    because a man from the kiln lives there. His lead searches again, and IOM has a bed.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second = story.get_person("KZ_LEAD", Role.SUPERVISOR)
    women, mixed = (
        story.get_person(f"KZ_SHELTER_{n}") for n in ("KOGERSHIN", "TANSHOLPAN")
    )
    iom = story.get_person("IOM")
    beds = [make_service_consent(), make_consent(focal_point="IOM", purposes=["SHELTER"])]

    story.on("2026-06-02 08:00")
    case = officer.submit(consents=[make_consent(), *beds])
    story.on("2026-06-02 09:00")
    lead.take_lead(case)

    story.on("2026-06-02 09:30")
    first = refer(lead, case, women, "SHELTER", "needs")
    story.on("2026-06-02 10:00")
    decline(women, first, "OUT_OF_MANDATE")
    assert lead.read(first)["reason"] == "OUT_OF_MANDATE"
    assert get_problem(women.open(f"{get_path(case)}/sections/needs")) == (404, "not-found")

    story.on("2026-06-02 10:30")
    [found] = unwrap(lead.get(f"{get_path(case)}/recipients", service="SHELTER"))[
        "services"
    ]
    assert mixed.code in [one["focal_point"] for one in found["candidates"]]
    bed = refer(lead, case, mixed, "SHELTER", "needs", "contact")
    story.on("2026-06-02 11:30")
    accept(mixed, bed, "2026-06-02T15:00:00")
    assert lead.read(case)["state"] == "assisting"

    story.on("2026-06-02 18:00")
    decline(mixed, bed, "SAFETY_CONFLICT")
    assert lead.read(case)["state"] == "referring"
    assert get_read_status(mixed, case, "sections/contact") == HIDDEN
    assert list_types(officer.poll())[-2:] == [
        "case.assistance_begun",
        "case.referring_again",
    ]

    story.on("2026-06-02 18:30")
    third = refer(lead, case, iom, "SHELTER", "needs", "contact")
    acknowledge(iom, third)
    assert iom.read(third)["you_are"] == ["recipient"]
    story.on("2026-06-03 06:00")
    confirm_deletion(women, first)
    confirm_deletion(mixed, bed)
    accept(iom, third, "2026-06-03T09:00:00")
    story.on("2026-06-03 10:00")
    start(iom, third)
    story.on("2026-06-07 10:00")
    complete(iom, third, "He found work and a room of his own.")

    story.on("2026-06-07 12:00")
    states = [lead.read(one)["state"] for one in (first, bed, third)]
    assert states == ["declined", "declined", "completed"]
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_a_jamaican_waiter_in_trinidad_is_asked_about_and_answers_by_his_own_words(
    story: Story,
) -> None:
    """The consulate of Jamaica in Port of Spain submits the case of a waiter.

    His employer took his passport, and his lawyer asks what happened. The consent does not
    cover the answer, so the lead asks the waiter first. He agrees, the lawyer reads the
    answer, and a court gives the waiter back his passport.
    """
    officer, lead = (
        story.get_person("JM_CONSULATE_PORT_OF_SPAIN"),
        story.get_person("TT_LEAD"),
    )
    second = story.get_person("TT_LEAD", Role.SUPERVISOR)
    lawyer = story.get_person("TT_LEGAL_AID")
    in_trinidad = {"kind": "state", "country": "TT"}
    given = [
        make_consent(recipient_class=in_trinidad, language="en"),
        make_service_consent(country="TT", language="en", sections=["needs"]),
    ]

    story.on("2026-06-03 14:00")
    case = officer.submit(
        summary=NORMAL | {"country": "TT", "language": "en", "services": ["LEGAL_AID"]},
        safeguards={"country_of_origin": "JM"},
        consents=given,
    )
    story.on("2026-06-03 15:00")
    lead.take_lead(case)
    story.on("2026-06-03 16:00")
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs")
    story.on("2026-06-04 13:00")
    question = {"topics": ["narrative"], "question": "Who keeps his passport?"}
    unwrap(lawyer.does("ask", law, question))
    assert ("question", "Who keeps his passport?") in lead.list_notes(law)

    story.on("2026-06-04 14:00")
    answer = {"sections": ["narrative"], "answer": "His employer."}
    refused = lead.does("answer", law, answer)
    assert get_unmet(refused) == [("consent_to_answer", "sender")]
    record_consent(lead, case, make_service_consent(country="TT", language="en"))
    unwrap(lead.does("answer", law, answer))

    story.on("2026-06-04 15:00")
    assert get_read_status(lawyer, case, "sections/narrative") == HIDDEN
    accept(lawyer, law, "2026-06-05T14:00:00")
    assert get_read_status(lawyer, case, "sections/narrative") == FOUND
    assert get_read_status(lawyer, case, "sections/health") == HIDDEN
    story.on("2026-06-05 15:00")
    start(lawyer, law)
    story.on("2026-06-09 15:00")
    complete(lawyer, law, "He has his passport, and a ticket of his own.")

    story.on("2026-06-10 13:00")
    assess_risk(lead, case)
    close(lead, second, case, "GOALS_MET")
    [proof] = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]
    assert (proof["recipient"], proof["rank"]) == ("TT_LEAD", 5)
    story.require_closure(case, "GOALS_MET")


def test_a_woman_who_trusts_no_state_is_led_by_an_ngo_and_has_a_new_need(
    story: Story,
) -> None:
    """Лола Раҳимова wants no office of a State, so the NGO Sana Sezim leads her case.

    At first she consents only to a shelter, and her referral is on hold while she is in
    hospital. When a visit shows that her papers are missing, she also consents to a lawyer.
    Then the case is closed.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("SANA_SEZIM")
    second = story.get_person("SANA_SEZIM")
    shelter, lawyer = (
        story.get_person("KZ_SHELTER_TANSHOLPAN"),
        story.get_person("KZ_LEGAL_AID"),
    )
    ngos = {"kind": "non_state", "country": "KZ"}
    bed_only = make_service_consent(purposes=["SHELTER"])

    story.on("2026-06-04 08:00")
    case = officer.submit(consents=[make_consent(recipient_class=ngos), bed_only])
    assert officer.read(case)["holder"] == "SANA_SEZIM"
    story.on("2026-06-04 09:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    refused = lead.refer(case, lawyer.code, service="LEGAL_AID")
    assert get_unmet(refused) == [("consent", "sender")]

    story.on("2026-06-04 10:00")
    accept(shelter, bed, "2026-06-04T16:00:00")
    story.on("2026-06-04 17:00")
    start(shelter, bed)
    story.on("2026-06-06 08:00")
    rest = {"reason": "SURVIVOR_REQUEST", "review_at": "2026-06-10T08:00:00Z"}
    unwrap(shelter.does("hold", bed, rest))
    assert lead.read(case)["state"] == "assisting"
    story.on("2026-06-10 09:00")
    assert "referral.review_due" in list_types(lead.poll())
    unwrap(shelter.does("resume", bed))
    assess_risk(lead, case)
    story.on("2026-06-12 09:00")
    complete(shelter, bed, "She is well again, and lives with a friend.")

    story.on("2026-06-12 12:00")
    plan = {"visits": ["2026-06-19T09:00:00Z", "2026-07-03T09:00:00Z"]}
    unwrap(lead.does("monitor", case, plan))
    story.on("2026-06-19 10:00")
    report_visit(lead, case)
    assert get_read_status(lead, case, "sections/contact") == FOUND
    story.on("2026-06-22 09:00")
    unwrap(lead.does("reopen-assistance", case, {"reason": "NEW_NEED"}))
    assess_risk(lead, case)
    record_consent(lead, case, make_service_consent(purposes=["LEGAL_AID"]))
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs")

    story.on("2026-06-22 10:00")
    accept(lawyer, law, "2026-06-23T09:00:00")
    story.on("2026-06-23 10:00")
    start(lawyer, law)
    complete(lawyer, law, "Her papers are in order.")
    story.on("2026-06-24 09:00")
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_a_woman_who_settles_in_kazakhstan_is_closed_with_two_years_to_come_back(
    story: Story,
) -> None:
    """Мадина Юсупова marries in Almaty, and her case is closed because she has resettled.

    Before the closure, a second person has to approve, the lawyer has to finish, and she
    has to be told. Half a year later she needs help again, and the same case is reopened.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second, lawyer = story.get_person("KZ_LEAD"), story.get_person("KZ_LEGAL_AID")
    given = [one | {"expires_at": "2029-06-01T00:00:00Z"} for one in (make_consent(),)]
    help_given = make_service_consent(expires_at="2029-06-01T00:00:00Z")

    story.on("2026-06-05 06:00")
    case = officer.submit(summary=NORMAL, consents=[*given, help_given])
    story.on("2026-06-05 07:00")
    lead.take_lead(case)
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs")
    story.on("2026-06-05 08:00")
    accept(lawyer, law, "2026-06-08T06:00:00")
    untold = lead.does(
        "close", case, make_closure(reason="RESETTLED", person_informed=False)
    )
    assert get_unmet(untold) == [("nothing_open", "holder"), ("person_informed", "holder")]
    story.on("2026-06-08 07:00")
    start(lawyer, law)
    complete(lawyer, law, "She may stay with her husband.")

    story.on("2026-06-09 07:00")
    approval = unwrap(lead.does("close", case, make_closure(reason="RESETTLED")))
    alone = lead.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(alone) == (409, "not-a-second-person")
    story.on("2026-06-09 09:00")
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    body = make_closure(reason="RESETTLED")
    unwrap(lead.does("close", case, body, Approval=approval["id"]))
    assert get_read_status(lead, case, "sections/needs") == HIDDEN

    story.on("2026-12-14 07:00")
    unwrap(lead.does("reopen", case, {"reason": "NEW_NEED"}))
    assert get_read_status(lead, case, "sections/needs") == FOUND
    assess_risk(lead, case)
    again = refer(lead, case, lawyer, "LEGAL_AID", "needs")
    story.on("2026-12-15 07:00")
    accept(lawyer, again, "2026-12-16T06:00:00")
    story.on("2026-12-16 07:00")
    start(lawyer, again)
    complete(lawyer, again, "Her child has a birth certificate.")
    story.on("2026-12-17 07:00")
    close(lead, second, case, "RESETTLED")
    story.require_closure(case, "RESETTLED")
