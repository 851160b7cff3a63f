"""Stories of missed deadlines, closed offices, and consents and agreements that end."""

from datetime import date

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
    refer,
    start,
    stop,
    withdraw_consents,
)
from tests.support.endings import end_agreement
from tests.support.stories import Story
from tests.support.world import (
    Json,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_case,
    make_consent,
    make_contacts,
    make_cursor_query,
    make_service_consent,
    unwrap,
)


def test_a_woman_in_panama_is_not_lost_when_nobody_answers(story: Story) -> None:
    """Nigora from Fergana is in Panama, and is helped although no office answers in time.

    The Uzbek consulate in New York, which also serves Panama, submits her case. The office
    of Panama does not answer in time, so the desk of the region gets the case. The desk
    calls the office and assigns the case to it again, and Nigora is helped.
    """
    officer, lead = story.get_person("UZ_CONSULATE_FOR_PANAMA"), story.get_person("PA_LEAD")
    desk, second = story.get_person("DESK_CENTRAL_AMERICA"), story.get_person("PA_LEAD")
    interpreters = story.get_person("PA_INTERPRETERS")
    given = [
        make_class_consent("state", "PA", "REFER"),
        make_class_consent("non_state", "PA", "INTERPRETATION"),
    ]

    story.on("2026-06-03 15:00")
    case = officer.submit(
        summary={"country": "PA", "services": ["INTERPRETATION"]},
        sections=make_sections("Нигора Собирова", "Nigora Sobirova"),
        consents=given,
    )
    assert officer.read(case)["holder"] == "PA_LEAD"
    story.on("2026-06-03 18:30")
    assert officer.read(case)["holder"] == "DESK_CENTRAL_AMERICA"
    assert list_types(officer.poll())[-2:] == ["case.not_acknowledged", "case.rerouted"]
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert get_read_status(desk, case, "sections/needs") == HIDDEN
    [ladder, *_] = unwrap(officer.get(f"{get_path(case)}/evidence"))["items"]
    assert [one["name"] for one in ladder["missed_deadlines"]] == [
        "not_retrieved",
        "not_acknowledged",
    ]

    story.on("2026-06-03 19:00")
    choice = {"focal_point": "PA_LEAD", "reason": "NOBODY_LEFT", "note": "They called back"}
    assert desk.does("assign", case, choice).is_success
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    story.on("2026-06-03 19:30")
    unwrap(lead.does("acknowledge", case))
    assert ("assign", "They called back") in lead.list_notes(case)
    story.on("2026-06-03 21:00")
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    talk = refer(lead, case, interpreters, "INTERPRETATION", "needs")
    story.on("2026-06-03 22:00")
    accept(interpreters, talk, "2026-06-04T15:00:00")
    story.on("2026-06-04 16:00")
    start(interpreters, talk)
    complete(interpreters, talk, "She told everything she wants to tell.")
    story.on("2026-06-05 15:00")
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_a_lead_that_is_silent_three_times_loses_the_case_to_another(story: Story) -> None:
    """Камола Юлдашева's lead is an office that does not assess her risk for three weeks.

    The lead is told of each missed deadline, and after the third one the case is escalated
    to the desk. With a second person, the desk gives the lead to an NGO to which Камола
    consented. Her shelter is not told of the missed deadlines.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    desk, ngo = story.get_person("DESK_CENTRAL_ASIA"), story.get_person("SANA_SEZIM")
    boss = story.get_person("DESK_CENTRAL_ASIA", Role.SUPERVISOR)
    second, shelter = (
        story.get_person("SANA_SEZIM"),
        story.get_person("KZ_SHELTER_KOGERSHIN"),
    )
    given = [make_class_consent(kind, "KZ", "REFER") for kind in ("state", "non_state")]

    story.on("2026-06-01 13:00")
    case = officer.submit(consents=[*given, make_service_consent()])
    story.on("2026-06-01 14:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs")
    story.on("2026-06-01 15:00")
    accept(shelter, bed, "2026-06-02T04:00:00")
    story.on("2026-06-02 05:00")
    start(shelter, bed)
    lead.poll(), officer.poll()

    story.on("2026-06-09 05:00")
    assert "case.overdue" in list_types(lead.poll())
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    story.on("2026-06-16 05:00")
    assert "case.overdue" in list_types(lead.poll())
    story.on("2026-06-23 05:00")
    assert "case.escalated" in list_types(lead.poll())
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    assert get_read_status(desk, case, "sections/needs") == HIDDEN
    assert lead.read(case)["lead"] == "KZ_LEAD"

    story.on("2026-06-23 08:00")
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_SILENT", "person_informed": True}
    answer = desk.does("take-over", case, move)
    unwrap(boss.send(f"/approvals/{answer.json()['id']}/approve"))
    moved = desk.does("take-over", case, move, Approval=answer.json()["id"])
    assert moved.is_success
    assert ngo.read(case)["lead"] == "SANA_SEZIM"
    assert get_problem(lead.get(get_path(bed))) == (404, "not-found")
    assert shelter.read(bed)["sender"] == "SANA_SEZIM"

    story.on("2026-06-23 10:00")
    assess_risk(ngo, case)
    complete(shelter, bed, "She has work in a bakery.")
    assert "case.overdue" not in list_types(shelter.poll())
    story.on("2026-06-24 10:00")
    close(ngo, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_a_shelter_closes_in_the_night_and_she_has_another_bed_in_the_morning(
    story: Story,
) -> None:
    """The shelter of Гүлбаҳор Исмоилова in Almaty is closed while she lives there.

    No deadline ends her referral to that shelter: her lead withdraws it and finds another
    bed. A second referral, which the closed shelter had not answered, ends at once.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    shut, other = (story.get_person(f"KZ_SHELTER_{n}") for n in ("KOGERSHIN", "TANSHOLPAN"))
    second = story.get_person("KZ_LEAD", Role.SUPERVISOR)
    services = make_service_consent(purposes=["SHELTER", "PSYCHOSOCIAL"])

    story.on("2026-06-02 05:00")
    case = officer.submit(consents=[make_consent(), services])
    story.on("2026-06-02 06:00")
    lead.take_lead(case)
    bed = refer(lead, case, shut, "SHELTER", "needs", "contact")
    story.on("2026-06-02 07:00")
    accept(shut, bed, "2026-06-02T12:00:00")
    story.on("2026-06-02 13:00")
    start(shut, bed)
    story.on("2026-06-04 17:00")
    talk = refer(lead, case, shut, "PSYCHOSOCIAL", "needs")
    acknowledge(shut, talk)

    story.on("2026-06-04 19:00")
    story.world.close_office(shut.code)
    story.on("2026-06-04 19:05")
    assert lead.read(talk)["state"] == "expired"
    assert lead.read(bed)["state"] == "in_progress"
    [found] = unwrap(lead.get(f"{get_path(case)}/recipients", service="SHELTER"))[
        "services"
    ]
    assert shut.code not in [one["focal_point"] for one in found["candidates"]]

    story.on("2026-06-04 19:30")
    unwrap(lead.does("withdraw", bed, {"reason": "NO_LONGER_NEEDED"}))
    assert get_read_status(shut, case, "sections/contact") == HIDDEN
    second_bed = refer(lead, case, other, "SHELTER", "needs", "contact")
    story.on("2026-06-04 21:00")
    accept(other, second_bed, "2026-06-05T03:00:00")
    assert lead.read(case)["state"] == "assisting"
    story.on("2026-06-05 04:00")
    start(other, second_bed)
    for referral in (bed, talk):
        confirm_deletion(shut, referral)
    story.on("2026-06-08 04:00")
    complete(other, second_bed, "She goes to a cousin.")
    story.on("2026-06-08 07:00")
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_an_agreement_ends_and_no_more_of_him_crosses_the_border(story: Story) -> None:
    """Жаҳонгир Солиев wants to learn a trade at home, with help from a centre in Samarqand.

    While he is still in Almaty, the agreement between the two States ends. The centre
    completes its help. From then on, a new referral to the centre may contain no section.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    second, centre = story.get_person("KZ_LEAD"), story.get_person("UZ_CENTRE_YANGI_HAYOT")
    course = make_class_consent(
        "non_state", "UZ", "REINTEGRATION", "FAMILY_TRACING", "RETURN"
    )
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}

    story.on("2026-06-02 05:00")
    case = officer.submit(
        summary=NORMAL, consents=[make_consent(), course], safeguards=guards
    )
    story.on("2026-06-02 06:00")
    lead.take_lead(case)
    first = refer(lead, case, centre, "REINTEGRATION", "needs")
    story.on("2026-06-03 06:00")
    accept(centre, first, "2026-06-04T06:00:00")
    assert get_read_status(centre, case, "sections/needs") == FOUND
    story.on("2026-06-04 07:00")
    start(centre, first)
    end_agreement(story.world, on=date(2026, 6, 5))
    story.on("2026-06-05 20:00")
    complete(centre, first, "A place in a school of joiners is his.")

    story.on("2026-06-06 06:00")
    more = lead.refer(case, centre.code, service="FAMILY_TRACING", sections=["needs"])
    assert get_unmet(more) == [("agreement", "sender")]
    story.on("2026-06-08 06:00")
    assess_risk(lead, case)
    trace = refer(lead, case, centre, "FAMILY_TRACING")
    story.on("2026-06-09 06:00")
    accept(centre, trace, "2026-06-10T06:00:00")
    assert get_read_status(centre, case, "sections/needs") == HIDDEN
    story.on("2026-06-10 07:00")
    start(centre, trace)
    complete(centre, trace, "His brother awaits him.")
    assert get_read_status(centre, case, "safety-alert") == HIDDEN
    story.on("2026-06-11 06:00")
    close(lead, second, case, "GOALS_MET")
    story.require_closure(case, "GOALS_MET")


def test_she_takes_back_one_word_after_the_other_and_is_forgotten(story: Story) -> None:
    """Зулфия Холова consented to a shelter and a lawyer, and now wants no help.

    Each withdrawal ends only the help that depended on the withdrawn consent. At last
    Зулфия stops her case and asks for its erasure. Two people of oversight erase the case
    long before its retention ends.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    shelter, lawyer = (
        story.get_person("KZ_SHELTER_KOGERSHIN"),
        story.get_person("KZ_LEGAL_AID"),
    )
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)
    boss = story.get_person("OVERSIGHT_DEMO", Role.SUPERVISOR)
    each = [make_service_consent(purposes=[one]) for one in ("SHELTER", "LEGAL_AID")]

    story.on("2026-06-03 05:00")
    case = officer.submit(consents=[make_consent(), *each])
    story.on("2026-06-03 06:00")
    lead.take_lead(case)
    bed = refer(lead, case, shelter, "SHELTER", "needs", "contact")
    law = refer(lead, case, lawyer, "LEGAL_AID", "narrative")
    story.on("2026-06-03 07:00")
    accept(shelter, bed, "2026-06-03T15:00:00")
    accept(lawyer, law, "2026-06-04T06:00:00")
    story.on("2026-06-03 16:00")
    start(shelter, bed)

    story.on("2026-06-04 05:00")
    withdraw_consents(shelter, case, "LEGAL_AID")
    assert lawyer.read(law)["state"] == "withdrawn"
    assert get_read_status(lawyer, case, "sections/narrative") == HIDDEN
    assert get_read_status(shelter, case, "sections/contact") == FOUND
    assert lead.read(case)["state"] == "assisting"
    story.on("2026-06-05 05:00")
    withdraw_consents(lead, case, "SHELTER")
    assert shelter.read(bed)["state"] == "withdrawn"
    assert lead.read(case)["state"] == "referring"
    story.on("2026-06-08 05:00")
    confirm_deletion(shelter, bed)
    confirm_deletion(lawyer, law)

    story.on("2026-06-08 06:00")
    withdraw_consents(officer, case, "REFER")
    assert get_read_status(lead, case, "sections/contact") == HIDDEN
    stop(lead, case)
    assert get_read_status(officer, case, "sections/identity") == HIDDEN
    story.on("2026-06-09 09:00")
    wish = {"reason": "SURVIVOR_REQUEST"}
    assert get_problem(lead.does("erase", case, wish)) == (403, "action-not-yours")
    unwrap(watcher.does_with(boss, "erase", case, wish))
    for one in (officer, lead, shelter, lawyer):
        assert get_problem(one.get(get_path(case))) == (404, "not-found")
    story.require_erasure(case)


