"""A girl with two birthdays: a story written by someone who had not read the code."""

from app.directory.kinds import DisclosureLevel, OfficeFunction, OfficeKind
from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    GUARDIAN,
    HIDDEN,
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
    set_safeguards,
    start,
    update_summary,
    withdraw_consents,
    write_section,
)
from tests.support.returns import create_return
from tests.support.stories import Story
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_contacts,
    unwrap,
)

DECIDED = {"given_by": "best_interests_decision"}
ALONE = {"reason": "CHILD_UNPROTECTED", "note": "A girl at the terminal"}
ASYLUM = ["needs", "contact", "identity", "narrative"]


def list_work_kinds(who: Someone) -> list[str]:
    """Return the kinds of items on the worklist of a person's office."""
    return [kind for _, kind, _ in who.get_worklist()]


def list_proposed(who: Someone, case: Json, service: str) -> list[str]:
    """Return the offices that the service proposes for a kind of help."""
    path = f"{get_path(case)}/recipients"
    [found] = unwrap(who.get(path, service=service))["services"]
    return [one["focal_point"] for one in found["candidates"]]


def test_a_girl_of_two_birthdays_has_a_bed_on_each_of_them(story: Story) -> None:
    """Génesis says that she is sixteen, a register says nineteen, but she is fifteen.

    Referrals are sent before the case has a lead, and her own consent is recorded before
    her age is corrected. A guardian consents and later withdraws the consent, and two
    people refuse a return. She always has a place in a shelter, and child protection
    continues after the closure.
    """
    hotline = story.add_office("GT_HOT", OfficeKind.NON_STATE, "GT")
    lead, second = story.get_person("GT_LEAD"), story.get_person("GT_LEAD", Role.SUPERVISOR)
    office = story.add_office(
        "GT_CHILD",
        OfficeKind.STATE,
        "GT",
        function=OfficeFunction.CHILD_PROTECTION,
        of_state="GT",
    )
    bed: Json = {"function": OfficeFunction.SHELTER, "services": ["SHELTER"]}
    girls = story.add_office("GT_GIRLS", OfficeKind.NON_STATE, "GT", ages=["child"], **bed)
    women = story.add_office("GT_WOMEN", OfficeKind.NON_STATE, "GT", ages=["adult"], **bed)
    clinic, psy = (
        story.add_office(f"GT_{n}", OfficeKind.NON_STATE, "GT") for n in ("CLINIC", "PSY")
    )
    unhcr = story.add_office("GT_UNHCR", OfficeKind.INTERGOVERNMENTAL, "GT")
    tracing = story.add_office("HN_NGO", OfficeKind.NON_STATE, "HN")
    consul = story.add_office(
        "HN_CON_GT", OfficeKind.STATE, "GT", function=OfficeFunction.CONSULAR, of_state="HN"
    )
    story.add_agreement(DisclosureLevel.IDENTITY, "GT", "HN")

    story.on("2027-06-07 03:10")
    case = unwrap(
        hotline.create_case(
            summary={"country": "GT", "age_class": "presumed_child", "language": "es"}
            | {"priority": "emergency", "services": ["SHELTER", "MEDICAL"]},
            sections=[{"section": "needs", "summary": "A bed", "safety_alert": "Men wait"}],
            safeguards={"country_of_origin": "HN"},
            consents=[],
            risk=None,
        )
    )
    record_fact(hotline, case, "guardian", "needed")
    refused = hotline.does("submit", case)
    assert get_unmet(refused) == [("consent_to_refer", "submitter")]
    others = refused.json()["unmet"][0]["alternatives"]
    assert [one["requirement"] for one in others] == ["child_path", "vital_interest"]
    story.on("2027-06-07 03:15")
    unwrap(hotline.create(f"{get_path(case)}/vital-interests", ALONE))
    unwrap(hotline.does("submit", case))
    assert lead.read(case)["due_at"] == "2027-06-07T04:15:00Z"
    assert "assess_interests" in list_work_kinds(lead)
    assert get_read_status(lead, case, "safety-alert") == FOUND
    assert get_read_status(lead, case, "sections/needs") == HIDDEN

    story.on("2027-06-07 03:50")
    unwrap(lead.does("acknowledge", case))
    assess_risk(lead, case, "high")
    referrals = {
        service: refer(lead, case, to, service)
        for to, service in (
            (girls, "SHELTER"),
            (clinic, "MEDICAL"),
            (office, "CHILD_PROTECTION"),
        )
    }
    assert lead.read(case)["state"] == "under_review"
    for one in (girls, clinic, office):
        assert get_read_status(one, case, "safety-alert") == FOUND
        assert get_read_status(one, case, "sections/needs") == HIDDEN
    story.on("2027-06-07 04:20")
    for one, service in (
        (girls, "SHELTER"),
        (clinic, "MEDICAL"),
        (office, "CHILD_PROTECTION"),
    ):
        accept(one, referrals[service], "2027-06-07T05:00:00")
    story.on("2027-06-07 05:10")
    for one, service in (
        (girls, "SHELTER"),
        (clinic, "MEDICAL"),
        (office, "CHILD_PROTECTION"),
    ):
        start(one, referrals[service])
    assert lead.read(case)["state"] == "under_review"
    story.on("2027-06-07 06:00")
    led = unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    assert led["state"] == "assisting"

    story.on("2027-06-09 20:00")
    record_fact(lead, case, "best_interests", "assessed")
    assess_risk(lead, case, "medium")
    assert "assess_interests" not in list_work_kinds(lead)
    assert "GT_GIRLS" not in hotline.get("/events", limit=200).text

    story.on("2027-06-10 15:00")
    record_fact(lead, case, "guardian", "appointed")
    write_section(lead, case, "contact", alias="Gé", safe_channel="Through the shelter")
    write_section(lead, case, "identity", names=["Génesis Yamileth Núñez Ordóñez"])
    record_consent(lead, case, make_office_consent("GT_PSY", "PSYCHOSOCIAL", **GUARDIAN))
    traced = make_office_consent(
        "HN_NGO", "FAMILY_TRACING", sections=["needs", "identity"], **GUARDIAN
    )
    record_consent(lead, case, traced)
    talk = refer(lead, case, psy, "PSYCHOSOCIAL", "needs", "contact")
    trace = refer(lead, case, tracing, "FAMILY_TRACING", "needs", "identity")
    story.on("2027-06-10 15:30")
    accept(psy, talk, "2027-06-11T15:00:00")
    accept(tracing, trace, "2027-06-11T15:00:00")
    assert get_read_status(psy, case, "sections/contact") == FOUND
    assert get_read_status(tracing, case, "sections/identity") == FOUND
    assert get_problem(consul.get(get_path(case))) == (404, "not-found")
    story.on("2027-06-11 15:30")
    start(psy, talk)

    story.on("2027-06-15 17:00")
    record_consent(lead, case, make_office_consent("GT_PSY", "PSYCHOSOCIAL"))
    record_consent(
        lead, case, make_office_consent("GT_WOMEN", "SHELTER", sections=["needs"])
    )
    assert psy.read(talk)["state"] == "in_progress"
    story.on("2027-06-15 17:30")
    assess_risk(lead, case)
    update_summary(lead, case, age_class="adult")
    running = [one["state"] for one in unwrap(lead.get("/referrals"))["items"]]
    assert sorted(running) == ["accepted", *["in_progress"] * 4]
    assert get_read_status(psy, case, "sections/contact") == FOUND
    assert get_read_status(tracing, case, "sections/identity") == HIDDEN
    assert get_read_status(tracing, case, "sections/needs") == HIDDEN
    unwrap(lead.does("withdraw", trace, {"reason": "SURVIVOR_DECLINED"}))
    assert "confirm_deletion" in list_work_kinds(tracing)

    story.on("2027-06-15 18:00")
    adult_bed = refer(lead, case, women, "SHELTER", "needs")
    accept(women, adult_bed, "2027-06-15T21:00:00")
    story.on("2027-06-15 22:00")
    start(women, adult_bed)
    complete(girls, referrals["SHELTER"], "She moves to the women")
    assert lead.read(case)["state"] == "assisting"
    confirm_deletion(tracing, trace)
    story.on("2027-06-16 15:00")
    record_fact(lead, case, "best_interests", "not_needed")
    record_fact(lead, case, "guardian", "not_needed")

    story.on("2027-06-17 15:00")
    update_summary(lead, case, age_class="presumed_child")
    assert women.read(adult_bed)["state"] == "in_progress"
    assert psy.read(talk)["state"] == "in_progress"
    assert get_read_status(psy, case, "sections/contact") == HIDDEN
    assert "assess_interests" in list_work_kinds(lead)
    assert get_read_status(tracing, case, "sections/identity") == HIDDEN
    assert "GT_WOMEN" not in list_proposed(lead, case, "SHELTER")
    girl_bed = refer(lead, case, girls, "SHELTER")
    accept(girls, girl_bed, "2027-06-17T17:00:00")
    story.on("2027-06-17 17:30")
    start(girls, girl_bed)
    complete(women, adult_bed, "She is a child")

    story.on("2027-06-18 17:00")
    record_fact(lead, case, "best_interests", "assessed")
    record_fact(lead, case, "guardian", "appointed")
    record_consent(lead, case, make_office_consent("GT_PSY", "PSYCHOSOCIAL", **GUARDIAN))
    assert get_read_status(psy, case, "sections/contact") == FOUND
    story.on("2027-06-21 15:00")
    home = make_office_consent("HN_NGO", "RETURN", sections=["needs"], **GUARDIAN)
    record_consent(lead, case, home)
    going = refer(lead, case, tracing, "RETURN", "needs")
    going = accept(tracing, going, "2027-06-28T15:00:00")
    record = unwrap(create_return(tracing, going))
    assert record["state"] == "opened"

    story.on("2027-06-22 15:00")
    tracing.poll()
    no = {"reason": "BEST_INTERESTS", "protection": ["ASYLUM"]}
    ended = unwrap(lead.does_with(second, "no-go", record, no))
    assert ended["state"] == "no_go"
    assert lead.read(going)["state"] == "withdrawn"
    assert list_types(tracing.poll()) == ["referral.withdrawn"]
    assert get_problem(tracing.get(f"/returns/{record['id']}")) == (404, "not-found")
    confirm_deletion(tracing, going)
    guards = {"country_of_origin": "HN", "origin_contact": "blocked"}
    set_safeguards(lead, case, **guards, seeks_asylum=True)
    assert "review" not in list_work_kinds(lead)
    assert get_problem(consul.get(get_path(case))) == (404, "not-found")

    story.on("2027-06-23 15:00")
    assess_risk(lead, case)
    psy.poll()
    withdraw_consents(lead, case, "PSYCHOSOCIAL")
    assert list_types(psy.poll()) == ["referral.narrowed"]
    assert get_read_status(psy, case, "sections/contact") == HIDDEN
    for one, referral in ((girls, girl_bed), (office, referrals["CHILD_PROTECTION"])):
        assert one.read(referral)["state"] == "in_progress"
        assert "consent.withdrawn" not in list_types(one.poll())

    story.on("2027-06-24 15:00")
    write_section(lead, case, "narrative", text="The uncle sold her")
    record_consent(
        lead, case, make_office_consent("GT_UNHCR", "ASYLUM", sections=ASYLUM, **DECIDED)
    )
    record_consent(lead, case, make_office_consent("GT_PSY", "PSYCHOSOCIAL", **DECIDED))
    unwrap(lead.does("withdraw", talk, {"reason": "NO_LONGER_NEEDED"}))
    confirm_deletion(psy, talk)
    claim = refer(lead, case, unhcr, "ASYLUM", *ASYLUM)
    talks = refer(lead, case, psy, "PSYCHOSOCIAL", "needs", "contact")
    accept(unhcr, claim, "2027-06-25T15:00:00")
    accept(psy, talks, "2027-06-25T15:00:00")
    assert {get_read_status(unhcr, case, f"sections/{one}") for one in ASYLUM} == {FOUND}
    assert get_read_status(psy, case, "sections/contact") == FOUND
    story.on("2027-06-25 15:30")
    start(unhcr, claim)
    start(psy, talks)

    story.run_weekly("2027-07-19 15:00", lambda: assess_risk(lead, case))
    rest = ((girls, girl_bed), (office, referrals["CHILD_PROTECTION"]), (unhcr, claim))
    for one, referral in (*rest, (psy, talks), (clinic, referrals["MEDICAL"])):
        complete(one, referral, "It goes on outside of the service.")
    close(lead, second, case, "TRANSFERRED")
    assert lead.read(case)["due_at"] == "2029-07-19T15:00:00Z"
    story.on("2029-07-19 15:01")
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert get_problem(hotline.get(get_path(case))) == (404, "not-found")
    story.require_erasure(case)
