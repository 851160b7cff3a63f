"""The number of statements per request does not grow with the length of a list."""

import pytest

from tests.support.databases import record_statements
from tests.support.world import (
    Someone,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

GIVEN = [
    make_consent(),
    make_service_consent(),
    make_service_consent("state"),
    make_handover_consent(),
]
ASKED = (
    ("KZ_SHELTER_KOGERSHIN", "SHELTER"),
    ("KZ_SHELTER_TANSHOLPAN", "SHELTER"),
    ("KZ_LEGAL_AID", "LEGAL_AID"),
)
SUCCESSORS = ("UZ_LEAD", "IOM", "SANA_SEZIM")


def fill(officer: Someone, lead: Someone, number: int) -> None:
    """Create a case that has a lead, a referral and an offered handover."""
    recipient, service = ASKED[number]
    consents = [*GIVEN, make_handover_consent(SUCCESSORS[number])]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(officer.submit(consents=consents, safeguards=guards))
    unwrap(lead.refer(case, recipient, service=service))
    unwrap(lead.offer(case, SUCCESSORS[number]))


def list_statements(who: Someone, path: str) -> list[str]:
    with record_statements(who.world.database) as statements:
        unwrap(who.get(path))
    return statements


@pytest.mark.parametrize("path", ["/cases", "/referrals", "/handovers"])
def test_a_longer_list_asks_no_more(path: str, officer: Someone, lead: Someone) -> None:
    fill(officer, lead, 0)
    of_one = list_statements(lead, path)
    fill(officer, lead, 1)
    fill(officer, lead, 2)

    of_three = list_statements(lead, path)

    assert len(unwrap(lead.get(path))["items"]) == 3
    assert len(of_three) == len(of_one)


def test_more_closed_duplicates_ask_no_more(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    counts = []
    for _ in range(3):
        case, other = (lead.take_lead(officer.submit()) for _ in "12")
        why = make_closure(reason="DUPLICATE", continues_in=other["code"])
        unwrap(lead.does_with(supervisor, "close", case, why))
        counts.append(len(list_statements(lead, "/cases")))

    shown = [case["continues_in"] for case in unwrap(lead.get("/cases"))["items"]]
    assert sum(code is not None for code in shown) == 3
    assert len(set(counts)) == 1


def test_a_longer_list_of_waiting_cases_asks_no_more(
    officer: Someone, lead: Someone
) -> None:
    def submit_asked() -> None:
        case = officer.submit(consents=[make_consent(), make_consent(focal_point="IOM")])
        asked = {"topics": ["needs"], "question": "Can she read?"}
        unwrap(lead.create(f"/cases/{case['code']}/questions", asked))

    submit_asked()
    of_one = [len(list_statements(who, "/cases")) for who in (officer, lead)]
    submit_asked()
    submit_asked()

    assert [len(list_statements(who, "/cases")) for who in (officer, lead)] == of_one
    assert {one["if_missed"]["focal_point"] for one in officer.list_all("/cases")} == {
        "IOM"
    }
