"""Stories of children, whose protection does not depend on the consent of a guardian."""

from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    GUARDIAN,
    HIDDEN,
    NORMAL,
    accept,
    assess_risk,
    close,
    complete,
    get_read_status,
    make_class_consent,
    make_office_consent,
    make_sections,
    record_consent,
    record_fact,
    refer,
    start,
    update_summary,
    withdraw_consents,
)
from tests.support.returns import AT_HOME, MET, SAFE, TOLD, Homecoming, create_return
from tests.support.stories import Story
from tests.support.world import (
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_travel_plan,
    unwrap,
)

ALONE = {"reason": "CHILD_UNPROTECTED", "note": "Alone at the bus station"}


def test_a_girl_alone_in_guatemala_has_a_bed_before_anybody_speaks_for_her(
    story: Story,
) -> None:
    """The consulate of Honduras meets Génesis, who is twelve years old, at a bus station.

    A shelter and the child protection service accept her although they may read no section.
    A guardian is appointed, her best interests are assessed, and she goes to her aunt in
    Guatemala.
    """
    officer, lead = story.get_person("HN_CONSULATE_GUATEMALA"), story.get_person("GT_LEAD")
    second = story.get_person("GT_LEAD", Role.SUPERVISOR)
    shelter, office = (
        story.get_person("GT_SHELTER_AMANECER"),
        story.get_person("GT_CHILD_PROTECTION"),
    )
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)

    story.on("2026-06-01 20:00")
    case = officer.submit(
        summary={"country": "GT", "age_class": "child", "language": "es"},
        sections=make_sections("Génesis Núñez Ordóñez"),
        safeguards={"country_of_origin": "HN"},
        consents=[],
        vital_interest=ALONE,
    )
    assert "case.vital_interest_declared" in list_types(watcher.poll())
    story.on("2026-06-01 21:00")
    lead.take_lead(case)
    assert get_read_status(lead, case, "safety-alert") == FOUND
    assert get_read_status(lead, case, "sections/needs") == HIDDEN
    assert "assess_interests" in [kind for _, kind, _ in lead.get_worklist()]

    story.on("2026-06-01 22:00")
    bed = refer(lead, case, shelter, "SHELTER")
    care = refer(lead, case, office, "GUARDIANSHIP")
    story.on("2026-06-01 23:00")
    accept(shelter, bed, "2026-06-02T01:00:00")
    accept(office, care, "2026-06-02T15:00:00")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN

    story.on("2026-06-02 16:00")
    start(shelter, bed)
    start(office, care)
    early = lead.refer(case, office.code, service="IDENTIFICATION", sections=[])
    assert get_unmet(early) == [("consent", "sender")]
    record_fact(office, case, "guardian", "appointed")
    record_fact(office, case, "best_interests", "assessed")
    assert "assess_interests" not in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-03 16:00")
    both = ("GUARDIANSHIP", "SHELTER")
    record_consent(lead, case, make_class_consent("non_state", "GT", *both, **GUARDIAN))
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    story.on("2026-06-04 16:00")
    complete(shelter, bed, "She goes to her aunt.")
    complete(office, care, "Her aunt is her guardian.")
    assert get_read_status(office, case, "safety-alert") == HIDDEN

    story.on("2026-06-05 16:00")
    unwrap(lead.does("monitor", case, {"visits": ["2026-06-12T16:00:00Z"]}))
    story.on("2026-06-12 16:30")
    unwrap(lead.does("visits", case, {"person_met": True}))
    story.on("2026-06-15 16:00")
    close(lead, second, case, "GOALS_MET")
    assert "case.closed" in list_types(officer.poll())
    assert shelter.code not in officer.get("/events", limit=200).text
    story.require_closure(case, "GOALS_MET")


