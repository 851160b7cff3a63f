"""A story by an author who had not read the code: the consul who asked for more."""

from app.directory.kinds import OfficeFunction, OfficeKind
from app.kernel.actors import Role
from tests.examples.stories.steps import (
    FOUND,
    HIDDEN,
    accept,
    acknowledge,
    assess_risk,
    complete,
    confirm_deletion,
    decline,
    get_read_status,
    make_class_consent,
    make_office_consent,
    record_consent,
    record_fact,
    refer,
    report_visit,
    set_safeguards,
    start,
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
    make_closure,
    make_contacts,
    unwrap,
)

NEEDS, CONTACT = ["needs"], ["needs", "contact"]
WRITTEN = [
    {"section": "needs", "summary": "A bed", "safety_alert": "No calls"},
    {"section": "contact", "alias": "Sherzod", "safe_channel": "Mobile"},
    {"section": "identity", "names": ["Шерзод Абдуқодиров"]},
]


def get_due_times(who: Someone) -> dict[str, str]:
    """Return the due time of each kind of item on the worklist of a person's office."""
    return {kind: due for _, kind, due in who.get_worklist()}


def test_a_consul_who_wrote_a_good_case_is_feared_and_asks_for_more(story: Story) -> None:
    """Шерзод asks the consul in Almaty for a passport, and the consul submits a good case.

    Once Шерзод is safe, he says that a relative of the consul sold him. The consul then
    tries every way to learn more, and a policeman wants the address. Another office of his
    State gives Шерзод a passport, and Шерзод asks for the erasure of his case.
    """
    consul = story.add_office(
        "UZ_CON_ALA",
        OfficeKind.STATE,
        "KZ",
        function=OfficeFunction.CONSULAR,
        of_state="UZ",
    )
    embassy = story.add_office(
        "UZ_EMB_AST",
        OfficeKind.STATE,
        "KZ",
        function=OfficeFunction.CONSULAR,
        of_state="UZ",
    )
    lead, ngo = (
        story.get_person("KZ_LEAD"),
        story.add_office("KZ_NGO", OfficeKind.NON_STATE, "KZ"),
    )
    police = story.add_office(
        "KZ_POL", OfficeKind.STATE, "KZ", function=OfficeFunction.POLICE, of_state="KZ"
    )
    desk, second = (
        story.get_person("DESK_CENTRAL_ASIA"),
        story.get_person("KZ_LEAD", Role.SUPERVISOR),
    )
    watcher = story.get_person("OVERSIGHT_DEMO", Role.PROTECTION_OFFICER)
    other = story.get_person("OVERSIGHT_DEMO", Role.SUPERVISOR)

    story.on("2027-04-05 06:00")
    case = unwrap(
        consul.create_case(
            sections=WRITTEN,
            consents=[
                make_class_consent("state", "KZ", "REFER", sections=NEEDS),
                make_office_consent("KZ_LEAD", "REFER"),
            ],
        )
    )
    for one in (lead, desk):
        assert get_problem(one.get(get_path(case))) == (404, "not-found")
    assert get_read_status(watcher, case, "sections/needs") == HIDDEN

    story.on("2027-04-05 06:40")
    unwrap(consul.does("submit", case))
    assert get_due_times(lead)["acknowledge"] == "2027-04-05T09:40:00Z"
    assert get_read_status(lead, case, "sections/needs") == FOUND
    for part in ("sections/contact", "safeguards", "sections/identity"):
        assert get_read_status(lead, case, part) == HIDDEN

    story.on("2027-04-05 08:00")
    unwrap(lead.does("acknowledge", case))
    assert get_read_status(lead, case, "sections/contact") == FOUND
    assert get_read_status(lead, case, "safeguards") == FOUND
    assert get_read_status(lead, case, "sections/identity") == HIDDEN
    story.on("2027-04-05 08:30")
    question = {"topics": ["identity"], "question": "Are there papers of the employer?"}
    open_question = unwrap(lead.create(f"{get_path(case)}/questions", question))
    assert get_due_times(consul)["answer"] == "2027-04-06T08:30:00Z"

    story.on("2027-04-05 13:30")
    assess_risk(lead, case, "medium")
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    assert lead.read(case)["state"] == "referring"
    assert get_read_status(consul, case, "contacts") == HIDDEN

    story.on("2027-04-06 05:20")
    record_consent(lead, case, make_office_consent("KZ_NGO", "SHELTER"))
    bed = refer(lead, case, ngo, "SHELTER", *CONTACT)
    acknowledge(ngo, bed)
    assert get_read_status(ngo, case, "sections/needs") == FOUND
    assert get_read_status(ngo, case, "sections/contact") == HIDDEN
    story.on("2027-04-06 05:50")
    accept(ngo, bed, "2027-04-06T12:00:00")
    assert lead.read(case)["state"] == "assisting"
    assert get_read_status(ngo, case, "sections/contact") == FOUND
    assert "KZ_NGO" not in consul.get("/events", limit=200).text
    story.on("2027-04-06 12:20")
    start(ngo, bed)
    assert "give_feedback" in get_due_times(ngo)

    story.on("2027-04-07 15:20")
    guards: Json = {"country_of_origin": "UZ", "origin_contact": "blocked"}
    guards |= {"official_implicated": True, "fear_of_state": True}
    set_safeguards(lead, case, **guards, unsafe_focal_points=["UZ_CON_ALA"])
    assess_risk(lead, case, "high")
    warning = "Nobody from the consulate"
    write_section(lead, case, "needs", summary="A bed", safety_alert=warning)
    assert get_due_times(lead)["review_risk"] == "2027-04-10T15:20:00Z"
    read = unwrap(ngo.open(f"{get_path(case)}/safety-alert"))
    assert read["safety_alert"] == warning
    assert get_read_status(ngo, case, "safeguards") == HIDDEN

    story.on("2027-04-08 06:00")
    path = f"{get_path(case)}/questions/{open_question['id']}/answer"
    words = "Tell me which shelter, his mother is dying"
    answered = consul.send(path, {"answer": words})
    assert "KZ_NGO" not in answered.text
    assert words in [text for _, text in lead.list_notes(case)]
    assert words not in [text for _, text in ngo.list_notes(bed)]
    story.on("2027-04-08 06:20")
    asking: Json = {"reason": "RISK_TO_LIFE", "note": "Suicidal", "purpose": "protection"}
    asking |= {"sections": ["contact", "identity"]}
    refused = consul.create(f"{get_path(case)}/emergency-access", asking)
    assert get_problem(refused) == (403, "action-not-yours")

    story.on("2027-04-08 06:40")
    lead.poll(), watcher.poll()
    withdraw_consents(consul, case, "SHELTER", "REFER")
    events = [(one["type"], one["by"]) for one in lead.poll()]
    assert ("consent.withdrawal_reported", "UZ_CON_ALA") in events
    assert "consent.withdrawal_reported" in list_types(watcher.poll())
    assert ngo.read(bed)["state"] == "in_progress"
    assert get_read_status(ngo, case, "sections/contact") == FOUND
    assert lead.read(case)["state"] == "assisting"
    story.on("2027-04-08 06:45")
    papers = make_office_consent("UZ_CON_ALA", "CONSULAR_DOCUMENT", sections=["identity"])
    refused = consul.create(f"{get_path(case)}/consents", papers)
    assert get_problem(refused) == (403, "action-not-yours")

    story.on("2027-04-09 05:00")
    record_consent(
        lead, case, make_office_consent("KZ_POL", "LAW_ENFORCEMENT", sections=NEEDS)
    )
    body = {"service": "LAW_ENFORCEMENT", "sections": NEEDS}
    assert get_unmet(lead.refer(case, "KZ_POL", **body)) == [("reflection_told", "sender")]
    story.on("2027-04-09 05:30")
    record_fact(lead, case, "reflection_period", "offered", country="KZ")
    report = refer(lead, case, police, "LAW_ENFORCEMENT", *NEEDS)
    assert get_read_status(police, case, "sections/needs") == FOUND
    assert get_read_status(police, case, "sections/narrative") == HIDDEN
    story.on("2027-04-09 07:00")
    acknowledge(police, report)
    question = {"topics": ["narrative"], "question": "The address of the shelter?"}
    unwrap(police.does("ask", report, question))
    assert "answer" in get_due_times(lead)
    answer_body = {"sections": ["narrative"], "answer": "He tells it himself."}
    assert get_unmet(lead.does("answer", report, answer_body)) == [
        ("consent_to_answer", "sender")
    ]

    story.on("2027-04-12 06:00")
    assess_risk(lead, case, "medium")
    write_section(lead, case, "narrative", text="Who took his passport")
    more = make_office_consent("KZ_POL", "LAW_ENFORCEMENT", sections=["needs", "narrative"])
    record_consent(lead, case, more)
    unwrap(lead.does("answer", report, answer_body))
    assert police.read(report)["state"] == "received"
    assert (
        get_read_status(police, case, "sections/narrative") == HIDDEN
    )  # before it accepts
    assert get_problem(police.get(get_path(bed))) == (404, "not-found")
    story.on("2027-04-13 06:00")
    decline(police, report, "INSUFFICIENT_INFO")
    assert get_read_status(police, case, "sections/needs") == HIDDEN
    assert get_due_times(police)["confirm_deletion"] == "2027-04-20T06:00:00Z"
    assert lead.read(case)["state"] == "assisting"
    story.on("2027-04-21 05:00")
    assert "referral.overdue" in list_types(watcher.poll())
    confirm_deletion(police, report)

    story.run_weekly("2027-05-03 05:00", lambda: assess_risk(lead, case))
    safe = {"country_of_origin": "UZ", "unsafe_focal_points": ["UZ_CON_ALA"]}
    safe |= {"origin_contact": "permitted"}
    identity = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    given = make_office_consent("UZ_EMB_AST", "CONSULAR_DOCUMENT", sections=["identity"])
    record_consent(lead, case, given)
    set_safeguards(lead, case, **safe, official_implicated=True)
    refused = lead.refer(case, "UZ_EMB_AST", **identity)
    assert get_unmet(refused) == [("recipient_safe", "sender")]
    set_safeguards(lead, case, **safe)
    passport = refer(lead, case, embassy, "CONSULAR_DOCUMENT", "identity")
    assert (
        get_read_status(embassy, case, "sections/identity") == HIDDEN
    )  # before it accepts
    assert get_problem(embassy.get(get_path(bed))) == (404, "not-found")

    acknowledge(embassy, passport)
    story.on("2027-05-04 06:00")
    accept(embassy, passport, "2027-05-20T05:00:00")
    assert get_read_status(embassy, case, "sections/identity") == FOUND
    assert get_read_status(embassy, case, "sections/contact") == HIDDEN
    story.run_weekly("2027-05-20 06:00", lambda: assess_risk(lead, case))
    start(embassy, passport)
    complete(embassy, passport, "Passport given")
    story.on("2027-05-24 06:00")
    complete(ngo, bed, "He works and has a room.")
    assert lead.read(case)["state"] == "assisting"

    story.on("2027-05-24 10:00")
    plan = ["2027-06-21T06:00:00Z", "2027-09-20T06:00:00Z"]
    unwrap(lead.does("monitor", case, {"visits": plan}))
    story.on("2027-06-21 06:30")
    report_visit(lead, case)
    story.on("2027-09-20 06:30")
    report_visit(lead, case)
    story.on("2027-09-21 06:00")
    assess_risk(lead, case)
    approval = unwrap(lead.does("close", case, make_closure()))
    own = lead.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(own) == (409, "not-a-second-person")
    story.on("2027-09-21 10:00")
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("close", case, make_closure(), Approval=approval["id"]))
    for one in (consul, ngo, embassy, lead):
        for part in ("needs", "contact", "identity"):
            assert get_read_status(one, case, f"sections/{part}") == HIDDEN

    story.on("2027-10-04 06:00")
    wish = {"reason": "SURVIVOR_REQUEST"}
    unwrap(watcher.does_with(other, "erase", case, wish))
    history = unwrap(watcher.get(f"{get_path(case)}/history"))["items"]
    assert {"case.submitted", "case.closed", "case.erased"} <= set(list_types(history))
    for one in (consul, lead, ngo, embassy, police, watcher):
        assert "Шерзод" not in one.get("/events", limit=200).text
    story.require_erasure(case)
