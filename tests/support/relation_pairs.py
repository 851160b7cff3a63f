"""Cases in which one office has one or two relations, and the values that it can read.

The office is called the observer. An observer with two relations may read only what at
least one of the two allows. In two worlds that differ, an observer with a pair of relations
may therefore notice only the differences that an observer with one of them notices.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final, override

from app.cases import queries as case_queries
from app.kernel.actors import Relation, Role
from tests.databases.failpoints.sweeping import Ids
from tests.support.full_world import fill_path
from tests.support.operation_calls import ALL
from tests.support.raw_requests import Answer, Operation, Wire
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SUBMITTER, FORMER_LEAD = "submitter", "former_lead"
RECIPIENT, FORMER_RECIPIENT = "recipient", "former_recipient"
SUCCESSOR, EMERGENCY = "handover_candidate", "emergency_reader"
CONSULATE, DESK, OVERSIGHT = "consulate", "escalation_desk", "oversight"

RELATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "IOM": (SUBMITTER, FORMER_LEAD, RECIPIENT, FORMER_RECIPIENT, SUCCESSOR, EMERGENCY),
    "UZ_CONSULATE_ALMATY": (SUBMITTER, CONSULATE, FORMER_RECIPIENT, EMERGENCY),
    "UZ_LEAD": (SUBMITTER, FORMER_LEAD, SUCCESSOR),
    "DESK_CENTRAL_ASIA": (SUBMITTER, DESK),
    "OVERSIGHT_DEMO": (SUBMITTER, OVERSIGHT),
}
"""The relations that each kind of office can have to a case that another office leads."""

UNPAIRED: Final[Mapping[str, str]] = {
    "lead": "it acts itself, and writes the secrets that the others must not learn",
    "candidate": "nobody else writes anything while the case is not led",
    "desk": "nobody else writes anything while the case is not led",
}
"""Relations without a pair, because only an office that holds the case has them."""

SERVICE: Final = {"IOM": "SHELTER", "UZ_CONSULATE_ALMATY": "CONSULAR_DOCUMENT"}
"""The service of the referral to each observer."""
BEFORE: Final = {"IOM": "RETURN", "UZ_CONSULATE_ALMATY": "CONSULAR_DOCUMENT"}
"""The service of an earlier referral to the observer, which has ended."""
READERS: Final = WORKERS | {Role.PROTECTION_OFFICER, Role.SUPERVISOR}
SEALED: Final = ("open_contacts", "open_case_notes", "open_safeguards")
"""Operations whose access depends on the course of the case, and not only on sides.

For all other sealed documents, a table of sides decides, which is tested cell by cell.
"""
PUBLIC: Final = frozenset({"administration", "directory", "accounts", "reference"})
LISTS: Final = ("/v1/cases", "/v1/referrals", "/v1/handovers", "/v1/worklist", "/v1/events")


@dataclass(frozen=True)
class Pair:
    """An observer, and its one or two relations to a case."""

    office: str
    relations: tuple[str, ...]

    @override
    def __str__(self) -> str:
        return f"{self.office}: {' and '.join(self.relations)}"

    def split(self) -> Iterator["Pair"]:
        """Yield the single relations, each as a `Pair` with only this relation."""
        yield from (Pair(self.office, (one,)) for one in self.relations)


PAIRS: Final = tuple(
    Pair(office, chosen)
    for office, relations in RELATIONS.items()
    for number in (1, 2)
    for chosen in combinations(relations, number)
)


@dataclass
class Watched:
    """A watched case with its observer, and the record ids that the observer can name."""

    pair: Pair
    case: Json
    observer: Someone
    ids: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Ids of records of the case. A list item belongs to the case if it contains one."""
    others: dict[str, Json] = field(default_factory=dict)
    """Records of other offices: the referrals to two shelters."""


@dataclass
class Scene:
    """The cases with their observers, and the other people who work on the cases."""

    wire: Wire
    ids: Ids
    lead: Someone
    supervisor: Someone
    oversight: Someone
    watched: list[Watched] = field(default_factory=list)
    lists: dict[tuple[str, str], Answer] | None = None
    """The responses to lists by office and operation; None if the cases still change."""

    @property
    def world(self) -> World:
        return self.wire.world


