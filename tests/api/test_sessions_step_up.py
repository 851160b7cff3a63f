"""Step-up: a session opens the most sensitive sections only shortly after the sign-in."""

import re
from typing import Final

import pytest

from app.cases.sections import Section
from tests.support.full_world import fill_path
from tests.support.operation_calls import ALL
from tests.support.sessions import get_session, sign_in
from tests.support.world import Json, Someone, World, get_path, make_consent, unwrap

SENSITIVE: Final = ("identity", "narrative", "perpetrators", "health")
"""The most sensitive sections, as a list that is independent of the code."""
OTHERS: Final = sorted(set(Section) - set(SENSITIVE))
CHALLENGE: Final = 'Bearer error="insufficient_user_authentication", max_age="300"'
MISSING: Final = "/cases/SC-7K3F-9QXM-4T2B-3"


CONTENTS: Final[Json] = {
    "needs": {"summary": "canary_needs"},
    "contact": {"alias": "canary_contact", "safe_channel": "Signal"},
    "identity": {"names": ["canary_identity"]},
    "narrative": {"text": "canary_narrative"},
    "indicators": {"codes": [], "remarks": "canary_indicators"},
    "perpetrators": {"text": "canary_perpetrators"},
    "health": {"text": "canary_health"},
}
"""The content of each section, with a unique word."""


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case with all sections, which the lead may open."""
    sections = [{"section": one} | content for one, content in CONTENTS.items()]
    consent = make_consent(sections=list(CONTENTS))
    return lead.take_lead(officer.submit(sections=sections, consents=[consent]))


def open_part(who: Someone, path: str, part: str) -> int:
    return who.open(f"{path}/{part}").status_code


@pytest.mark.parametrize("section", SENSITIVE)
def test_old_session_cannot_open_a_sensitive_section(
    world: World, lead: Someone, case: Json, section: str
) -> None:
    session = sign_in(lead)
    world.advance(minutes=5)
    assert open_part(session, get_path(case), f"sections/{section}") == 200
    world.advance(seconds=1)
    refused = session.open(f"{get_path(case)}/sections/{section}")

    assert refused.status_code == 401
    assert refused.json()["type"] == "/problems/authentication-too-old"
    assert refused.headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.parametrize("section", OTHERS)
def test_old_session_can_open_other_sections(
    world: World, lead: Someone, case: Json, section: str
) -> None:
    session = sign_in(lead)
    world.advance(minutes=6)
    assert open_part(session, get_path(case), f"sections/{section}") == 200


def test_export_needs_a_recent_sign_in(world: World, lead: Someone, case: Json) -> None:
    session = sign_in(lead)
    assert open_part(session, get_path(case), "export/htcds") == 200
    world.advance(minutes=6)
    assert open_part(session, get_path(case), "export/htcds") == 401


def test_refusal_does_not_tell_whether_a_case_or_section_exists(
    world: World, lead: Someone, supervisor: Someone, case: Json
) -> None:
    sessions = [sign_in(lead), sign_in(supervisor), sign_in(world.add_person("IOM"))]
    world.advance(minutes=6)
    paths = (get_path(case), MISSING)
    parts = ("sections/identity", "sections/health", "export/htcds")
    answers = [one.open(f"{path}/{p}") for one in sessions for path in paths for p in parts]

    assert len(answers) == 18
    assert {one.status_code for one in answers} == {401}
    assert len({one.text.replace(one.json()["instance"], "") for one in answers}) == 1


def test_refusal_is_neither_logged_nor_counted(
    world: World, lead: Someone, case: Json
) -> None:
    session = sign_in(lead)
    world.advance(minutes=6)
    before = unwrap(lead.get(f"{get_path(case)}/access-log"))
    for _ in range(5):
        assert open_part(session, get_path(case), "sections/identity") == 401
    assert unwrap(lead.get(f"{get_path(case)}/access-log")) == before


def test_signing_in_again_opens_the_section_and_ends_the_old_session(
    world: World, lead: Someone, case: Json
) -> None:
    old = sign_in(lead)
    world.advance(minutes=6)
    path = f"{get_path(case)}/sections/identity"
    assert old.open(path).status_code == 401
    new = sign_in(lead, get_session(old)["id"])

    assert new.open(path).status_code == 200
    assert old.get("/me").status_code == 401


def test_use_of_a_session_does_not_make_its_sign_in_recent(
    world: World, lead: Someone, case: Json
) -> None:
    session = sign_in(lead)
    for _ in range(6):
        world.advance(minutes=1)
        unwrap(session.get("/me"))
    assert open_part(session, get_path(case), "sections/identity") == 401


def test_api_keys_are_not_affected(world: World, lead: Someone, case: Json) -> None:
    world.advance(days=30)
    assert open_part(lead, get_path(case), "sections/identity") == 200


def test_no_read_shows_a_sensitive_section_to_an_old_session(
    world: World, lead: Someone, case: Json
) -> None:
    """An old session reads no sensitive section, even with every value of `include`."""
    session = sign_in(lead)
    recent = collect_words(session, case)
    world.advance(minutes=6)
    old = collect_words(session, case)

    assert {f"canary_{section}" for section in Section} <= recent
    assert recent - old == {f"canary_{section}" for section in SENSITIVE}


def collect_words(who: Someone, case: Json) -> set[str]:
    """Return the unique words in the responses to all requests that read a case."""
    found = set[str]()
    for operation in ALL:
        if operation.method != "GET" or set(operation.path_names) - {"code", "section"}:
            continue
        for section in Section if "section" in operation.path_names else ("",):
            target = fill_path(operation.path, {"code": case["code"], "section": section})
            query = f"?{operation.includes}" if operation.includes else ""
            answer = who.open(f"{target.removeprefix('/v1')}{query}")
            found |= set(re.findall(r"canary_\w+", answer.text))
    return found
