"""Stories of people who cross a border, with or without a new lead."""

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
    make_class_consent,
    make_office_consent,
    make_sections,
    record_consent,
    refer,
    set_safeguards,
    start,
    write_section,
)
from tests.support.returns import (
    AT_HOME,
    CONSULATE,
    MET,
    NO_GO,
    SAFE,
    TOLD,
    Homecoming,
    begin_return,
)
from tests.support.stories import Story
from tests.support.world import (
    Json,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    make_travel_plan,
    unwrap,
)

PAPERS = make_office_consent(CONSULATE, "CONSULAR_DOCUMENT", sections=["identity"])


def test_a_cook_goes_home_to_samarqand_and_his_lead_goes_with_him(story: Story) -> None:
    """Фарҳод Эргашев was made to work in Almaty, and goes home when his wages are paid.

    As he wishes, Kazakhstan hands the lead over to Uzbekistan. From then on Kazakhstan
    cannot read the case, and a centre in Samarqand helps him to start again.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    lawyer, there = story.get_person("KZ_LEGAL_AID"), story.get_person("UZ_LEAD")
    second = story.get_person("UZ_LEAD", Role.SUPERVISOR)
    centre = story.get_person("UZ_CENTRE_YANGI_HAYOT")

    story.on("2026-06-01 13:00")
    case = officer.submit(
        sections=make_sections("Фарҳод Эргашев", "Farhod Ergashev"),
        safeguards={"country_of_origin": "UZ", "origin_contact": "permitted"},
        consents=[make_consent(), make_service_consent(), make_handover_consent("UZ_LEAD")],
    )
    story.on("2026-06-01 14:00")
    lead.take_lead(case)
    law = refer(lead, case, lawyer, "LEGAL_AID", "needs")
    story.on("2026-06-01 15:00")
    accept(lawyer, law, "2026-06-02T05:00:00")
    story.on("2026-06-02 06:00")
    start(lawyer, law)
    story.on("2026-06-04 06:00")
    complete(lawyer, law, "His wages are paid.")

    story.on("2026-06-05 06:00")
    unwrap(lead.does("relocate", case, {"country": "UZ"}))
    assert officer.read(case)["summary"]["country"] == "KZ"
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    assert there.read(offered)["you_are"] == ["handover_candidate"]
    assert get_read_status(there, case, "sections/contact") == HIDDEN

    story.on("2026-06-05 09:00")
    unwrap(there.does("accept", offered, make_takeover()))
    assert there.read(case)["lead"] == "UZ_LEAD"
    assert get_read_status(there, case, "sections/contact") == FOUND
    assert get_read_status(lead, case, "sections/contact") == HIDDEN
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert "handover.accepted" in list_types(lead.poll())

    story.on("2026-06-06 06:00")
    assess_risk(there, case)
    record_consent(there, case, make_class_consent("non_state", "UZ", "REINTEGRATION"))
    course = refer(there, case, centre, "REINTEGRATION", "needs", "contact")
    story.on("2026-06-06 08:00")
    accept(centre, course, "2026-06-08T05:00:00")
    story.on("2026-06-08 06:00")
    start(centre, course)
    story.on("2026-06-12 06:00")
    complete(centre, course, "He cooks at a school.")
    assert get_problem(lead.get(get_path(course))) == (404, "not-found")
    story.on("2026-06-12 08:00")
    close(there, second, case, "GOALS_MET")
    assert get_read_status(there, case, "sections/contact") == HIDDEN
    story.require_closure(case, "GOALS_MET")


def test_a_woman_crosses_to_kyrgyzstan_where_no_agreement_carries_her_name(
    story: Story,
) -> None:
    """Нилуфар Каримова goes on to Osh, and Kazakhstan has no agreement with Kyrgyzstan.

    Before she travels, the shelter in Osh gets only the summary, and accepts her without
    knowing her name. Without an agreement, the lead stays in Kazakhstan to the end.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second, osh = story.get_person("KZ_LEAD"), story.get_person("KG_SHELTER_AK_BATA")
    ministry = story.get_person("KG_LEAD")

    story.on("2026-06-02 05:00")
    case = officer.submit(
        summary=NORMAL,
        consents=[
            make_consent(),
            make_handover_consent("KG_LEAD"),
            make_service_consent(country="KG"),
        ],
    )
    story.on("2026-06-02 08:00")
    lead.take_lead(case)
    named = lead.refer(case, osh.code, sections=["needs", "contact"])
    assert get_unmet(named) == [("agreement", "sender")]
    bed = refer(lead, case, osh, "SHELTER")
    story.on("2026-06-03 05:00")
    assert osh.read(case)["summary"]["country"] == "KZ"
    accept(osh, bed, "2026-06-05T04:00:00")

    story.on("2026-06-04 08:00")
    unwrap(lead.does("relocate", case, {"country": "KG"}))
    refused = lead.offer(case, "KG_LEAD")
    assert get_unmet(refused) == [("agreement", "lead")]
    assert get_problem(ministry.get(get_path(case))) == (404, "not-found")
    assert osh.read(case)["summary"]["country"] == "KG"
    for part in ("needs", "contact", "identity"):
        assert get_read_status(osh, case, f"sections/{part}") == HIDDEN
    assert get_read_status(osh, case, "safety-alert") == FOUND

    story.on("2026-06-05 05:00")
    start(osh, bed)
    assert officer.read(case)["summary"]["country"] == "KZ"
    assert osh.code not in officer.get("/events", limit=200).text
    story.on("2026-06-10 05:00")
    assess_risk(lead, case)
    story.on("2026-06-12 05:00")
    complete(osh, bed, "She lives with an aunt in Osh.")
    story.on("2026-06-12 09:00")
    close(lead, second, case, "RESETTLED")
    story.require_closure(case, "RESETTLED")


