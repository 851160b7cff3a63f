"""A story by an author who had not read the code: the boy who was found twice."""

from app.directory.kinds import DisclosureLevel, OfficeFunction, OfficeKind
from app.kernel.actors import Role
from tests.examples.stories.steps import (
    GUARDIAN,
    HIDDEN,
    accept,
    acknowledge,
    assess_risk,
    close,
    complete,
    confirm_deletion,
    get_read_status,
    make_class_consent,
    make_office_consent,
    record_consent,
    record_fact,
    refer,
    set_safeguards,
    start,
    update_summary,
)
from tests.support.stories import Story
from tests.support.world import (
    Json,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_closure,
    make_contacts,
    make_takeover,
    unwrap,
)

NEEDS = {"sections": ["needs"]}
IDENTITY = ["needs", "contact", "identity"]
NAME = "نجیب‌الله احمدزی"
FIRST: list[Json] = [
    {"section": "needs", "summary": "A bed", "safety_alert": "An uncle looks for him"},
    {"section": "contact", "alias": "Najib", "safe_channel": "Telegram"},
    {"section": "identity", "names": [NAME]},
]
ALONE = {"reason": "CHILD_UNPROTECTED", "note": "A boy at the bazaar"}


def test_a_boy_who_is_found_twice_is_one_case_in_the_end(story: Story) -> None:
    """Najibullah says that he is nineteen but is fifteen, and disappears from a shelter.

    Another hotline meets him in Osh and creates a second case without knowing of the first
    one. The first case is handed over to the lead of the second case, which closes it
    as a duplicate.
    """
    hotline, silent = (
        story.add_office("KZ_HOT", OfficeKind.NON_STATE, "KZ"),
        story.get_person("KZ_LEAD"),
    )
    ngo = story.add_office("KZ_NGO", OfficeKind.NON_STATE, "KZ", can_lead=True)
    bed: Json = {"function": OfficeFunction.SHELTER, "services": ["SHELTER"]}
    men = story.add_office("KZ_MEN", OfficeKind.NON_STATE, "KZ", ages=["adult"], **bed)
    taraz = story.add_office("KZ_TARAZ", OfficeKind.NON_STATE, "KZ", ages=["child"], **bed)
    unhcr = story.add_office("KZ_UNHCR", OfficeKind.INTERGOVERNMENTAL, "KZ")
    protects: Json = {"function": OfficeFunction.CHILD_PROTECTION}
    child = story.add_office("KZ_CHILD", OfficeKind.STATE, "KZ", of_state="KZ", **protects)
    embassy = story.add_office(
        "AF_EMB", OfficeKind.STATE, "KZ", function=OfficeFunction.CONSULAR, of_state="AF"
    )
    osh, lead = (
        story.add_office("KG_HOT", OfficeKind.NON_STATE, "KG"),
        story.get_person("KG_LEAD"),
    )
    boss = story.get_person("KG_LEAD", Role.SUPERVISOR)
    office = story.add_office("KG_CHILD", OfficeKind.STATE, "KG", of_state="KG", **protects)
    kids = story.add_office("KG_KIDS", OfficeKind.NON_STATE, "KG", ages=["child"], **bed)
    asylum = story.add_office("KG_UNHCR", OfficeKind.INTERGOVERNMENTAL, "KG")
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)
    story.add_agreement(DisclosureLevel.CONTACT, "KZ", "KG")
    guards = {"country_of_origin": "AF", "seeks_asylum": True, "origin_contact": "blocked"}

    story.on("2027-09-06 05:00")
    case = hotline.submit(
        summary={"language": "fa", "services": ["SHELTER", "ASYLUM"]},
        sections=FIRST,
        safeguards=guards,
        consents=[
            make_class_consent("state", "KZ", "REFER", **NEEDS),
            make_office_consent("KZ_NGO", "REFER"),
        ],
    )
    assert silent.read(case)["due_at"] == "2027-09-06T08:00:00Z"
    story.on("2027-09-06 09:00")
    assert list_types(hotline.poll())[-2:] == ["case.not_acknowledged", "case.rerouted"]
    assert get_problem(silent.does("acknowledge", case)) == (404, "not-found")
    unwrap(ngo.does("acknowledge", case))
    story.on("2027-09-06 11:00")
    assess_risk(ngo, case, "medium")
    unwrap(ngo.does("accept-lead", case, {"contacts": make_contacts()}))
    story.on("2027-09-06 12:00")
    record_consent(ngo, case, make_office_consent("KZ_MEN", "SHELTER"))
    record_consent(ngo, case, make_office_consent("KZ_UNHCR", "ASYLUM", sections=IDENTITY))
    sleeps = refer(ngo, case, men, "SHELTER", "needs", "contact")
    claim = refer(ngo, case, unhcr, "ASYLUM", *IDENTITY)
    accept(men, sleeps, "2027-09-06T16:00:00")
    acknowledge(unhcr, claim)
    story.on("2027-09-06 16:00")
    start(men, sleeps)
    story.on("2027-09-08 06:00")
    accept(unhcr, claim, "2027-09-14T06:00:00")
    read = unwrap(unhcr.open(f"{get_path(case)}/sections/identity"))
    assert read["content"]["names"] == [NAME]

    story.on("2027-09-09 06:00")
    assert get_problem(embassy.get(get_path(case))) == (404, "not-found")
    found = embassy.get(f"{get_path(case)}/recipients", service="SHELTER")
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "His uncle", "purpose": "protection"}
    asking |= {"sections": ["contact"]}
    reading = embassy.create(f"{get_path(case)}/emergency-access", asking)
    assert get_problem(found) == get_problem(reading) == (404, "not-found")

    story.on("2027-09-10 07:00")
    update_summary(ngo, case, age_class="presumed_child")
    record_fact(ngo, case, "guardian", "needed")
    due = {kind: at for _, kind, at in ngo.get_worklist()}
    assert due["assess_interests"] == "2027-09-13T07:00:00Z"
    assert [ngo.read(one)["state"] for one in (sleeps, claim)] == [
        "in_progress",
        "accepted",
    ]
    assert get_read_status(unhcr, case, "sections/identity") == HIDDEN
    care = refer(ngo, case, child, "CHILD_PROTECTION")
    path = f"{get_path(case)}/recipients"
    [beds] = unwrap(ngo.get(path, service="SHELTER"))["services"]
    assert "KZ_MEN" not in [one["focal_point"] for one in beds["candidates"]]
    accept(child, care, "2027-09-13T07:00:00")

    story.on("2027-09-11 20:30")
    rest = {"reason": "CONTACT_LOST", "review_at": "2027-09-18T20:00:00Z"}
    unwrap(men.does("hold", sleeps, rest))
    update_summary(ngo, case, priority="emergency")
    assess_risk(ngo, case, "high")
    unwrap(ngo.does("suspend", case, rest))
    assert {"reason"} & set(hotline.poll()[-1]["facts"]) == set()
    story.on("2027-09-12 06:00")
    law = ngo.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID", sections=[])
    assert ("case_open", "sender") in get_unmet(law)
    looked = refer(ngo, case, taraz, "SHELTER")
    acknowledge(taraz, looked)
    story.on("2027-09-12 20:00")
    unwrap(ngo.does("revoke", looked, {"reason": "NO_LONGER_NEEDED"}))
    confirm_deletion(taraz, looked)

    story.on("2027-09-15 14:00")
    other = osh.submit(
        summary={"country": "KG", "age_class": "child", "language": "fa"}
        | {"priority": "emergency", "services": ["SHELTER", "MEDICAL"]},
        sections=FIRST[:1],
        safeguards={"country_of_origin": "AF"},
        consents=[],
        vital_interest=ALONE,
    )
    story.on("2027-09-15 14:30")
    unwrap(lead.does("acknowledge", other))
    assess_risk(lead, other, "high")
    child_bed = refer(lead, other, kids, "SHELTER")
    child_care = refer(lead, other, office, "CHILD_PROTECTION")
    accept(kids, child_bed, "2027-09-15T15:30:00")
    accept(office, child_care, "2027-09-15T15:30:00")
    story.on("2027-09-15 16:00")
    unwrap(lead.does("accept-lead", other, {"contacts": make_contacts()}))
    start(kids, child_bed)
    start(office, child_care)

    story.on("2027-09-16 07:00")
    assert get_problem(ngo.get(get_path(other))) == (404, "not-found")
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    body = {"reason": "DUPLICATE", "continues_in": other["code"]}
    unknown = make_closure(reason="DUPLICATE", continues_in="SC-7K3F-9QXM-4T2B-3")
    refused = [ngo.does("close", case, one) for one in (make_closure(**body), unknown)]
    assert {get_problem(one) for one in refused} == {(409, "needs-unmet")}
    assert get_unmet(refused[0]) == get_unmet(refused[1])
    assert ngo.read(case)["state"] == "suspended"
    story.on("2027-09-16 08:00")
    assess_risk(ngo, case, "high")
    assert unwrap(ngo.does("resume", case))["state"] == "assisting"
    unwrap(ngo.does("relocate", case, {"country": "KG"}))
    assert hotline.read(case)["summary"]["country"] == "KZ"
    assert get_unmet(ngo.offer(case, "KG_LEAD")) == [("consent", "lead")]

    story.on("2027-09-17 10:00")
    record_fact(office, other, "best_interests", "assessed")
    record_fact(ngo, case, "best_interests", "assessed")
    offered = unwrap(ngo.offer(case, "KG_LEAD"))
    assert lead.read(case)["summary"]["country"] == "KG"
    assert get_read_status(lead, case, "sections/identity") == HIDDEN
    story.on("2027-09-18 06:00")
    unwrap(lead.does("accept", offered, make_takeover()))
    assert get_read_status(lead, case, "sections/identity") == HIDDEN
    assert get_problem(ngo.get(get_path(case))) == (404, "not-found")
    for one, referral in ((men, sleeps), (unhcr, claim), (child, care)):
        unwrap(lead.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))
        confirm_deletion(one, referral)

    story.on("2027-09-18 07:00")
    assess_risk(lead, other, "medium")
    assess_risk(lead, case, "medium")
    story.on("2027-09-20 05:00")
    unwrap(lead.does_with(boss, "close", case, make_closure(**body)))
    assert lead.read(case)["continues_in"] == other["code"]
    assert watcher.read(case)["continues_in"] == other["code"]
    for one in (ngo, hotline, unhcr):
        texts = [
            one.get(path).text for path in ("/events?limit=200", "/cases", "/referrals")
        ]
        texts += [one.get(f"{get_path(case)}{part}").text for part in ("", "/history")]
        assert other["code"] not in "".join(texts)

    story.on("2027-09-27 05:00")
    assess_risk(lead, other)
    record_fact(lead, other, "guardian", "appointed")
    set_safeguards(lead, other, **guards)
    signed = make_office_consent("KG_UNHCR", "ASYLUM", sections=IDENTITY, **GUARDIAN)
    record_consent(lead, other, signed)
    again = refer(lead, other, asylum, "ASYLUM", *IDENTITY)
    accept(asylum, again, "2027-09-28T05:00:00")
    assert get_problem(asylum.get(get_path(case))) == (404, "not-found")
    story.on("2027-09-28 05:30")
    start(asylum, again)
    story.run_weekly("2027-10-25 05:00", lambda: assess_risk(lead, other))
    for one, referral in ((kids, child_bed), (office, child_care), (asylum, again)):
        complete(one, referral, "He goes to an aunt.")
    close(lead, boss, other, "RESETTLED")
    assert osh.read(other)["summary"]["country"] == "KG"
    story.on("2029-09-20 05:01")
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    story.require_erasure(case)
    story.require_closure(other, "RESETTLED")