def write_offline(story: Story) -> tuple[Json, str]:
    """Return the body of a case written offline, and the idempotency key of its request."""
    body = make_case(
        summary=NORMAL | {"country": "GY", "language": "es"},
        sections=make_sections("Yusleidy Ñáñez"),
        safeguards={"country_of_origin": "CU"},
        consents=[
            make_class_consent("state", "GY", "REFER"),
            make_office_consent("IOM", "SHELTER"),
        ],
        external_reference="UNHCR-GEO/17",
    )
    return body | {"submit": True}, f"offline-{story.world.ids()}"


def test_a_laptop_without_network_sends_one_case_however_often_it_tries(
    story: Story,
) -> None:
    """A worker on a river in Guyana writes a case offline, and her connection often breaks.

    Her laptop repeats the request with the same idempotency key until it gets a response,
    and only one case is created. An office that lost its cursor reads its feed from the
    start and misses no event.
    """
    officer, lead = story.get_person("UNHCR"), story.get_person("GY_LEAD")
    second, iom = story.get_person("GY_LEAD", Role.SUPERVISOR), story.get_person("IOM")
    body, key = write_offline(story)

    story.on("2026-06-03 13:00")
    first = officer.create("/cases", body, key)
    story.on("2026-06-03 14:30")
    again = officer.create("/cases", body, key)
    case = unwrap(first)
    assert (unwrap(again)["code"], again.headers["Idempotent-Replayed"]) == (
        case["code"],
        "true",
    )
    story.on("2026-06-03 15:00")
    other = officer.create("/cases", body | {"external_reference": "UNHCR-GEO/18"}, key)
    assert other.status_code in {409, 422}
    anew = officer.create("/cases", body)
    assert get_problem(anew) == (409, "external-reference-taken")
    assert [one["code"] for one in unwrap(officer.get("/cases"))["items"]] == [case["code"]]

    story.on("2026-06-03 16:00")
    lead.take_lead(case)
    bed = refer(lead, case, iom, "SHELTER", "needs")
    story.on("2026-06-04 13:00")
    accept(iom, bed, "2026-06-04T18:00:00")
    story.on("2026-06-04 18:30")
    start(iom, bed)
    complete(iom, bed, "She is with friends.")
    story.on("2026-06-05 13:00")
    events = [event["id"] for event in lead.poll()]
    lost, pages, cursor = lead.cursor, list[str](), None
    more = True
    while more:
        page = unwrap(lead.get("/events", limit=3, **make_cursor_query(cursor)))
        pages += [event["id"] for event in page["items"]]
        cursor, more = page["cursor"], page["more"]
    assert pages == events
    assert cursor == lost
    assert len(set(pages)) == len(pages) > 6

    story.on("2026-06-08 13:00")
    assess_risk(lead, case)
    close(lead, second, case, "GOALS_MET")
    assert list_types(lead.poll())[-1] == "case.closed"
    story.require_closure(case, "GOALS_MET")


