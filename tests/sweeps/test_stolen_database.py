"""A copy of the database without its keys reveals nothing about sealed documents.

Two worlds differ only in their sealed documents. Every column of every table is compared:
values that are not encrypted must be equal, and encrypted values must have equal lengths.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from fastapi import FastAPI

from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import Copy
from tests.support.raw_requests import open_wire
from tests.support.servers import report
from tests.support.stolen_copies import Rows, list_differences, read_copy
from tests.support.world import (
    NOTICE,
    SIGNS,
    Json,
    Someone,
    World,
    get_path,
    make_closure,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

pytestmark = pytest.mark.slow

FINGERPRINTS: Final = frozenset({"outcome.fingerprint", "approval.fingerprint"})
"""Keyed fingerprints of requests, which differ but reveal nothing without the key."""

PLAIN: Final[Json] = {
    "safeguards": {"country_of_origin": "UZ"},
    "names": ["Ли"],
    "birth_date": None,
    "documents": [],
    "text": "Рассказ",
    "place": "Rayymbek 1",
    "remarks": "No",
    "note": "Yes",
}
"""Safeguards and texts of a person who fears no office, as short as possible."""

SECRETS: Final[Mapping[str, Json]] = {
    "the country of origin": {"safeguards": {"country_of_origin": "TJ"}},
    "that asylum is sought": {
        "safeguards": {"country_of_origin": "UZ", "seeks_asylum": True}
    },
    "that the State is feared": {
        "safeguards": {"country_of_origin": "UZ", "fear_of_state": True}
    },
    "that an official is implicated": {
        "safeguards": {
            "country_of_origin": "UZ",
            "official_implicated": True,
            "unsafe_people": "Ее дядя, который служит в министерстве",
        }
    },
    "which offices are feared": {
        "safeguards": {
            "country_of_origin": "UZ",
            "unsafe_focal_points": ["SANA_SEZIM", "KZ_SHELTER_TANSHOLPAN"],
        }
    },
    "names": {
        "names": ["Ойгул Ғаниева", "María José Núñez Peña", "فاطمة بنت محمد الفهري"],
        "birth_date": "2001-02-03",
        "documents": ["AA 1234567", "Паспорт 12 34 567890"],
    },
    "a narrative": {"text": "Ей обещали работу в гостинице. " * 12},
    "a meeting": {"place": "Улица Абая 150, вход со двора, третий этаж, спросить Гульнар"},
    "remarks of a screening": {"remarks": "Паспорт у нее забрали в первый же день."},
    "a note": {"note": "She said it in a whisper, and asked not to be called at night."},
}


type Stage = tuple[World, Ids, Copies, dict[str, Someone]]
PEOPLE: Final = {
    "officer": "IOM",
    "lead": "KZ_LEAD",
    "shelter": "KZ_SHELTER_KOGERSHIN",
}


@pytest.fixture(scope="module")
def stage(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Yield a world with accounts but no case, and the copies from which it is restored."""
    ids, folder = Ids(), tmp_path_factory.mktemp("stolen")
    with copy() as url, open_wire(url, app, ids) as wire:
        ids.begin("built")
        people = {name: wire.world.add_person(office) for name, office in PEOPLE.items()}
        with copies_of(wire.world.database.engine, folder) as copies:
            copies.keep("built")
            yield wire.world, ids, copies, people


def build_sections(said: Json) -> list[Json]:
    identity = {"section": "identity", "names": said["names"]}
    if said["birth_date"]:
        identity |= {"birth_date": said["birth_date"], "documents": said["documents"]}
    return [
        {"section": "needs", "summary": said["text"], "safety_alert": said["note"]},
        {"section": "contact", "alias": said["names"][0], "safe_channel": said["note"]},
        identity,
        {"section": "narrative", "text": said["text"]},
        {"section": "health", "text": said["text"]},
    ]