def ask_for_papers(home: Homecoming) -> Json:
    """Refer the case to the consulate for a travel document; the consulate accepts."""
    referral = refer(home.lead, home.case, home.officer, "CONSULAR_DOCUMENT", "identity")
    return accept(home.officer, referral, "2026-06-03T05:00:00")


def test_a_nurse_returns_to_uzbekistan_and_is_visited_until_autumn(story: Story) -> None:
    """Oygul wants to go home, and an organisation in Tashkent expects her.

    The consulate confirms her nationality and issues a document that does not say what
    happened to her. She arrives and is visited twice, and her case is closed as a return.
    """
    officer, lead = story.get_person("IOM"), story.get_person("KZ_LEAD")
    story.on("2026-06-01 13:00")
    home = begin_return(story.world, officer, lead, consents=[PAPERS])
    home.officer, case = story.get_person(CONSULATE), home.case
    papers = ask_for_papers(home)

    story.on("2026-06-02 05:00")
    unwrap(home.does("lead", "inform", TOLD))
    unwrap(home.does("lead", "permit-contact"))
    story.on("2026-06-03 05:30")
    start(home.officer, papers)
    unwrap(home.does("officer", "verify-nationality", {"nationality": "confirmed"}))
    assert get_read_status(home.officer, case, "sections/contact") == HIDDEN
    assert get_problem(home.officer.get(get_path(home.referral))) == (404, "not-found")

    story.on("2026-06-04 08:00")
    unwrap(home.does("lead", "assess-destination", SAFE))
    story.on("2026-06-05 08:00")
    unwrap(home.does("home", "assess-origin", AT_HOME))
    early = home.home.does("start", home.referral, MET)
    assert get_unmet(early) == [("return_cleared", "sender")]
    story.on("2026-06-06 08:00")
    unwrap(home.does("lead", "go", {}))
    story.on("2026-06-08 06:00")
    issued = home.does("officer", "issue-document", {"without_marker": True})
    assert issued.is_success
    complete(home.officer, papers, "She has her passport.")

    story.on("2026-06-08 09:00")
    assess_risk(lead, case)
    unwrap(home.does("lead", "plan", make_travel_plan("2026-06-11T13:00:00Z")))
    story.on("2026-06-09 09:00")
    unwrap(home.does("home", "accept-plan"))
    story.on("2026-06-11 03:00")
    unwrap(home.does("lead", "depart", {"reconfirmed_today": True}))
    assert home.state == "in_transit"
    story.on("2026-06-11 13:30")
    unwrap(home.does("home", "arrive", MET))
    plan = {"visits": ["2026-06-18T09:00:00Z", "2026-09-18T09:00:00Z"]}
    unwrap(home.does("home", "monitor", plan))
    start(home.home, home.referral)
    complete(home.home, home.referral, "She is home.")

    story.on("2026-06-18 09:30")
    unwrap(home.does("home", "report", MET))
    story.run_weekly("2026-09-18 09:30", lambda: assess_risk(lead, case))
    unwrap(home.does("home", "report", MET))
    assert home.state == "completed"
    story.on("2026-09-19 05:00")
    close(lead, home.supervisor, case, "RETURNED_MONITORED")
    assert get_read_status(home.home, case, "sections/identity") == HIDDEN
    assert home.lead.read(papers)["state"] == "completed"
    story.require_closure(case, "RETURNED_MONITORED")


