"""Tests of the list of possible recipients, for a case and before a case exists."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.kernel.actors import SERVICE
from app.kernel.db import Base
from app.kernel.journal import Entry
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

WOMEN, MIXED, LAW = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN", "KZ_LEGAL_AID"
IOM_TOO = [
    make_consent(),
    make_service_consent(),
    make_service_consent("intergovernmental"),
]


def create_acknowledged_case(officer: Someone, lead: Someone, **case: Any) -> Json:
    """Return a case whose candidate has acknowledged it and may read the safeguards."""
    return unwrap(lead.does("acknowledge", officer.submit(**case)))


def list_candidates(who: Someone, case: Json, service: str = "SHELTER") -> Json:
    path = f"/cases/{case['code']}/recipients"
    [found] = unwrap(who.get(path, service=service))["services"]
    return dict(found)


def list_codes(found: Json) -> list[str]:
    return [one["focal_point"] for one in found["candidates"]]


def get_exclusions(found: Json) -> dict[str, list[str]]:
    return {one["focal_point"]: one["reasons"] for one in found["excluded"]}


def set_capacity(world: World, code: str, places: int) -> None:
    someone = world.add_person(code)
    unwrap(someone.ask("PUT", f"/focal-points/{code}/capacity", {"free": places}))


def test_the_holder_reads_who_could_serve_best_first_and_why(
    officer: Someone, lead: Someone
) -> None:
    case = create_acknowledged_case(officer, lead, consents=IOM_TOO)

    found = list_candidates(lead, case)

    assert list_codes(found) == [WOMEN, MIXED, "IOM"]
    assert found["candidates"][0] == {
        "focal_point": WOMEN,
        "reasons": [
            "works_in_the_country",
            "offers_services_needed",
            "serves_this_age",
            "speaks_the_language",
        ],
        "sexes": ["female"],
        "ages": ["adult", "child"],
    }
    assert get_exclusions(found)[LAW] == ["service_not_offered"]
    assert get_exclusions(found)["KZ_LEAD"] == [
        "service_not_offered",
        "no_consent",
        "holds_the_case",
    ]
    assert "TT_SHELTER" not in get_exclusions(found)


def test_without_a_service_each_that_the_notice_names_is_answered(
    officer: Someone, lead: Someone
) -> None:
    case = create_acknowledged_case(officer, lead, summary={"urgent_needs": ["MEDICAL"]})

    shown = unwrap(lead.get(f"/cases/{case['code']}/recipients"))

    assert [one["service"] for one in shown["services"]] == [
        "LEGAL_AID",
        "MEDICAL",
        "SHELTER",
    ]
    assert [list_codes(one) for one in shown["services"]] == [
        [LAW, "SANA_SEZIM"],
        [],
        [WOMEN, MIXED],
    ]
    assert shown["desk"] == "DESK_CENTRAL_ASIA"
    assert [one["advice"] for one in shown["advice"]] == ["ask_about_criminal_case"]


def test_a_child_has_child_protection_beside_all_else(
    officer: Someone, lead: Someone
) -> None:
    by = {"given_by": "guardian_with_assent"}
    consents = [make_consent(**by), make_service_consent(**by)]
    case = create_acknowledged_case(
        officer, lead, summary={"age_class": "presumed_child"}, consents=consents
    )

    shown = unwrap(lead.get(f"/cases/{case['code']}/recipients"))

    assert [one["service"] for one in shown["services"]] == [
        "CHILD_PROTECTION",
        "LEGAL_AID",
        "SHELTER",
    ]
    assert list_codes(shown["services"][2]) == [WOMEN, "IOM"]  # No consent needed (BR14).
    assert list_codes(shown["services"][1]) == [
        LAW,
        "SANA_SEZIM",
    ]  # The guardian's consent names both.
    assert get_exclusions(shown["services"][2])[MIXED] == ["age_not_served"]
    assert shown["advice"][0]["advice"] == "child_protection_in_parallel"
    assert shown["advice"][0]["service"] == "CHILD_PROTECTION"


def test_only_the_holder_asks(
    world: World, officer: Someone, lead: Someone, shelter: Someone, stranger: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, WOMEN))
    path = f"/cases/{case['code']}/recipients"
    oversight = world.add_person("OVERSIGHT_DEMO")

    assert lead.get(path).is_success
    assert get_problem(officer.get(path)) == (403, "action-not-yours")
    assert get_problem(oversight.get(path)) == (403, "action-not-yours")
    assert get_problem(shelter.get(path)) == (404, "not-found")
    assert get_problem(stranger.get(path)) == (404, "not-found")


def test_a_draft_has_no_holder_who_could_ask(officer: Someone) -> None:
    draft = unwrap(officer.create_case())

    answer = officer.get(f"/cases/{draft['code']}/recipients")

    assert get_problem(answer) == (403, "action-not-yours")


def test_the_desk_sees_who_could_and_not_why_others_cannot(
    world: World, officer: Someone
) -> None:
    case = officer.submit(consents=[make_service_consent(), make_consent(focal_point=LAW)])

    found = list_candidates(world.add_person("DESK_CENTRAL_ASIA"), case)

    assert list_codes(found) == [WOMEN, MIXED]
    assert found["excluded"] == []


@pytest.mark.parametrize("name", ["sex", "age_class", "names", "services"])
def test_nothing_about_the_person_goes_into_an_address(
    officer: Someone, lead: Someone, name: str
) -> None:
    case = officer.submit()

    answer = lead.get(f"/cases/{case['code']}/recipients", **{name: "female"})

    assert answer.status_code == 422
    assert "female" not in answer.text


def test_free_places_count_while_they_are_fresh(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = create_acknowledged_case(officer, lead, summary={"language": "ru"})
    assert list_codes(list_candidates(lead, case)) == [WOMEN, MIXED]

    set_capacity(world, MIXED, 2)
    with_places = list_candidates(lead, case)
    set_capacity(world, MIXED, 0)
    full = list_candidates(lead, case)
    world.advance(days=2)
    lately = list_candidates(lead, case)
    world.advance(days=6)
    forgotten = list_candidates(lead, case)

    assert list_codes(with_places) == [MIXED, WOMEN]
    assert "has_places" in with_places["candidates"][0]["reasons"]
    assert (list_codes(full), get_exclusions(full)[MIXED]) == ([WOMEN], ["full"])
    assert list_codes(lately) == list_codes(forgotten) == [WOMEN, MIXED]


def test_who_was_asked_or_declined_is_not_proposed_again_for_that_service(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    bed = unwrap(lead.refer(case, WOMEN))
    candidates = list_candidates(lead, case)

    unwrap(shelter.does("decline", bed, {"reason": "NO_CAPACITY"}))
    declined = list_candidates(lead, case)

    assert (list_codes(candidates), get_exclusions(candidates)[WOMEN]) == (
        [MIXED],
        ["already_asked"],
    )
    assert (list_codes(declined), get_exclusions(declined)[WOMEN]) == (
        [MIXED],
        ["has_declined"],
    )
    assert get_exclusions(list_candidates(lead, case, "LEGAL_AID"))[WOMEN] == [
        "service_not_offered"
    ]


def test_who_helps_already_is_not_proposed(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    bed = unwrap(lead.refer(case, WOMEN))
    unwrap(shelter.does("accept", bed, make_acceptance()))
    before = get_exclusions(list_candidates(lead, case))[WOMEN]
    unwrap(lead.does("revoke", bed, {"reason": "NO_LONGER_NEEDED"}))

    assert before == ["already_asked"]
    assert list_codes(list_candidates(lead, case)) == [WOMEN, MIXED]


@pytest.mark.parametrize(
    "changes",
    [
        {"safeguards": {"country_of_origin": "UZ", "unsafe_focal_points": [WOMEN]}},
        {
            "consents": [
                make_consent(),
                make_consent(focal_point=MIXED, purposes=["SHELTER"]),
            ]
        },
    ],
    ids=["unsafe", "no consent"],
)
def test_who_is_unsafe_is_out_like_one_without_consent(
    officer: Someone, lead: Someone, changes: Json
) -> None:
    found = list_candidates(lead, create_acknowledged_case(officer, lead, **changes))

    assert (list_codes(found), get_exclusions(found)[WOMEN]) == ([MIXED], ["no_consent"])


def test_a_body_of_the_state_of_origin_waits_for_the_persons_word(
    officer: Someone, lead: Someone
) -> None:
    abroad = make_consent(
        recipient_class={"kind": "non_state", "country": "UZ"}, purposes=["RETURN"]
    )
    case = officer.submit(consents=[make_consent(), abroad])

    found = list_candidates(lead, case, "RETURN")

    assert list_codes(found) == ["ISTIQBOLLI_AVLOD"]
    assert found["candidates"][0]["reasons"][0] == "agreement_in_force"


QUESTION: Json = {
    "country": "KZ",
    "age_class": "adult",
    "language": "uz",
    "priority": "urgent",
    "services": ["SHELTER", "LEGAL_AID"],
}


def preview_routing(who: Someone, **changes: Any) -> Json:
    return unwrap(who.send("/routing", QUESTION | changes))


def test_before_there_is_a_case_it_is_answered_what_would_be_done(
    officer: Someone,
) -> None:
    shown = preview_routing(officer)

    assert list_codes(shown["leads"])[:2] == ["KZ_LEAD", "SANA_SEZIM"]
    assert [one["service"] for one in shown["services"]] == ["LEGAL_AID", "SHELTER"]
    assert list_codes(shown["services"][1]) == [WOMEN, MIXED, "IOM"]
    assert shown["desk"] == "DESK_CENTRAL_ASIA"
    [advice] = shown["advice"]
    assert advice["advice"] == "ask_about_criminal_case"
    assert advice["offices"] == list_codes(shown["leads"])[1:]


@pytest.mark.parametrize(
    ("changes", "shelters"),
    [
        ({"sex": "female"}, [WOMEN, MIXED, "IOM"]),
        ({"sex": "male"}, [MIXED, "IOM"]),
        ({"sex": "other"}, ["IOM"]),
        ({"with_children": True}, [WOMEN, "IOM"]),
        ({"with_children": True, "sex": "male"}, ["IOM"]),
        ({"allowed_recipients": []}, []),
        ({"allowed_recipients": [{"focal_point": MIXED}]}, [MIXED]),
        (
            {
                "allowed_recipients": [
                    {"recipient_class": {"kind": "non_state", "country": "KZ"}}
                ]
            },
            [WOMEN, MIXED],
        ),
        ({"safeguards": {"unsafe_focal_points": [WOMEN]}}, [MIXED, "IOM"]),
        ({"language": "ru"}, [WOMEN, MIXED, "IOM"]),
        ({"country": "TT", "language": "es"}, ["TT_SHELTER", "IOM"]),
    ],
)
def test_a_dry_run_knows_what_no_notice_says(
    officer: Someone, changes: Json, shelters: list[str]
) -> None:
    assert (
        list_codes(preview_routing(officer, services=["SHELTER"], **changes)["services"][0])
        == shelters
    )


@pytest.mark.parametrize(
    "guards",
    [
        {"country_of_origin": "KZ", "fear_of_state": True},
        {"country_of_origin": "KZ", "seeks_asylum": True},
        {"official_implicated": True},
        {"unsafe_focal_points": ["KZ_LEAD"]},
    ],
)
def test_a_dry_run_goes_around_whom_the_person_fears(
    officer: Someone, guards: Json
) -> None:
    shown = preview_routing(officer, safeguards=guards)

    assert "KZ_LEAD" not in list_codes(shown["leads"])
    assert get_exclusions(shown["leads"])["KZ_LEAD"] == ["no_consent"]


def test_a_dry_run_and_a_case_answer_alike(officer: Someone, lead: Someone) -> None:
    classes = [
        {"kind": kind, "country": "KZ"}
        for kind in ("state", "non_state", "intergovernmental")
    ]
    consents = [
        make_consent(recipient_class=one, purposes=["REFER", "SHELTER", "LEGAL_AID"])
        for one in classes
    ]
    tried = preview_routing(
        officer,
        allowed_recipients=[{"recipient_class": one} for one in classes],
        safeguards={"country_of_origin": "UZ"},
    )

    case = officer.submit(consents=consents)

    kept = unwrap(officer.get(f"/cases/{case['code']}/routing"))
    assert list_codes(kept) == [*list_codes(tried["leads"]), tried["desk"]]
    assert get_exclusions(kept) == get_exclusions(tried["leads"])
    assert list_codes(list_candidates(lead, case)) == list_codes(tried["services"][1])


def test_a_dry_run_keeps_nothing(world: World, officer: Someone) -> None:
    def rows() -> dict[str, int]:
        with world.database.begin_read(SERVICE) as session:
            return {
                table.name: session.scalars(select(func.count()).select_from(table)).one()
                for table in Base.metadata.sorted_tables
            }

    before = rows()

    preview_routing(officer, sex="female", safeguards={"fear_of_state": True})

    assert rows() == before
    assert before[Entry.__tablename__] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"allowed_recipients": [{"focal_point": "NOBODY"}]},
        {"safeguards": {"unsafe_focal_points": ["KZ_LEADD"]}},
    ],
)
def test_a_dry_run_refuses_a_code_that_nobody_has(officer: Someone, changes: Json) -> None:
    answer = officer.send("/routing", QUESTION | changes)

    assert get_problem(answer) == (422, "focal-point-unknown")
    assert "KZ_LEADD" not in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"sex": "unknown"},
        {"names": ["Oygul"]},
        {"safeguards": {"unsafe_people": "her uncle"}},
        {"allowed_recipients": [{}]},
        {"services": ["BED"]},
        {"country": "KAZ"},
        {"with_children": "yes"},
    ],
)
def test_a_dry_run_takes_no_more_than_it_needs(officer: Someone, changes: Json) -> None:
    assert officer.send("/routing", QUESTION | changes).status_code == 422
