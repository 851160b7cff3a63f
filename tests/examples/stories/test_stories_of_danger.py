"""Stories of danger: no consent yet, an emergency, a death, a lost contact, and a bribe."""

from dataclasses import replace

from app.disclosure.refused_openings import RefusedOpenings
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
    get_read_status,
    make_class_consent,
    make_office_consent,
    make_sections,
    record_consent,
    refer,
    set_safeguards,
    start,
)
from tests.support.stories import Story
from tests.support.world import (
    Json,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    unwrap,
)

VITAL = {"reason": "RISK_TO_LIFE", "note": "The men who hold her debt look for her"}


def test_a_woman_in_guyana_is_hidden_before_anybody_could_ask_her(story: Story) -> None:
    """Marie-Ange from Haiti is hunted in Georgetown, and cannot be asked before tonight.

    For four hours her summary and the safety alert are sent without a consent, and a
    shelter accepts her at once. When she is safe she consents. Only then are other parts of
    her case shown.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("GY_LEAD")
    second, shelter = story.get_person("GY_LEAD", Role.SUPERVISOR), story.get_person("IOM")
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)

    story.on("2026-06-01 22:00")
    case = officer.submit(
        summary={"country": "GY", "language": "ht", "priority": "emergency"},
        sections=make_sections("Marie-Ange Désir"),
        safeguards={"country_of_origin": "HT"},
        consents=[],
        vital_interest=VITAL,
    )
    assert "case.vital_interest_declared" in list_types(watcher.poll())
    story.on("2026-06-01 22:30")
    lead.take_lead(case)
    assert get_read_status(lead, case, "safety-alert") == FOUND
    assert get_read_status(lead, case, "sections/needs") == HIDDEN
    bed = refer(lead, case, shelter, "SHELTER")
    story.on("2026-06-01 23:00")
    accept(shelter, bed, "2026-06-02T01:00:00")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN

    story.on("2026-06-02 02:30")
    start(shelter, bed)
    late = lead.refer(case, "UNHCR", service="ASYLUM", sections=[])
    assert get_unmet(late) == [("consent", "sender")]
    story.on("2026-06-02 12:00")
    record_consent(lead, case, make_class_consent("state", "GY", "REFER"))
    record_consent(lead, case, make_office_consent("IOM", "SHELTER"))
    assert get_read_status(lead, case, "sections/contact") == FOUND
    story.on("2026-06-02 15:00")
    assess_risk(lead, case, "high")
    story.on("2026-06-05 12:00")
    assess_risk(lead, case, "medium")
    story.on("2026-06-06 12:00")
    complete(shelter, bed, "She is with her sister, abroad.")
    story.on("2026-06-07 12:00")
    close(lead, second, case, "RESETTLED")
    story.require_closure(case, "RESETTLED")


def test_a_shelter_reads_how_to_reach_her_because_her_life_is_at_risk(story: Story) -> None:
    """Ойдин does not come back to the shelter, which does not know how to reach her.

    Another organisation permits one person of the shelter to read her contact for four
    hours. She is found, and is told who read her contact. Oversight then reviews the
    access.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second, shelter = story.get_person("KZ_LEAD"), story.get_person("KZ_SHELTER_KOGERSHIN")
    colleague = story.get_person("KZ_SHELTER_KOGERSHIN")
    watcher, reviewer = (
        story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER) for _ in "ab"
    )
    services = make_class_consent("non_state", "KZ", "SHELTER", sections=["needs"])

    story.on("2026-06-01 13:00")
    case = officer.submit(consents=[make_class_consent("state", "KZ", "REFER"), services])
    story.on("2026-06-01 14:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs")
    story.on("2026-06-01 15:00")
    accept(shelter, bed, "2026-06-02T04:00:00")
    story.on("2026-06-02 05:00")
    start(shelter, bed)

    story.on("2026-06-03 18:00")
    assert get_read_status(shelter, case, "sections/contact", "protection") == HIDDEN
    readings = f"{get_path(case)}/emergency-access"
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "Not back since noon"}
    asking |= {"sections": ["contact"], "purpose": "protection"}
    access = unwrap(shelter.create(readings, asking))
    story.on("2026-06-03 18:20")
    unwrap(watcher.send(f"{readings}/{access['id']}/grant"))
    assert get_read_status(shelter, case, "sections/contact", "protection") == FOUND
    assert get_read_status(shelter, case, "sections/identity", "protection") == HIDDEN
    assert get_read_status(colleague, case, "sections/contact", "protection") == HIDDEN
    assert "case.emergency_access_granted" in list_types(lead.poll())

    story.on("2026-06-03 22:30")
    assert get_read_status(shelter, case, "sections/contact", "protection") == HIDDEN
    assert "inform_person" in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-04 05:00")
    unwrap(lead.send(f"{readings}/{access['id']}/inform", {"note": "By Signal"}))
    story.on("2026-06-04 08:00")
    found = {"justified": True}
    own = watcher.send(f"{readings}/{access['id']}/review", found)
    assert get_problem(own) == (409, "not-a-second-person")
    unwrap(reviewer.send(f"{readings}/{access['id']}/review", found))
    log = unwrap(lead.get(f"{get_path(case)}/access-log", limit=200))["items"]
    assert sum(one["in_emergency"] for one in log) == 1

    story.on("2026-06-05 09:00")
    complete(shelter, bed, "She is well.")
    story.on("2026-06-06 09:00")
    close(lead, second, case, "GOALS_MET")
    assert "vital" not in "".join(list_types(officer.poll()))
    story.require_closure(case, "GOALS_MET")


