"""Attacks on the rows of a case, by an attacker who can write to the database (ADR 81)."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select
from structlog.testing import capture_logs

from app.cases.case_protection import has_unprotected, protect_case_again, protect_cases
from app.cases.models import Case, DocumentKey, Party, Sealed
from app.cases.records import EmergencyAccess, Fact
from app.cases.sections import Paper, Section
from app.consents import queries as consent_queries
from app.consents.models import Consent
from app.handovers.models import Handover
from app.kernel.actors import SERVICE, Relation
from app.kernel.macs import NotAuthentic
from app.referrals.models import Referral
from tests.support.database_attacks import Attacker, Row
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

OPENED: Final = {200, 201}
REFUSED: Final = {401, 403, 404, 500}


@dataclass
class Scene:
    """A case with a lead, an attacker on its rows, and a shelter that is not a party."""

    world: World
    attacker: Attacker
    officer: Someone
    lead: Someone
    shelter: Someone
    case: Json

    @property
    def case_id(self) -> UUID:
        """The id of the case."""
        found: UUID = self.attacker.find(Case, code=self.case["code"])["id"]
        return found

    def find(self, model: Any, **values: Any) -> Row:
        """Return the only row of the case with these values."""
        return self.attacker.find(model, case_id=self.case_id, **values)

    def add(self, model: Any, row: Row, **changes: Any) -> None:
        """Insert a changed copy of a row."""
        copy = {name: value for name, value in row.items() if name != "number"}
        self.attacker.insert(model, copy | changes)

    def open(self, who: Someone, section: str) -> Response:
        """Open a section of the case."""
        path = f"{get_path(self.case)}/sections/{section}"
        return who.open(path, "protection")


@pytest.fixture
def scene(world: World, officer: Someone, lead: Someone, shelter: Someone) -> Scene:
    """Return a case whose lead may read `needs` only."""
    consents = [make_consent(sections=["needs"]), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=consents))
    return Scene(world, Attacker(world), officer, lead, shelter, case)


def forge_consent(scene: Scene) -> None:
    """Forge a consent that lets the lead read everything."""
    [first, *_] = list_rows(scene, Consent)
    sections = sorted(Section)
    scene.add(Consent, first, id=uuid4(), sections=sections, purposes=["REFER"])


def list_rows(scene: Scene, model: Any) -> list[Row]:
    """Return all rows of a model that belong to the case, sorted by time."""
    with scene.world.database.begin_read(SERVICE) as session:
        of_case = select(*model.__table__.columns).where(model.case_id == scene.case_id)
        rows = [dict(row) for row in session.connection().execute(of_case).mappings()]
    return sorted(rows, key=lambda row: str(row.get("recorded_at", row.get("since"))))


def forge_party(scene: Scene) -> None:
    """Make the shelter a lead of the case."""
    party = scene.find(Party, relation=Relation.LEAD)
    scene.add(Party, party, focal_point_id=scene.shelter.id)


def forge_author(scene: Scene) -> None:
    """Make the lead the author of the identity."""
    document = scene.find(Sealed, kind=Section.IDENTITY)
    scene.attacker.update(Sealed, document["id"], author=scene.lead.id)


def forge_emergency_access(scene: Scene) -> None:
    """Grant the lead an emergency access that nobody asked for."""
    now = scene.world.now
    scene.attacker.insert(
        EmergencyAccess,
        {
            "id": uuid4(),
            "case_id": scene.case_id,
            "reason": "RISK_TO_LIFE",
            "purpose": "protection",
            "sections": ["identity"],
            "asked_by": scene.lead.id,
            "account_id": scene.lead.actor.account_id,
            "asked_at": now,
            "holds_until": now + timedelta(hours=4),
            "decided_by": scene.officer.id,
            "decided_account": scene.officer.actor.account_id,
            "decided_at": now,
            "granted": True,
        },
    )


def move_consent(scene: Scene) -> None:
    """Move a consent of another case to this one."""
    other = scene.officer.submit(consents=[make_consent(sections=sorted(Section))])
    of_other = scene.attacker.find(Case, code=other["code"])["id"]
    consent = scene.attacker.find(Consent, case_id=of_other)
    scene.attacker.update(Consent, consent["id"], case_id=scene.case_id)


def widen_consent(scene: Scene) -> None:
    """Add a section to the consent that the person gave."""
    [first, *_] = list_rows(scene, Consent)
    sections = ["identity", "needs"]
    scene.attacker.update(Consent, first["id"], sections=sections)


type Forge = Callable[[Scene], None]
BY_LEAD: Final[tuple[Forge, ...]] = (
    forge_consent,
    forge_author,
    forge_emergency_access,
    move_consent,
    widen_consent,
)


@pytest.fixture
def unprotected(scene: Scene) -> Iterator[Scene]:
    """Yield the case without a MAC, while the service accepts cases without a MAC."""
    macs = scene.world.runtime.row_macs
    refuses, macs.accepts_missing = macs.accepts_missing, lambda: True
    strip_mac(scene)
    yield scene
    macs.accepts_missing = refuses


def strip_mac(scene: Scene) -> None:
    """Remove the MAC of the case."""
    number = scene.attacker.find(Case, code=scene.case["code"])["number"]
    scene.attacker.update(Case, number, mac=None)


@pytest.mark.parametrize("forge", BY_LEAD)
def test_attack_worked_before(unprotected: Scene, forge: Forge) -> None:
    scene = unprotected
    assert scene.open(scene.lead, "identity").status_code == 404
    forge(scene)
    assert scene.open(scene.lead, "identity").status_code == 200


@pytest.mark.parametrize("forge", BY_LEAD)
def test_forged_row_opens_no_section(scene: Scene, forge: Forge) -> None:
    forge(scene)
    with capture_logs() as logs:
        answer = scene.open(scene.lead, "identity")
    assert answer.status_code in REFUSED
    assert "Synthetic" not in answer.text
    assert "row.forged" in {line["event"] for line in logs}


def test_forged_party_worked_before(unprotected: Scene) -> None:
    assert unprotected.shelter.get(get_path(unprotected.case)).status_code == 404
    forge_party(unprotected)
    assert unprotected.shelter.get(get_path(unprotected.case)).status_code == 200


def test_forged_party_reads_nothing(scene: Scene) -> None:
    forge_party(scene)
    assert scene.shelter.get(get_path(scene.case)).status_code in REFUSED
    assert unwrap(scene.shelter.get("/cases"))["items"] == []
    assert scene.open(scene.shelter, "needs").status_code in REFUSED


def test_withdrawn_consent_is_not_restored(scene: Scene) -> None:
    [first, *_] = list_rows(scene, Consent)
    assert scene.open(scene.lead, "needs").status_code == 200
    path = f"{get_path(scene.case)}/consents/{first['id']}/withdraw"
    unwrap(scene.lead.send(path))
    refused = scene.open(scene.lead, "needs").status_code

    scene.attacker.update(Consent, first["id"], **first)
    assert refused == 404
    assert scene.open(scene.lead, "needs").status_code in REFUSED


def test_declined_referral_is_not_accepted(scene: Scene) -> None:
    sent = unwrap(scene.lead.refer(scene.case, scene.shelter.code))
    before = scene.find(Referral)
    rows = list_rows(scene, Party)
    unwrap(scene.shelter.does("decline", sent, {"reason": "NO_CAPACITY"}))

    scene.attacker.update(Referral, before["number"], **before | {"state": "accepted"})
    for row in rows:
        scene.attacker.update(Party, row["number"], **row)
    assert scene.open(scene.shelter, "contact").status_code in REFUSED


def test_deleted_fears_make_no_office_safe(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [shelter.code]}
    consents = [make_consent(), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=consents, safeguards=guards))
    scene = Scene(world, Attacker(world), officer, lead, shelter, case)
    assert lead.refer(case, shelter.code).status_code == 409
    document = scene.find(Sealed, kind=Paper.SAFEGUARDS)

    scene.attacker.delete(Sealed, document["id"])
    assert lead.refer(case, shelter.code).status_code in REFUSED
    scene.attacker.insert(Sealed, document)
    assert lead.refer(case, shelter.code).status_code == 409


def test_earlier_fears_are_not_restored(scene: Scene) -> None:
    """A referral is refused even if an attacker restores earlier safeguards and a key."""
    path = f"{get_path(scene.case)}/safeguards"

    def write(**guards: Any) -> None:
        match = {"If-Match": scene.lead.get_tag(scene.case)}
        unwrap(scene.lead.ask("PUT", path, guards, headers=match))

    write(country_of_origin="UZ")
    document = scene.find(Sealed, kind=Paper.SAFEGUARDS)
    key = scene.attacker.read(DocumentKey, document["id"])
    write(country_of_origin="UZ", unsafe_focal_points=[scene.shelter.code])
    assert scene.lead.refer(scene.case, scene.shelter.code).status_code == 409

    scene.attacker.update(Sealed, document["id"], sealed=document["sealed"])
    scene.attacker.update(DocumentKey, document["id"], wrapped=key["wrapped"])
    assert scene.lead.refer(scene.case, scene.shelter.code).status_code in REFUSED


def test_order_of_facts_cannot_be_changed(scene: Scene) -> None:
    """A case is refused if the number that decides which fact applies was changed."""
    path = f"{get_path(scene.case)}/facts"
    for value in ("needed", "not_needed"):
        unwrap(scene.lead.create(path, {"name": "guardian", "value": value}))
    first, last = sorted(list_rows(scene, Fact), key=itemgetter("number"))

    scene.attacker.update(Fact, first["number"], number=last["number"] + 100)
    assert scene.lead.get(get_path(scene.case)).status_code in REFUSED


def test_hidden_handover_does_not_outlive_its_consent(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    """A consent cannot be withdrawn while an attacker hides the offer that relies on it."""
    taker = world.add_person("UZ_LEAD")
    consents = [
        make_consent(),
        make_service_consent(),
        make_handover_consent(taker.code),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = lead.take_lead(officer.submit(consents=consents, safeguards=guards))
    scene = Scene(world, Attacker(world), officer, lead, shelter, case)
    unwrap(lead.offer(case, taker.code))
    offer = scene.find(Handover)
    [consent] = [one for one in list_rows(scene, Consent) if "HANDOVER" in one["purposes"]]

    scene.attacker.update(Handover, offer["number"], state="declined")
    withdrawn = lead.send(f"{get_path(case)}/consents/{consent['id']}/withdraw")
    assert withdrawn.status_code in REFUSED
    scene.attacker.update(Handover, offer["number"], state="offered")
    unwrap(lead.send(f"{get_path(case)}/consents/{consent['id']}/withdraw"))
    assert taker.get(get_path(case)).status_code == 404


def test_next_action_does_not_accept_a_forged_row(scene: Scene) -> None:
    forge_consent(scene)
    pause = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
    assert scene.lead.does("suspend", scene.case, pause).status_code in REFUSED
    assert scene.lead.get(get_path(scene.case)).status_code in REFUSED


def test_lists_leave_a_forged_case_out(scene: Scene) -> None:
    consents = [make_consent(), make_service_consent()]
    other = scene.lead.take_lead(scene.officer.submit(consents=consents))
    for case in (scene.case, other):
        unwrap(scene.lead.refer(case, scene.shelter.code))
    forge_consent(scene)

    for who, path in ((scene.lead, "/cases"), (scene.lead, "/referrals")):
        items = unwrap(who.get(path))["items"]
        codes = [one["case"] if path == "/referrals" else one["code"] for one in items]
        assert codes == [other["code"]], path


def test_swallowed_alarm_is_raised_before_the_commit(scene: Scene) -> None:
    def swallow() -> None:
        with scene.world.write_as_service() as tx, suppress(NotAuthentic):
            consent_queries.list_for_case(tx, scene.case_id)

    swallow()
    forge_consent(scene)
    with pytest.raises(NotAuthentic):
        swallow()


def test_removed_mac_opens_nothing(scene: Scene) -> None:
    strip_mac(scene)
    assert scene.lead.get(get_path(scene.case)).status_code in REFUSED


def test_exchanged_macs_open_nothing(scene: Scene) -> None:
    codes = (scene.case["code"], scene.officer.submit()["code"])
    one, other = (scene.attacker.find(Case, code=code) for code in codes)
    scene.attacker.update(Case, one["number"], mac=other["mac"])
    assert scene.lead.get(get_path(scene.case)).status_code in REFUSED


def test_forged_case_does_not_stop_the_worker(scene: Scene) -> None:
    other = scene.lead.take_lead(scene.officer.submit())
    forge_consent(scene)
    scene.world.advance(days=40)
    with capture_logs() as logs:
        scene.world.run_worker()
    assert "row.forged" in {line["event"] for line in logs}
    seen = [one["subject"] for one in scene.lead.list_all("/events")]
    assert seen.count(f"cases/{other['code']}") > seen.count(f"cases/{scene.case['code']}")


def test_whole_case_rolled_back_is_not_noticed(scene: Scene) -> None:
    """An attacker can restore all rows of a case, a limit that docs/assurance.md names."""
    before = scene.attacker.find(Case, code=scene.case["code"])
    [first, *_] = list_rows(scene, Consent)
    path = f"{get_path(scene.case)}/consents/{first['id']}/withdraw"
    unwrap(scene.lead.send(path))

    scene.attacker.update(Consent, first["id"], **first)
    scene.attacker.update(Case, before["number"], **before)
    assert scene.open(scene.lead, "needs").status_code == 200


def test_operator_protects_a_case_again(scene: Scene) -> None:
    forge_consent(scene)
    protect_case_again(scene.world.runtime, scene.case_id)
    assert scene.lead.get(get_path(scene.case)).status_code == 200


def test_cases_of_an_earlier_version_are_protected_once(unprotected: Scene) -> None:
    runtime = unprotected.world.runtime
    with runtime.database.begin_read(SERVICE) as session:
        assert has_unprotected(session)
    assert [*protect_cases(runtime)] == [(1, 1)]
    assert [*protect_cases(runtime)] == []
    runtime.row_macs.accepts_missing = lambda: False
    assert unprotected.open(unprotected.lead, "needs").status_code == 200

    forge_consent(unprotected)
    assert unprotected.open(unprotected.lead, "identity").status_code in REFUSED


def test_forged_access_blocks_no_other_case(scene: Scene) -> None:
    other = scene.lead.take_lead(scene.officer.submit())
    forge_emergency_access(scene)
    assert scene.lead.get(get_path(scene.case)).status_code == 500
    assert scene.lead.get(get_path(other)).status_code == 200
    opened = scene.lead.open(f"{get_path(other)}/sections/needs")
    assert opened.status_code == 200
    told = scene.lead.does("close", other, {"reason": "GOALS_MET", "person_informed": True})
    assert told.status_code < 500
