"""Stories in which an office closes, a consent expires, or a guardian's consent ends."""

from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
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
)
from tests.support.failing_leads import make_takeover
from tests.support.stories import Story
from tests.support.world import (
    Json,
    Someone,
    get_actions,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_lead_consent,
    unwrap,
)


def list_announced_ends(who: Someone) -> list[tuple[str, int | None]]:
    """Return the type of each new event about a consent's end, with the days left."""
    of_ends = ("consent.expiring", "consent.expired")
    events = [one for one in who.poll() if one["type"] in of_ends]
    return [(one["type"], one["facts"].get("days")) for one in events]


def test_a_woman_whose_only_lead_is_shut_is_led_by_an_ngo_she_agrees_to(
    story: Story,
) -> None:
    """Дилноза Раҳимова consented only to a State office as lead, and the only one closes.

    The desk may not give the case to any other office until two people of the desk record
    that she consents to NGOs. The service then names the next office, and the desk cannot
    choose another.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    desk, boss = (
        story.get_person("DESK_CENTRAL_ASIA"),
        story.get_person("DESK_CENTRAL_ASIA"),
    )
    ngo, second = story.get_person("SANA_SEZIM"), story.get_person("SANA_SEZIM")
    shelter, watcher = (
        story.get_person("KZ_SHELTER_KOGERSHIN"),
        story.get_person("OVERSIGHT_DEMO"),
    )
    given = [
        make_class_consent("state", "KZ", "REFER"),
        make_class_consent("non_state", "KZ", "SHELTER"),
    ]

    story.on("2026-06-02 05:00")
    case = officer.submit(consents=given, sections=make_sections("Дилноза Раҳимова"))
    story.on("2026-06-02 06:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs")
    story.on("2026-06-02 07:00")
    accept(shelter, bed, "2026-06-02T12:00:00")
    story.on("2026-06-02 13:00")
    start(shelter, bed)
    story.world.close_office("KZ_LEAD")
    story.on("2026-06-02 13:05")
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    refused = desk.does("take-over", case, make_takeover("SANA_SEZIM"))
    assert get_unmet(refused) == [("focal_point_chosen", "desk")]
    assert get_actions(desk.read(case))["record_lead_consent"]["open"]

    story.on("2026-06-03 06:00")
    watcher.poll()
    unwrap(desk.does_with(boss, "record-lead-consent", case, make_lead_consent()))
    assert list_types(watcher.poll()) == ["case.lead_consent_recorded"]
    assert desk.read(case)["next_lead"] == "SANA_SEZIM"
    other = desk.does("take-over", case, make_takeover("PARTNERSHIP_IN_ACTION"))
    assert get_unmet(other) == [("focal_point_chosen", "desk")]
    assert get_read_status(desk, case, "sections/needs") == HIDDEN
    story.on("2026-06-03 07:00")
    assert desk.does_with(boss, "take-over", case, make_takeover("SANA_SEZIM")).is_success
    assert ngo.read(case)["lead"] == "SANA_SEZIM"
    assert shelter.read(bed)["state"] == "in_progress"
    assert get_read_status(ngo, case, "sections/needs") == FOUND
    assert get_read_status(ngo, case, "sections/contact") == HIDDEN

    story.on("2026-06-05 06:00")
    assess_risk(ngo, case)
    complete(shelter, bed, "She lives with a friend.")
    story.on("2026-06-06 06:00")
    close(ngo, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_a_consent_runs_out_and_her_shelter_reads_nothing_until_she_agrees_anew(
    story: Story,
) -> None:
    """Феруза Тошматова consented to a shelter for thirty days, and stays there longer.

    Her lead is informed two weeks before the end and again three days before the end, but
    asks her only after the end. For a day the shelter can read nothing. When she consents
    again, the shelter can read again.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second, shelter = story.get_person("KZ_LEAD"), story.get_person("KZ_SHELTER_KOGERSHIN")
    month = make_class_consent(
        "non_state", "KZ", "SHELTER", expires_at="2026-07-02T06:00:00Z"
    )

    story.on("2026-06-02 05:00")
    case = officer.submit(
        consents=[make_class_consent("state", "KZ", "REFER"), month],
        sections=make_sections("Феруза Тошматова"),
    )
    story.on("2026-06-02 06:30")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    story.on("2026-06-02 07:00")
    accept(shelter, bed, "2026-06-02T12:00:00")
    story.on("2026-06-02 13:00")
    start(shelter, bed)
    assert list_announced_ends(lead) == []

    story.run_weekly("2026-06-18 06:05", lambda: assess_risk(lead, case))
    assert list_announced_ends(lead) == [("consent.expiring", 14)]
    assert "consent_ends" in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-24 06:00")
    assess_risk(lead, case)
    story.on("2026-06-29 06:05")
    assert list_announced_ends(lead) == [("consent.expiring", 3)]
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    story.on("2026-07-01 06:00")
    assess_risk(lead, case)
    story.on("2026-07-02 06:05")
    assert list_announced_ends(lead) == [("consent.expired", None)]
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    assert shelter.read(bed)["state"] == "in_progress"

    story.on("2026-07-03 06:00")
    record_consent(lead, case, make_class_consent("non_state", "KZ", "SHELTER"))
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    assert "consent_ends" not in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-07-06 06:00")
    complete(shelter, bed, "She goes home to her sister.")
    story.on("2026-07-07 06:00")
    close(lead, second, case, "GOALS_MET")
    assert get_read_status(shelter, case, "sections/contact") == HIDDEN
    story.require_closure(case, "GOALS_MET")