def test_a_boy_keeps_his_bed_when_his_uncle_takes_back_what_he_signed(
    story: Story,
) -> None:
    """Íñigo Peña Núñez from Nicaragua is fifteen, and his uncle in El Salvador consents.

    When the uncle withdraws his consent, the shelter can no longer read the contact. The
    boy keeps his place in the shelter. A best interests decision then replaces the consent,
    and his mother takes him home.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("SV_LEAD")
    second, shelter = story.get_person("SV_LEAD", Role.SUPERVISOR), story.get_person("IOM")
    uncle = make_class_consent("state", "SV", "REFER", **GUARDIAN)
    bed_of_uncle = make_office_consent("IOM", "SHELTER", **GUARDIAN)

    story.on("2026-06-02 15:00")
    case = officer.submit(
        summary=NORMAL | {"country": "SV", "age_class": "child", "language": "es"},
        sections=make_sections("Íñigo Peña Núñez"),
        safeguards={"country_of_origin": "NI"},
        consents=[uncle, bed_of_uncle],
    )
    story.on("2026-06-02 17:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    story.on("2026-06-02 18:00")
    accept(shelter, bed, "2026-06-02T22:00:00")
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    story.on("2026-06-02 22:30")
    start(shelter, bed)
    shelter.poll()

    story.on("2026-06-04 15:00")
    withdraw_consents(lead, case, "SHELTER", "REFER")
    assert shelter.read(bed)["state"] == "in_progress"
    assert list_types(shelter.poll()) == ["referral.narrowed"]
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    assert "assess_interests" in [kind for _, kind, _ in lead.get_worklist()]

    story.on("2026-06-05 15:00")
    decided = {"given_by": "best_interests_decision"}
    record_fact(lead, case, "best_interests", "determined")
    record_consent(
        lead, case, make_office_consent("IOM", "SHELTER", "PSYCHOSOCIAL", **decided)
    )
    assert "assess_interests" not in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-06 15:00")
    complete(shelter, bed, "His mother came for him.")
    story.on("2026-06-08 15:00")
    assess_risk(lead, case)
    close(lead, second, case, "GOALS_MET")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    story.require_closure(case, "GOALS_MET")


def test_a_boy_from_kabul_is_a_child_then_an_adult_then_a_child_again(
    story: Story,
) -> None:
    """فرید احمدی was brought from Kabul to Dushanbe, and nobody knows how old he is.

    A guardian consents for the boy until a document says that the boy is nineteen. Then the
    boy consents himself, until it turns out that the document belongs to his brother. The
    boy stays in the shelter throughout.
    """
    officer, lead = story.get_person("PARTNERSHIP_IN_ACTION"), story.get_person("TJ_LEAD")
    second, shelter = story.get_person("TJ_LEAD", Role.SUPERVISOR), story.get_person("IOM")
    own, until = (
        make_office_consent("IOM", "SHELTER"),
        {"expires_at": "2026-06-07T00:00:00Z"},
    )

    story.on("2026-06-03 05:00")
    case = officer.submit(
        summary=NORMAL | {"country": "TJ", "age_class": "presumed_child", "language": "fa"},
        sections=make_sections("فرید احمدی"),
        safeguards={"country_of_origin": "AF"},
        consents=[
            one | GUARDIAN | until
            for one in (make_class_consent("state", "TJ", "REFER"), own)
        ],
    )
    story.on("2026-06-03 06:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    story.on("2026-06-03 07:00")
    accept(shelter, bed, "2026-06-03T12:00:00")
    story.on("2026-06-03 12:30")
    start(shelter, bed)
    assert get_read_status(shelter, case, "sections/contact") == FOUND

    story.on("2026-06-05 06:00")
    update_summary(lead, case, age_class="adult")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    assert shelter.read(bed)["state"] == "in_progress"
    story.on("2026-06-05 09:00")
    spoken_for = lead.create(f"{get_path(case)}/consents", own | GUARDIAN)
    assert get_problem(spoken_for) == (422, "adult-consent-required")
    record_consent(lead, case, make_class_consent("state", "TJ", "REFER"))
    record_consent(lead, case, own)
    assert get_read_status(shelter, case, "sections/contact") == FOUND

    story.on("2026-06-08 06:00")
    update_summary(lead, case, age_class="presumed_child")
    assert shelter.read(bed)["state"] == "in_progress"
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    assert "assess_interests" in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-09 06:00")
    record_fact(lead, case, "guardian", "appointed")
    record_fact(lead, case, "best_interests", "determined")
    assess_risk(lead, case)
    record_consent(lead, case, own | GUARDIAN)
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    story.on("2026-06-09 12:00")
    complete(shelter, bed, "He goes to school, and lives with an uncle.")
    story.on("2026-06-10 06:00")
    close(lead, second, case, "RESETTLED")
    story.require_closure(case, "RESETTLED")


def test_a_girl_goes_home_to_jamaica_with_somebody_who_travels_with_her(
    story: Story,
) -> None:
    """Shanice is fourteen, and wants to go home from Port of Spain to her grandmother.

    She travels only after a guardian is appointed, the return is found to be in her best
    interests, and a carer is ready to receive her. A nurse travels with her. She is visited
    twice at home.
    """
    officer, lead = (
        story.get_person("JM_CONSULATE_PORT_OF_SPAIN"),
        story.get_person("TT_LEAD"),
    )
    second, home = (
        story.get_person("TT_LEAD", Role.SUPERVISOR),
        story.get_person("JM_HOMEWARD"),
    )
    sections = {"sections": ["needs", "contact", "identity"]}
    given = [
        make_class_consent("state", "TT", "REFER", **GUARDIAN),
        make_office_consent("JM_HOMEWARD", "RETURN", **sections, **GUARDIAN),
    ]

    story.on("2026-06-01 14:00")
    case = officer.submit(
        summary={"country": "TT", "age_class": "child", "language": "en"},
        sections=make_sections("Shanice"),
        safeguards={"country_of_origin": "JM", "origin_contact": "permitted"},
        consents=given,
    )
    story.on("2026-06-01 15:00")
    lead.take_lead(case)
    sent = refer(lead, case, home, "RETURN", *sections["sections"])
    story.on("2026-06-01 16:00")
    referral = accept(home, sent, "2026-06-12T18:00:00")
    record = unwrap(create_return(lead, referral))
    going = Homecoming(story.world, officer, lead, home, second, case, referral, record)

    story.on("2026-06-02 14:00")
    unwrap(going.does("lead", "inform", TOLD))
    unwrap(going.does("lead", "permit-contact"))
    story.on("2026-06-03 14:00")
    unwrap(going.does("home", "verify-nationality", {"nationality": "confirmed"}))
    unwrap(going.does("lead", "assess-destination", SAFE))
    unwrap(going.does("home", "assess-origin", AT_HOME))
    refused = lead.does("go", record, {})
    assert get_unmet(refused) == [("child_provided_for", "lead"), ("guardian", "lead")]

    story.on("2026-06-04 14:00")
    record_fact(lead, case, "guardian", "appointed")
    record_fact(lead, case, "best_interests", "determined")
    received = {"carer_receives": True, "guardian_at_arrival": True}
    unwrap(going.does("home", "receive-child", received))
    unwrap(going.does("lead", "determine-interests", {"interests": "in_favour"}))
    unwrap(going.does("lead", "go", {}))
    story.on("2026-06-05 14:00")
    unwrap(going.does("home", "issue-document", {"without_marker": True}))
    alone = going.does(
        "lead", "plan", make_travel_plan("2026-06-08T18:00:00Z", escort=None)
    )
    assert get_unmet(alone) == [("escort", "lead")]
    unwrap(going.does("lead", "plan", make_travel_plan("2026-06-08T18:00:00Z")))
    unwrap(going.does("home", "accept-plan"))

    story.on("2026-06-08 12:00")
    assess_risk(lead, case)
    unwrap(going.does("lead", "depart", {"reconfirmed_today": True}))
    story.on("2026-06-08 18:30")
    unwrap(going.does("home", "arrive", MET))
    start(home, referral)
    plan = {"visits": ["2026-06-15T15:00:00Z", "2026-07-08T15:00:00Z"]}
    unwrap(going.does("home", "monitor", plan))
    complete(home, referral, "She is with her grandmother.")
    story.on("2026-06-15 15:30")
    unwrap(going.does("home", "report", MET))
    story.run_weekly("2026-07-08 15:30", lambda: assess_risk(lead, case))
    unwrap(going.does("home", "report", MET))
    assert going.state == "completed"
    story.on("2026-07-09 14:00")
    close(lead, second, case, "RETURNED_MONITORED")
    assert get_read_status(home, case, "sections/identity") == HIDDEN
    story.require_closure(case, "RETURNED_MONITORED")
