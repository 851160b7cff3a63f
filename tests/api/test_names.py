"""Tests of accepted names, and of the ways in which people type a case code."""

import unicodedata
from itertools import batched

import pytest

from tests.support.real_names import NAMES
from tests.support.world import Json, Someone, get_path, get_problem, unwrap


def test_every_name_comes_out_of_its_seal_as_it_went_in(officer: Someone) -> None:
    for names in batched(NAMES.values(), 10):
        sections: list[Json] = [
            {"section": "identity", "names": list(names), "documents": list(names)},
            {"section": "narrative", "text": "\n".join(names)},
            {"section": "contact", "alias": names[0], "safe_channel": names[-1]},
        ]
        case = unwrap(officer.create_case(sections=sections))

        for section in sections:
            opened = officer.open(f"{get_path(case)}/sections/{section['section']}")
            assert section.items() <= unwrap(opened)["content"].items()


def test_a_name_that_was_typed_in_parts_is_kept_composed(officer: Someone) -> None:
    typed = [unicodedata.normalize("NFD", name) for name in list(NAMES.values())[:10]]
    case = unwrap(officer.create_case(sections=[{"section": "identity", "names": typed}]))

    opened = unwrap(officer.open(f"{get_path(case)}/sections/identity"))

    assert opened["content"]["names"] == list(NAMES.values())[:10]


def test_the_name_of_whom_to_reach_is_kept_too(officer: Someone, lead: Someone) -> None:
    people = [
        {"name": NAMES[n], "phone": "+77010000001"} for n in ("Kazakh, Arabic", "Thai")
    ]
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.does("accept-lead", case, {"contacts": people}))

    assert unwrap(lead.open(f"{get_path(case)}/contacts"))["contacts"] == people


def list_spellings(code: str) -> dict[str, str]:
    """Return a case code in the forms in which people type it."""
    return {
        "as it is": code,
        "small": code.lower(),
        "without hyphens": code.replace("-", ""),
        "small and without hyphens": code.replace("-", "").lower(),
        "letters for digits": code[:3]
        + code[3:-2].translate(str.maketrans("01", "OI"))
        + code[-2:],
        "small letters for digits": code[:3]
        + code[3:-2].translate(str.maketrans("01", "ol"))
        + code[-2:],
    }


@pytest.mark.parametrize("way", list_spellings("SC-0000-1111-0101-0"))
def test_a_case_is_found_as_its_code_is_typed(way: str, officer: Someone) -> None:
    for _ in "12345":
        case = unwrap(officer.create_case())
        typed = list_spellings(case["code"])[way]

        assert unwrap(officer.get(f"/cases/{typed}"))["code"] == case["code"]
        assert unwrap(officer.get("/referrals", case=typed))["items"] == []
        assert unwrap(officer.open(f"/cases/{typed}/sections/needs"))["section"] == "needs"
        written = officer.does("submit", {"code": typed})
        assert unwrap(written)["code"] == case["code"]


@pytest.mark.parametrize("wrong", ["{}0", "0{}", "{} ", "{}%0A", "{}%00", "SC-{}", "{}-"])
def test_what_is_nearly_a_code_finds_nothing(wrong: str, officer: Someone) -> None:
    code = unwrap(officer.create_case())["code"]

    status, _ = get_problem(officer.get(f"/cases/{wrong.format(code)}"))

    assert status in {404, 422}
