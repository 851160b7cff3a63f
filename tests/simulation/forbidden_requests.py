"""Requests that an office may not make, and that must not change or reveal anything."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.simulation.world import CANARY, Person, Scene
from tests.support.case_actions import list_steps
from tests.support.world import Json, Someone

SECTIONS: Final = ("needs", "contact", "identity", "narrative", "health")
OVER: Final = ("void", "closed", "erased")
REFUSED: Final = frozenset({400, 401, 403, 404, 409, 412, 422, 428})
STANDING: Final = """
    SELECT DISTINCT p.relation FROM party p
    JOIN "case" c ON c.id = p.case_id JOIN focal_point f ON f.id = p.focal_point_id
    WHERE c.code = ? AND f.code = ? AND p.until IS NULL
    AND p.relation NOT IN ('recipient', 'former_recipient', 'former_lead')
    UNION SELECT 'recipient' FROM referral r JOIN "case" c ON c.id = r.case_id
    JOIN focal_point f ON f.id = r.recipient_id WHERE c.code = ? AND f.code = ?
    AND r.state IN ('sent', 'received', 'info_requested', 'accepted', 'in_progress',
    'on_hold', 'completed')
"""
"""A query for an office's current relations to a case, including that of a recipient."""
READERS: Final = frozenset({"candidate", "lead", "recipient", "handover_candidate"})
"""Relations with which an office can read a section that a consent covers."""


def send_forbidden(scene: Scene, who: Someone, remembers: Mapping[str, Json]) -> None:
    """Send one random forbidden request on behalf of an office, and check the result."""
    tricks: list[Callable[[], None]] = [
        lambda: send_old_version(scene, who, remembers),
        lambda: send_wrong_code(scene, who, remembers),
        lambda: send_to_other_case(scene, who),
        lambda: open_any_section(scene, who),
        lambda: send_forged_cursor(scene, who),
    ]
    scene.tally.counts["lies"] += 1
    scene.chance.choice(tricks)()


def require_refusal(
    scene: Scene, who: Someone, path: str, body: Json, **headers: str
) -> None:
    """Send a forbidden request, and check that it is refused and records no event."""
    before = scene.count_entries()
    answer = scene.send(who, "POST", path, body=body, headers=headers)
    said = answer is not None and answer.status_code
    scene.require(said in REFUSED, f"{who.code} {path}: {said} to a forbidden request")
    scene.require(
        scene.count_entries() == before,
        f"{who.code} {path}: a forbidden request had an effect",
    )


def send_old_version(scene: Scene, who: Someone, remembers: Mapping[str, Json]) -> None:
    old = [(at, one) for at, one in remembers.items() if (one.get("version") or 0) > 1]
    if not old:
        return
    subject, record = scene.chance.choice(old)
    steps = [one["action"] for one in list_steps(record)]
    path = f"/{subject}/{scene.chance.choice(steps or ['acknowledge']).replace('_', '-')}"
    if path.endswith("stop"):
        return  # a stop needs no version
    version = record["version"] - 1
    body = {"reason": "NO_CAPACITY"}
    require_refusal(scene, who, path, body, If_Match=f'"{version}.{"0" * 16}"')


def send_wrong_code(scene: Scene, who: Someone, remembers: Mapping[str, Json]) -> None:
    if not remembers:
        return
    subject, record = scene.chance.choice(list(remembers.items()))
    path = f"/{subject}/{'decline-lead' if 'code' in record else 'decline'}"
    tag = f'"{record.get("version") or 1}.{"0" * 16}"'
    require_refusal(scene, who, path, {"reason": f"{CANARY}because"}, If_Match=tag)


def send_to_other_case(scene: Scene, who: Someone) -> None:
    persons = scene.persons.values()
    others = [one for one in persons if not get_relations(scene, one.code, who.code)]
    if not others:
        return
    path = f"/cases/{scene.chance.choice(others).code}"
    step = scene.chance.choice(["acknowledge", "stop", "accept-lead", "referrals"])
    bodies: dict[str, Json] = {
        "stop": {"reason": "SURVIVOR_REQUEST"},
        "accept-lead": {"contacts": [{"name": n, "phone": "+77010000001"} for n in "ab"]},
        "referrals": {"recipient": who.code, "service": "SHELTER", "sections": []},
    }
    tag, key = f'"3.{"0" * 16}"', str(scene.ids())
    require_refusal(
        scene,
        who,
        f"{path}/{step}",
        bodies.get(step, {}),
        If_Match=tag,
        Idempotency_Key=key,
    )
    require_no_access(scene, who, path.rpartition("/")[2])


def send_forged_cursor(scene: Scene, who: Someone) -> None:
    forged = scene.chance.choice(["5afec0de.999999", "00000000.1", "x", "5afec0de.-1"])
    answer = scene.send(who, "GET", "/events", params={"after": forged})
    said = answer is not None and answer.status_code
    scene.require(said in {410, 422}, f"{who.code}: {said} to a forged cursor")


def get_relations(scene: Scene, code: str, office: str) -> frozenset[str]:
    return frozenset(
        one for (one,) in scene.fetch_rows(STANDING, code, office, code, office)
    )


def require_no_access(scene: Scene, who: Someone, code: str) -> None:
    """Check that an office cannot see a case to which it has no relation."""
    if not get_relations(scene, code, who.code):
        answer = scene.send(who, "GET", f"/cases/{code}")
        is_out = answer is not None and answer.status_code == 404
        scene.require(is_out, f"{who.code} sees {code}, but its part has ended")


def open_any_section(scene: Scene, who: Someone, person: Person | None = None) -> None:
    """Request a random section, and check the response.

    A success must be allowed, and a refusal must contain no sealed text. If `person` is
    None, the case is random.
    """
    persons = list(scene.persons.values())
    if person is None and not persons:
        return
    chosen = person or scene.chance.choice(persons)
    section = scene.chance.choice(SECTIONS)
    path = f"/cases/{chosen.code}/sections/{section}"
    answer = scene.send(who, "GET", path, headers={"Purpose": "assistance"})
    if answer is None:
        return
    scene.require(
        answer.is_success or CANARY not in answer.text,
        f"{path}: a refusal with sealed text",
    )
    if answer.is_success:
        scene.tally.counts["opened"] += 1
        why = may_not_read(scene, chosen, who.code, section)
        scene.require(not why, f"{who.code} reads {path}: {why}")


def may_not_read(scene: Scene, person: Person, office: str, section: str) -> str:
    """Return why an office may not read a section, or an empty string if it may."""
    [(state,)] = scene.fetch_rows('SELECT state FROM "case" WHERE code = ?', person.code)
    mine = get_relations(scene, person.code, office)
    if state in OVER:
        return f"the case is {state}"
    if "submitter" in mine:
        return ""
    if not mine & READERS:
        return f"it is only {sorted(mine)}"
    return "" if person.can_read(office, section) else "without a consent"