def save_drafts(officer: Someone, code: str, said: Json) -> None:
    """Save form drafts and unsent forms with these texts, with and without a case."""
    texts = (*said["names"], said["place"], said["note"])
    values = [{"name": "text", "value": text} for text in texts]
    for about in ({}, {"case": code}):
        body = {"values": values}
        unwrap(officer.ask("PUT", "/form-drafts/refer", body, params=about))
    for about in ({"content": said["note"]}, {"record": f"cases/{code}"}):
        content = {"content": said["place"]}
        unwrap(officer.ask("POST", "/unsent-forms", content | about))


def play_case(people: dict[str, Someone], said: Json) -> None:
    """Submit a case with these texts, and play it until the shelter opens the needs."""
    officer, lead, shelter = people["officer"], people["lead"], people["shelter"]
    body = {
        "summary": NOTICE,
        "sections": build_sections(said),
        "safeguards": said["safeguards"],
        "consents": [make_consent(evidence=said["note"]), make_service_consent()],
        "risk": {"level": "medium", "remarks": said["note"]},
        "submit": True,
    }
    case = unwrap(officer.create("/cases", body, "case"))
    save_drafts(officer, case["code"], said)
    unwrap(lead.does("acknowledge", case))
    unwrap(
        lead.does("accept-lead", case, {"contacts": make_contacts(said["names"][0], "B")})
    )
    closing = lead.does("close", case, make_closure(note=said["note"]))
    assert closing.status_code == 202
    unwrap(lead.screen(case, "screening", **SIGNS, remarks=said["remarks"]))
    match = {"if_match": lead.get_tag(case)}
    path = f"{get_path(case)}/sections/narrative"
    new = {"section": "narrative", "text": said["text"]}
    unwrap(lead.ask("PUT", path, new, headers=match))
    request = {"recipient": "KZ_SHELTER_KOGERSHIN", "service": "SHELTER", "send": True}
    referral = unwrap(
        lead.create(
            f"{get_path(case)}/referrals",
            request | {"sections": ["needs"]},
            "referral",
        )
    )
    unwrap(shelter.does("acknowledge", referral))
    meeting = {"at": "2026-06-02T09:00:00+05:00", "person": said["names"][0]}
    arrangement = {
        "meeting": meeting | {"place": said["place"]},
        "contacts": make_contacts(),
    }
    unwrap(shelter.does("accept", referral, arrangement))
    unwrap(shelter.open(f"{get_path(case)}/sections/needs"))


def make_copy(stage: Stage, said: Json) -> Rows:
    """Run a case with these texts in a restored world, and return the copied database."""
    world, ids, copies, people = stage
    copies.back("built")
    ids.begin("acts")
    play_case(people, PLAIN | said)
    return read_copy(world, without=FINGERPRINTS)


@pytest.fixture(scope="module")
def plain(stage: Stage) -> Rows:
    """Return the database of a case with the texts of `PLAIN`, for comparisons."""
    return make_copy(stage, {})


@pytest.mark.parametrize("secret", SECRETS)
def test_a_copy_without_keys_is_the_same_whatever_the_secret_is(
    stage: Stage, plain: Rows, secret: str
) -> None:
    other = make_copy(stage, SECRETS[secret])

    values = sum(len(row) for rows in plain.values() for row in rows)
    report(secret, [f"{values} values compared"])
    assert list_differences(plain, other) == []
    assert len(plain["sealed"]) == len(plain["document_key"]) > 10
    assert len(plain["approval"]) == 1
    assert len(plain["form_draft"]) == 4


def test_a_copy_tells_the_length_of_a_long_text(stage: Stage, plain: Rows) -> None:
    """A much longer text changes the lengths of sealed documents, and nothing else."""
    longer = make_copy(stage, {"text": "Ей обещали работу. " * 80})

    found = list_differences(plain, longer)

    assert found
    assert {one.split(":")[0] for one in found} == {"sealed.sealed"}
