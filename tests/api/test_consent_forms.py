"""Tests of consent forms: one form names several recipients, and each gets one consent."""

from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from app.casework.example import EXAMPLE
from app.consents import actions as consent_actions
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_recipient,
    unwrap,
)

SHELTER, LAWYER = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"
TERMS: Final = (
    "given_by",
    "language",
    "interpreter",
    "form_version",
    "obtained_on",
    "expires_at",
)
BED: Final = make_recipient(focal_point=SHELTER, purposes=["SHELTER"], sections=["needs"])
ADVICE: Final = make_recipient(focal_point=LAWYER, purposes=["LEGAL_AID", "MEDICAL"])


COUNTRIES: Final = [
    "KZ",
    "KG",
    "TJ",
    "TM",
    "UZ",
    "BZ",
    "CR",
    "SV",
    "GT",
    "HN",
    "MX",
    "NI",
    "PA",
    "AG",
    "BS",
    "BB",
    "CU",
    "DO",
    "JM",
    "TT",
    "HT",
]


def make_recipients(count: int) -> list[Json]:
    """Return `count` recipients, each for the State offices of another country."""
    return [
        make_recipient(recipient_class={"kind": "state", "country": country})
        for country in COUNTRIES[:count]
    ]


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and only a consent to referral."""
    return lead.take_lead(officer.submit(consents=[make_consent()]))


@pytest.fixture
def draft(officer: Someone) -> Json:
    """Return a draft without a consent."""
    return unwrap(officer.create_case(consents=[]))


def get_consents_path(case: Json) -> str:
    return f"{get_path(case)}/consents"


def record_form(who: Someone, case: Json, *recipients: Json, **terms: Any) -> list[Json]:
    """Record a form that names these recipients, and return its consents."""
    form = make_consent(recipients=list(recipients), **terms)
    answer = who.create(get_consents_path(case), form)
    assert answer.status_code == 201, answer.text
    return list(answer.json()["items"])


def list_consents(who: Someone, case: Json) -> list[Json]:
    return list(unwrap(who.get(get_consents_path(case)))["items"])


def test_form_with_two_recipients_becomes_two_consents_with_its_terms(
    lead: Someone, case: Json
) -> None:
    terms = {"interpreter": True, "language": "ru", "form_version": "2026-2"}

    recorded = record_form(lead, case, ADVICE, BED, **terms)

    assert [one["focal_point"] for one in recorded] == [LAWYER, SHELTER]
    assert [one["purposes"] for one in recorded] == [["LEGAL_AID", "MEDICAL"], ["SHELTER"]]
    assert [one["sections"] for one in recorded] == [["contact", "needs"], ["needs"]]
    first, second = ({name: one[name] for name in TERMS} for one in recorded)
    assert first == second
    assert terms.items() <= first.items()
    listed = {one["id"]: one for one in list_consents(lead, case)}
    assert len(listed) == 3
    assert all(listed[one["id"]] == one for one in recorded)


def test_form_names_offices_and_classes(officer: Someone, draft: Json) -> None:
    office, offices = record_form(officer, draft, BED, make_recipient())

    named = {"kind": "state", "country": "KZ", "function": None}
    assert (office["focal_point"], office["recipient_class"]) == (SHELTER, None)
    assert (offices["focal_point"], offices["recipient_class"]) == (None, named)


def test_ids_of_a_form_are_random_uuids(officer: Someone, draft: Json) -> None:
    ids = {UUID(one["id"]) for one in record_form(officer, draft, *make_recipients(20))}

    assert len(ids) == 20
    assert {one.version for one in ids} == {4}


def test_evidence_of_a_form_is_sealed_once(
    officer: Someone, lead: Someone, case: Json
) -> None:
    record_form(lead, case, ADVICE, BED, evidence="Explained by an interpreter")
    form = make_consent(recipients=[BED, ADVICE], evidence="Agreed aloud")
    draft = unwrap(officer.create_case(consents=[form]))

    assert lead.list_notes(case) == [("consent", "Explained by an interpreter")]
    assert officer.list_notes(draft) == [("consent", "Agreed aloud")]


def test_form_has_one_event_for_each_consent(lead: Someone, case: Json) -> None:
    lead.poll()
    version = lead.read(case)["version"]

    recorded = record_form(lead, case, ADVICE, BED)

    events = lead.poll()
    assert list_types(events) == ["consent.recorded"] * 2
    assert [one["facts"] for one in events] == [{"consent": one["id"]} for one in recorded]
    assert lead.read(case)["version"] == version + 1


def test_form_that_is_sent_twice_is_recorded_once(lead: Someone, case: Json) -> None:
    path, key = get_consents_path(case), str(uuid4())
    form = make_consent(recipients=[ADVICE, BED, make_recipient(purposes=["MEDICAL"])])
    first = lead.create(path, form, key)
    record_form(lead, case, ADVICE, BED)  # at the same clock time, with another key

    again = lead.create(path, form, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(again.json()["items"]) == 3
    assert len(list_consents(lead, case)) == 6


def test_retry_shows_the_consents_of_a_form_as_they_are_now(
    lead: Someone, case: Json
) -> None:
    path, key = get_consents_path(case), str(uuid4())
    form = make_consent(recipients=[ADVICE, BED])
    first, second = unwrap(lead.create(path, form, key))["items"]
    withdrawn = unwrap(lead.send(f"{path}/{second['id']}/withdraw"))

    assert unwrap(lead.create(path, form, key))["items"] == [first, withdrawn]


@pytest.mark.parametrize(
    "unclear",
    [
        BED | {"recipient_class": {"kind": "state", "country": "KZ"}},
        {"purposes": ["SHELTER"], "sections": []},
    ],
    ids=["class and office", "no recipient"],
)
def test_item_without_exactly_one_recipient_is_refused_with_its_pointer(
    officer: Someone, draft: Json, unclear: Json
) -> None:
    form = make_consent(recipients=[BED, unclear])

    recorded = officer.create(get_consents_path(draft), form)
    written = officer.create_case(consents=[make_consent(), form])

    for answer, pointer in (
        (recorded, "#/recipients/1"),
        (written, "#/consents/1/recipients/1"),
    ):
        assert get_problem(answer) == (422, "request-invalid")
        [fault] = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, "recipient_unclear")
    assert list_consents(officer, draft) == []


def test_recipient_beside_the_list_is_an_unknown_field(
    officer: Someone, draft: Json
) -> None:
    flat = make_consent() | {"focal_point": SHELTER, "purposes": ["SHELTER"]}

    refused = officer.create(get_consents_path(draft), flat)

    assert get_problem(refused) == (422, "request-invalid")
    faults = refused.json()["errors"]
    assert {(one["pointer"], one["code"]) for one in faults} == {("#", "extra_forbidden")}
    assert all("`recipients`" in one["detail"] for one in faults)


def test_unknown_office_refuses_the_whole_form(officer: Someone, draft: Json) -> None:
    form = make_consent(recipients=[BED, make_recipient(focal_point="NOBODY_AT_ALL")])

    refused = officer.create(get_consents_path(draft), form)

    assert get_problem(refused) == (422, "focal-point-unknown")
    assert list_consents(officer, draft) == []


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 201), (20, 201), (21, 422)])
def test_form_names_1_to_20_recipients(
    officer: Someone, draft: Json, count: int, status: int
) -> None:
    form = make_consent(recipients=make_recipients(count))

    answer = officer.create(get_consents_path(draft), form)

    assert answer.status_code == status
    assert len(list_consents(officer, draft)) == (count if status == 201 else 0)


def test_new_case_has_at_most_50_consents(officer: Someone) -> None:
    forms = [make_consent(recipients=make_recipients(count)) for count in (20, 20, 10)]
    full = unwrap(officer.create_case(consents=forms))

    refused = officer.create_case(consents=[*forms, make_consent()])

    assert len(list_consents(officer, full)) == 50
    assert get_problem(refused) == (422, "request-invalid")
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/consents", "recipients_too_many")
    assert "at most 50" in fault["detail"]


def test_office_that_a_form_names_sees_its_own_consent_alone(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    path = get_consents_path(case)
    advice, bed = record_form(lead, case, ADVICE, BED)
    unwrap(lead.refer(case, SHELTER))
    unwrap(lead.refer(case, LAWYER, service="LEGAL_AID"))

    for who, own, other in ((shelter, bed, advice), (lawyer, advice, bed)):
        assert [one["id"] for one in list_consents(who, case)] == [own["id"]]
        hidden, missing = (
            who.send(f"{path}/{one}/withdraw") for one in (other["id"], uuid4())
        )
        assert get_problem(hidden) == get_problem(missing) == (404, "not-found")


def test_withdrawal_of_one_purpose_leaves_the_other_consents_of_a_form(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    advice, bed = record_form(lead, case, ADVICE, BED)
    housed = unwrap(lead.refer(case, SHELTER))
    advised = unwrap(lead.refer(case, LAWYER, service="LEGAL_AID"))

    lead.send(f"{get_consents_path(case)}/withdraw", {"purposes": ["LEGAL_AID"]})

    ended = {one["id"]: one["withdrawn_at"] for one in list_consents(lead, case)}
    assert ended[advice["id"]] is not None
    assert ended[bed["id"]] is None
    assert lawyer.read(advised)["state"] == "withdrawn"
    assert shelter.read(housed)["state"] == "sent"


def test_example_case_is_played_to_its_end(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    shared = ["needs", "contact"]
    case = lead.take_lead(unwrap(officer.create("/cases", EXAMPLE)))
    bed = unwrap(lead.refer(case, SHELTER, sections=shared))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    for section in shared:
        unwrap(shelter.open(f"{get_path(case)}/sections/{section}"))
    unwrap(shelter.does("start", bed, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "She stays for a month"}

    assert unwrap(shelter.does("complete", bed, report))["state"] == "completed"
    second = lead.world.add_person(lead.code)
    closed = lead.does_with(second, "close", case, make_closure())
    assert unwrap(closed)["state"] == "closed"


def test_form_names_a_recipient_once_for_each_purpose(lead: Someone, case: Json) -> None:
    other = make_recipient(focal_point=SHELTER, purposes=["MEDICAL"], sections=[])
    repeated = make_consent(recipients=[BED, other, BED])

    refused = lead.create(get_consents_path(case), repeated)
    recorded = record_form(lead, case, BED, other)

    assert get_problem(refused) == (422, "request-invalid")
    assert [one["code"] for one in refused.json()["errors"]] == ["recipient_repeated"]
    assert [one["purposes"] for one in recorded] == [["SHELTER"], ["MEDICAL"]]


def test_office_records_a_limited_number_of_valid_consents(
    lead: Someone, case: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit ignores a submitter's consent, because the lead must not learn of it."""
    monkeypatch.setattr(consent_actions, "MAX_VALID", 3)
    [first, _] = record_form(lead, case, BED, ADVICE)

    refused = lead.create(get_consents_path(case), make_consent(recipients=[BED, ADVICE]))
    unwrap(lead.send(f"{get_consents_path(case)}/{first['id']}/withdraw"))

    assert get_problem(refused) == (409, "too-many-consents")
    assert len(record_form(lead, case, BED, ADVICE)) == 2