def test_a_man_who_says_no_is_not_written_down_and_his_draft_is_gone(story: Story) -> None:
    """Рустам Назаров tells the consulate his name, and then that he wants no referral.

    The officer does not finish the draft. After two weeks, the draft is discarded and its
    key is destroyed. Later Рустам comes again with his brother, and the consulate submits
    only the brother's case, which waits for a review.
    """
    officer, lead = story.get_person("UZ_CONSULATE_ALMATY"), story.get_person("KZ_LEAD")
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)

    story.on("2026-06-02 05:00")
    draft = unwrap(
        officer.create_case(consents=[], sections=make_sections("Рустам Назаров"))
    )
    story.on("2026-06-02 06:00")
    refused = officer.does("submit", draft)
    assert get_unmet(refused) == [("consent_to_refer", "submitter")]
    assert get_problem(lead.get(get_path(draft))) == (404, "not-found")
    no = officer.create("/refusals", {"country": "KZ", "age_class": "adult"})
    assert no.is_success
    story.on("2026-06-16 04:59")
    assert officer.read(draft)["state"] == "draft"
    assert get_read_status(officer, draft, "sections/identity") == FOUND
    story.on("2026-06-16 05:01")
    assert officer.read(draft)["state"] == "void"
    assert get_read_status(officer, draft, "sections/identity") == HIDDEN
    assert story.count_sealed(story.find(draft).id) == (0, 0)
    assert get_problem(watcher.open(f"{get_path(draft)}/sections/identity"))[0] == 404
    story.require_rest(draft, "void")

    story.on("2026-06-17 05:00")
    brother = officer.submit(summary=NORMAL, sections=make_sections("Баҳром Назаров"))
    story.on("2026-06-17 08:00")
    lead.take_lead(brother)
    story.on("2026-06-18 08:00")
    rest = {"reason": "SURVIVOR_REQUEST", "review_at": "2026-07-10T08:00:00Z"}
    unwrap(lead.does("suspend", brother, rest))
    story.on("2026-07-10 08:05")
    assert list_types(lead.poll())[-1] == "case.review_due"
    assert lead.read(brother)["state"] == "suspended"
    story.require_rest(brother, "suspended", KZ_LEAD="review")