def test_a_return_that_would_be_dangerous_ends_and_the_consulate_reads_no_more(
    story: Story,
) -> None:
    """Oygul wants to go home, but the man who sold her lives in her village.

    Two people decide that she cannot go. The return ends together with the referral to the
    consulate, which can no longer read her name. UNHCR accepts her asylum claim, and she
    stays.
    """
    officer, lead = story.get_person("IOM"), story.get_person("KZ_LEAD")
    unhcr = story.get_person("UNHCR")
    story.on("2026-06-01 13:00")
    asylum = make_office_consent("UNHCR", "ASYLUM", sections=["needs", "narrative"])
    home = begin_return(story.world, officer, lead, consents=[PAPERS, asylum])
    home.officer, case = story.get_person(CONSULATE), home.case
    papers = ask_for_papers(home)

    story.on("2026-06-02 05:00")
    unwrap(home.does("lead", "inform", TOLD))
    unwrap(home.does("lead", "permit-contact"))
    write_section(lead, case, "identity", names=["Ойгул Ғаниева"])
    assert get_read_status(home.officer, case, "sections/identity") == FOUND
    story.on("2026-06-03 06:00")
    start(home.officer, papers)
    unwrap(home.does("officer", "verify-nationality", {"nationality": "confirmed"}))
    story.on("2026-06-04 08:00")
    unwrap(home.does("lead", "assess-destination", SAFE))
    threat = AT_HOME | {"threats": ["RETRIBUTION"], "level": "high"}
    unwrap(home.does("home", "assess-origin", threat))
    assert get_unmet(home.lead.does("go", home.record, {})) == [("no_threat", "lead")]
    home.officer.poll()

    story.on("2026-06-05 08:00")
    unwrap(home.does("lead", "no-go", NO_GO))
    assert lead.read(home.referral)["state"] == "withdrawn"
    assert lead.read(papers)["reason"] == "NO_LONGER_NEEDED"
    assert list_types(home.officer.poll()).count("referral.withdrawn") == 1
    for part in ("identity", "contact", "narrative"):
        assert get_read_status(home.officer, case, f"sections/{part}") == HIDDEN

    story.on("2026-06-06 08:00")
    set_safeguards(lead, case, country_of_origin="UZ", seeks_asylum=True)
    assess_risk(lead, case)
    claim = refer(lead, case, unhcr, "ASYLUM", "needs", "narrative")
    story.on("2026-06-06 10:00")
    accept(unhcr, claim, "2026-06-08T06:00:00")
    assert get_read_status(unhcr, case, "sections/narrative") == FOUND
    for one, referral in ((home.officer, papers), (home.home, home.referral)):
        confirm_deletion(one, referral)
    story.on("2026-06-08 07:00")
    start(unhcr, claim)
    story.run_weekly("2026-06-26 07:00", lambda: assess_risk(lead, case))
    complete(unhcr, claim, "She has asylum.")
    story.on("2026-06-26 09:00")
    close(lead, home.supervisor, case, "RESETTLED")
    story.require_closure(case, "RESETTLED")