def test_a_woman_in_the_bahamas_dies_and_her_case_is_closed_truthfully(
    story: Story,
) -> None:
    """Esther falls ill in Nassau while IOM looks for a flat, and dies in the hospital.

    IOM confirms the deletion. Two people close her case, although she cannot be told of the
    closure. The submitter learns that the case is closed, but not why.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("BS_LEAD")
    second, iom = story.get_person("BS_LEAD", Role.SUPERVISOR), story.get_person("IOM")

    story.on("2026-06-02 14:00")
    case = officer.submit(
        summary=NORMAL | {"country": "BS", "language": "en"},
        sections=make_sections("Esther"),
        safeguards={"country_of_origin": "HT"},
        consents=[
            make_class_consent("state", "BS", "REFER"),
            make_office_consent("IOM", "SHELTER"),
        ],
    )
    story.on("2026-06-02 16:00")
    lead.take_lead(case)
    bed = refer(lead, case, iom, "SHELTER", "needs", "contact")
    story.on("2026-06-03 10:00")
    acknowledge(iom, bed)
    story.on("2026-06-04 10:00")
    accept(iom, bed, "2026-06-05T14:00:00")
    story.on("2026-06-05 15:00")
    start(iom, bed)
    story.on("2026-06-08 14:00")
    assess_risk(lead, case, "high")

    story.on("2026-06-09 20:00")
    body = make_closure(reason="DEATH", person_informed=False)
    early = lead.does("close", case, body)
    assert get_unmet(early) == [("nothing_open", "holder")]
    why = {"reason": "NO_LONGER_NEEDED", "note": "She died this morning"}
    unwrap(lead.does("withdraw", bed, why))
    story.on("2026-06-10 10:00")
    confirm_deletion(iom, bed)
    assert get_read_status(iom, case, "sections/contact") == HIDDEN
    unwrap(lead.does_with(second, "close", case, body))
    closed = officer.poll()[-1]
    assert (closed["type"], "reason" in closed["facts"]) == ("case.closed", False)
    assert officer.read(case)["closure_reason"] is None
    story.require_closure(case, "DEATH")


def test_a_man_in_costa_rica_is_lost_from_sight_and_comes_back(story: Story) -> None:
    """Óscar Muñoz from Nicaragua leaves the shelter in San José and answers no message.

    His case is suspended, and then closed because contact was lost. Three months later he
    calls. The same case is reopened, he is helped, and the case is closed again with his
    knowledge.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("CR_LEAD")
    second, iom = story.get_person("CR_LEAD", Role.SUPERVISOR), story.get_person("IOM")

    story.on("2026-06-03 15:00")
    case = officer.submit(
        summary={"country": "CR", "language": "es"},
        sections=make_sections("Óscar Muñoz"),
        safeguards={"country_of_origin": "NI"},
        consents=[
            make_class_consent("state", "CR", "REFER"),
            make_office_consent("IOM", "SHELTER"),
        ],
    )
    story.on("2026-06-03 16:00")
    lead.take_lead(case)
    bed = refer(lead, case, iom, "SHELTER", "needs")
    story.on("2026-06-03 18:00")
    accept(iom, bed, "2026-06-04T15:00:00")
    story.on("2026-06-04 16:00")
    start(iom, bed)
    story.on("2026-06-06 06:00")
    left = {"outcome": "not_delivered", "feedback": "His bed is empty."}
    unwrap(iom.does("complete", bed, left))
    rest = {"reason": "CONTACT_LOST", "review_at": "2026-06-18T15:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    assert officer.poll()[-1]["facts"] == {"state": "suspended"}

    story.on("2026-06-18 15:30")
    assert "case.review_due" in list_types(lead.poll())
    unwrap(
        lead.does_with(
            second,
            "close",
            case,
            make_closure(reason="LOST_CONTACT", person_informed=False),
        )
    )
    assert lead.read(case)["closure_reason"] == "LOST_CONTACT"
    assert get_read_status(lead, case, "sections/needs") == HIDDEN

    story.on("2026-09-21 15:00")
    unwrap(lead.does("reopen", case, {"reason": "SURVIVOR_REQUEST"}))
    assert get_read_status(lead, case, "sections/needs") == FOUND
    assess_risk(lead, case)
    again = refer(lead, case, iom, "SHELTER", "needs", "contact")
    story.on("2026-09-21 17:00")
    accept(iom, again, "2026-09-22T15:00:00")
    story.on("2026-09-22 15:30")
    start(iom, again)
    story.on("2026-09-25 15:00")
    complete(iom, again, "He works on a farm of friends.")
    story.on("2026-09-26 15:00")
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_an_officer_who_is_paid_for_names_tries_and_is_found_out(story: Story) -> None:
    """Жалгас Ниязов flees to Bishkek, and an officer of Turkmenistan is paid to find him.

    The helpline records that he fears his State. The officer guesses case codes, tries to
    open sealed documents, and claims that a life is at risk. Each attempt is refused, and
    oversight is notified.
    """
    story.world.runtime = replace(story.world.runtime, refused_openings=RefusedOpenings(4))
    story.world.app.state.runtime = story.world.runtime
    helpline, unhcr = story.get_person("KG_HELPLINE_ISHENIM"), story.get_person("UNHCR")
    corrupt = story.get_person("TM_CONSULATE_BISHKEK")
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)
    guards = {"country_of_origin": "TM", "fear_of_state": True, "seeks_asylum": True}

    story.on("2026-06-02 05:00")
    asylum = make_office_consent(
        "UNHCR", "ASYLUM", sections=["needs", "identity", "narrative"]
    )
    case = helpline.submit(
        summary=NORMAL | {"country": "KG", "language": "tk"},
        sections=make_sections("Жалгас Ниязов", "Žalgas Nyýazow"),
        safeguards=guards,
        consents=[
            *(make_class_consent(kind, "KG", "REFER") for kind in ("state", "non_state")),
            asylum,
        ],
    )
    story.on("2026-06-02 06:00")
    holder = story.get_person(helpline.read(case)["holder"])
    holder.take_lead(case)
    assert corrupt.code not in helpline.get(f"{get_path(case)}/routing").text

    story.on("2026-06-03 06:00")
    watcher.poll(), corrupt.poll()
    tried = [
        get_read_status(corrupt, case, f"sections/{part}")
        for part in ("identity", "contact")
    ]
    invented = {"code": "SC-7K3F-9QXM-4T2B-3"}
    tried += [
        get_read_status(corrupt, invented, "sections/identity"),
        get_read_status(corrupt, case, "contacts"),
    ]
    assert tried == [HIDDEN] * 4
    assert get_read_status(corrupt, case, "sections/narrative") == 429
    assert "account.refusals_limited" in list_types(watcher.poll())
    story.on("2026-06-03 06:10")
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "His mother is dying"}
    asking |= {"sections": ["identity"], "purpose": "protection"}
    refused = corrupt.create(f"{get_path(case)}/emergency-access", asking)
    assert get_problem(refused) == (404, "not-found")
    assert list_types(corrupt.poll()) == ["account.refusals_limited"]

    story.on("2026-06-03 08:00")
    claim = refer(holder, case, unhcr, "ASYLUM", "needs", "identity", "narrative")
    story.on("2026-06-03 10:00")
    accept(unhcr, claim, "2026-06-04T06:00:00")
    assert get_read_status(unhcr, case, "sections/narrative") == FOUND
    story.on("2026-06-04 06:30")
    start(unhcr, claim)
    story.on("2026-06-08 06:00")
    set_safeguards(holder, case, **guards, unsafe_focal_points=[corrupt.code])
    assert get_read_status(holder, case, "safeguards") == FOUND
    story.on("2026-06-09 06:00")
    complete(unhcr, claim, "He is recognised, and flies on Friday.")
    story.on("2026-06-10 06:00")
    assess_risk(holder, case)
    second = story.get_person(holder.code)
    close(holder, second, case, "RESETTLED")
    assert get_problem(corrupt.get(get_path(case))) == (404, "not-found")
    story.require_closure(case, "RESETTLED")