def test_a_guardians_word_for_an_adult_never_counts_again(story: Story) -> None:
    """José Ángel is treated as a child in Belize, then as an adult, then as a child again.

    The guardian's consent ends when José Ángel is found to be an adult. When his age is
    doubted again, that consent stays invalid, so the guardian has to consent again. José
    Ángel keeps his place in the shelter throughout.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("BZ_LEAD")
    second, iom = story.get_person("BZ_LEAD", Role.SUPERVISOR), story.get_person("IOM")
    signed: Json = {"given_by": "guardian_with_assent"}
    given = [
        make_class_consent("state", "BZ", "REFER", **signed),
        make_office_consent("IOM", "SHELTER", **signed),
    ]

    story.on("2026-06-02 14:00")
    case = officer.submit(
        summary={"country": "BZ", "age_class": "presumed_child", "language": "es"},
        sections=make_sections("José Ángel Núñez"),
        safeguards={"country_of_origin": "GT"},
        consents=given,
    )
    story.on("2026-06-02 15:00")
    lead.take_lead(case)
    bed = refer(lead, case, iom, "SHELTER", "needs", "contact")
    story.on("2026-06-02 16:00")
    accept(iom, bed, "2026-06-02T20:00:00")
    assert get_read_status(iom, case, "sections/contact") == FOUND
    story.on("2026-06-02 20:30")
    start(iom, bed)
    second_bed = lead.refer(case, "IOM", service="SHELTER", sections=["needs"])
    assert get_unmet(second_bed) == [("not_already_asked", "sender")]

    story.on("2026-06-04 14:00")
    update_summary(lead, case, age_class="adult")
    assert get_read_status(iom, case, "sections/contact") == HIDDEN
    story.on("2026-06-06 14:00")
    update_summary(lead, case, age_class="presumed_child")
    assert get_read_status(iom, case, "sections/contact") == HIDDEN
    assert iom.read(bed)["state"] == "in_progress"
    assert "assess_interests" in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-08 14:00")
    assess_risk(lead, case)
    for one in given:
        record_consent(lead, case, one)
    record_fact(lead, case, "guardian", "appointed")
    assert get_read_status(iom, case, "sections/contact") == FOUND
    assert "assess_interests" not in [kind for _, kind, _ in lead.get_worklist()]
    story.on("2026-06-10 14:00")
    complete(iom, bed, "He is with an aunt.")
    story.on("2026-06-11 14:00")
    close(lead, second, case, "GOALS_MET")
    assert get_problem(iom.open(f"{get_path(case)}/sections/contact"))[0] == HIDDEN
    story.require_closure(case, "GOALS_MET")