def build_scene(wire: Wire, ids: Ids, pairs: Iterable[Pair] = PAIRS) -> Scene:
    """Build a scene with a case for each pair."""
    world = wire.world
    scene = Scene(
        wire,
        ids,
        world.add_person("KZ_LEAD"),
        world.add_person("KZ_LEAD", {Role.SUPERVISOR}),
        world.add_person("OVERSIGHT_DEMO", READERS),
    )
    for pair in pairs:
        ids.begin(pair)
        scene.watched.append(build_case(scene, pair))
    return scene


def build_case(scene: Scene, pair: Pair) -> Watched:
    """Submit a case, let KZ_LEAD lead it, and give the observer the pair's relations."""
    world, mine = scene.world, pair.relations
    observer = world.add_person(pair.office, READERS)
    submitter = observer if SUBMITTER in mine else world.add_person("SANA_SEZIM", READERS)
    leads = [make_consent(), *(make_consent(focal_point=one) for one in ("IOM", "UZ_LEAD"))]
    helps = [
        *(make_service_consent(kind) for kind in ("non_state", "intergovernmental")),
        make_consent(focal_point="UZ_CONSULATE_ALMATY", purposes=["CONSULAR_DOCUMENT"]),
        make_consent(focal_point="IOM", purposes=["RETURN"]),
        make_consent(focal_point="IOM", purposes=["SHELTER"]),
        *(make_handover_consent(one) for one in ("IOM", "UZ_LEAD", "KZ_LEAD")),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = submitter.submit(consents=[*leads, *helps], safeguards=guards)
    scene.lead.take_lead(case)
    watched = Watched(pair, case, observer)
    for one in mine:
        scene.ids.begin(f"{pair} {one}")
        world.advance(minutes=1)
        ENTER[one](scene, watched)
    name_records(watched)
    return watched


def name_records(watched: Watched) -> None:
    """Set the ids of the case and of the observer's own referrals and handovers.

    The first referral and the first handover are read by their ids. The ids of the others
    are only stored, to find their items in lists even if an item does not show the case.
    """
    code = watched.case["code"]
    watched.ids, watched.named = {"code": code}, {code}
    for word in ("referral", "handover"):
        listed = watched.observer.get(f"/{word}s", case=code)
        found = [one["id"] for one in listed.json()["items"]] if listed.is_success else []
        watched.ids |= {f"{word}_id": one for one in found[:1]}
        watched.named |= set(found)


# How an office gets a relation.


def leave_unchanged(_: Scene, __: Watched) -> None:
    """Do nothing, because the observer is already the submitter."""


def accept_referral(scene: Scene, watched: Watched) -> None:
    office = watched.pair.office
    terms = {"service": SERVICE[office], "sections": []}
    sent = unwrap(scene.lead.refer(watched.case, office, **terms))
    unwrap(watched.observer.does("acknowledge", sent))
    unwrap(watched.observer.does("accept", sent, make_acceptance()))


def decline_referral(scene: Scene, watched: Watched) -> None:
    """Let the observer decline a referral that names the section `needs`.

    Without that section, the service would refuse this referral to a consulate that already
    has an open referral for the same service (ADR 51).
    """
    office = watched.pair.office
    terms = {"service": BEFORE[office], "sections": ["needs"]}
    sent = unwrap(scene.lead.refer(watched.case, office, **terms))
    unwrap(watched.observer.does("decline", sent, {"reason": "NO_CAPACITY"}))


def offer_lead(scene: Scene, watched: Watched) -> None:
    unwrap(scene.lead.offer(watched.case, watched.pair.office))


def take_and_return_lead(scene: Scene, watched: Watched) -> None:
    """Hand the lead over to the observer and back."""
    case, observer, lead = watched.case, watched.observer, scene.lead
    for giver, taker in ((lead, observer), (observer, lead)):
        offer = unwrap(giver.offer(case, taker.code))
        unwrap(taker.does("accept", offer, make_takeover()))
        scene.world.advance(minutes=1)


def read_in_emergency(scene: Scene, watched: Watched) -> None:
    """Give the observer emergency access, and first a referral if it has none."""
    if RECIPIENT not in watched.pair.relations and CONSULATE not in watched.pair.relations:
        accept_referral(scene, watched)
    asking = {
        "reason": "RISK_TO_LIFE",
        "note": "She does not answer",
        "sections": ["contact"],
        "purpose": "protection",
    }
    path = f"{get_path(watched.case)}/emergency-access"
    access = unwrap(watched.observer.create(path, asking))
    unwrap(scene.oversight.send(f"{path}/{access['id']}/grant"))


def make_admission(relation: Relation) -> Callable[[Scene, Watched], None]:
    """Return a function that gives an office a relation without waiting for the worker."""

    def add_party(scene: Scene, watched: Watched) -> None:
        with scene.world.write_as_service() as tx:
            every = case_queries.list_unfinished(tx.session, [])
            [case] = [one for one in every if one.code == watched.case["code"]]
            if relation not in case.list_relations(watched.observer.id):
                case.add_party(watched.observer.id, relation, tx.now)

    return add_party


ENTER: Final[Mapping[str, Callable[[Scene, Watched], None]]] = {
    SUBMITTER: leave_unchanged,
    RECIPIENT: accept_referral,
    CONSULATE: accept_referral,
    FORMER_RECIPIENT: decline_referral,
    SUCCESSOR: offer_lead,
    FORMER_LEAD: take_and_return_lead,
    EMERGENCY: read_in_emergency,
    DESK: make_admission(Relation.ESCALATION_DESK),
    OVERSIGHT: make_admission(Relation.OVERSIGHT),
}

# Read requests of the observer.


def list_reads() -> list[Operation]:
    """Return each operation that reads a part of a case."""
    known = {"code", "referral_id", "handover_id"}
    return [
        one
        for one in ALL
        if one.method == "GET"
        and not PUBLIC & set(one.spec["tags"])
        and set(one.path_names) <= known
        and (one.path_names or one.path in LISTS)
        and (one.name in SEALED or "Purpose" not in one.list_parameters("header"))
    ]


READS: Final = list_reads()


def read_all(
    scene: Scene, watched: Watched, reads: Iterable[Operation] = READS
) -> dict[str, Any]:
    """Return every value that the observer can read, by operation and path."""
    found: dict[str, Any] = {}
    for one in reads:
        if set(one.path_names) <= watched.ids.keys():
            found |= get_values(one.name, read(scene, watched, one), watched)
    return found


def read(scene: Scene, watched: Watched, one: Operation) -> Answer:
    """Call a read operation. If the scene caches lists, each office reads a list once."""
    if scene.lists is not None and one.path in LISTS:
        key = (watched.observer.code, one.name)
        if key not in scene.lists:
            scene.lists[key] = send(scene, watched, one)
        return scene.lists[key]
    return send(scene, watched, one)


def send(scene: Scene, watched: Watched, one: Operation) -> Answer:
    """Send a read request as the observer, with every part that `include` can add."""
    target = fill_path(one.path, watched.ids)
    query = "&".join(filter(None, ["limit=200" if one.path in LISTS else "", one.includes]))
    said: dict[str, str | bytes] = {**watched.observer.make_headers()}
    if "Purpose" in one.list_parameters("header"):
        said["Purpose"] = "protection"
    return scene.wire.send("GET", f"{target}?{query}", said)


def get_values(name: str, answer: Answer, watched: Watched) -> dict[str, Any]:
    """Return the values of a response by their paths, without positions in lists."""
    found: dict[str, Any] = {f"{name} status": answer.status, f"{name} tag": answer["ETag"]}
    if answer.status != 200:
        return found | {f"{name} problem": answer.parse_json()["detail"]}
    body = answer.parse_json()
    if name.startswith("list_") and "items" in body:
        body = {"items": [one for one in body["items"] if is_about(one, watched.named)]}
        del found[f"{name} tag"]
    values: dict[str, list[Any]] = {}
    for path, value in list_values(body):
        values.setdefault(f"{name} {path}", []).append(value)
    return found | {at: sorted(some, key=repr) for at, some in values.items()}


def is_about(item: Json, named: set[str]) -> bool:
    """Return whether an item of a list contains one of these ids."""
    text = json.dumps(item)
    return any(name in text for name in named)


def list_values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the innermost values of a document with their paths."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from list_values(one, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for one in value:
            yield from list_values(one, f"{path}[]")
    else:
        yield path, value


def compare(one: dict[str, Any], other: dict[str, Any]) -> frozenset[str]:
    """Return the paths at which two worlds differ.

    An ETag is left out if another value of the same response differs too.
    """
    places = {at for at in one.keys() | other.keys() if one.get(at) != other.get(at)}
    answers = {at.rpartition(" ")[0] for at in places if not at.endswith(" tag")}
    return frozenset(
        at
        for at in places
        if not (at.endswith(" tag") and at.rpartition(" ")[0] in answers)
    )
