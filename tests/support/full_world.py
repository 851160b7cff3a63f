"""A world with one or more records of each kind, and the ids that each person can see.

The ids are read from the lists of the API, so that a new route is tested with real ids:
the items of `/v1/x` provide the ids of `/v1/x/{x_id}/...`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product
from typing import Final

from app.figures.weeks import Quarter
from app.kernel.actors import Role
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    OFFICE,
    read_approval,
    replace_row,
)
from tests.support.figure_releases import (
    release_quarter,
    store_quarter,
    write_point,
)
from tests.support.machine_keys import register_machine
from tests.support.passkeys import add_passkey, begin_enrolment
from tests.support.raw_requests import (
    KEYED,
    Headers,
    Operation,
    Wire,
    list_operations,
    resolve_reference,
)
from tests.support.returns import begin_return
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    WORKERS,
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

NOWHERE: Final = "00000000-0000-4000-8000-000000000000"
ENOUGH: Final = 8
"""Maximum number of items of one list that are used."""
MANY: Final = 64
"""Maximum number of combinations of ids that no list shows together."""

type Ids = dict[str, str]


@dataclass
class Stage:
    """The people of a world, and the ids that each of them can see."""

    cast: dict[str, Someone]
    visible_ids: list[list[Ids]]
    """The ids that each person can see, in groups such as a case and its consent."""
    callers: dict[str, list[tuple[Someone, Ids]]] = field(default_factory=dict)

    @property
    def people(self) -> list[Someone]:
        return list(self.cast.values())

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        """All ids that any of the people can see, by the name of the path parameter."""
        return collect_ids([one for seen in self.visible_ids for one in seen])

    def list_callers(self, operation: Operation) -> list[tuple[Someone, Ids]]:
        """Return the people who can call the operation, each with ids that they can see."""
        if operation.path not in self.callers:
            self.callers[operation.path] = [
                (one, ids)
                for one, seen in zip(self.people, self.visible_ids, strict=True)
                for ids in match_ids(operation.path_names, seen)
            ]
        return self.callers[operation.path]


def fill_path(path: str, ids: Ids) -> str:
    """Return the path with its parameters replaced by ids."""
    return KEYED.sub(lambda match: ids[match[1]], path)


def collect_ids(sights: list[Ids]) -> dict[str, list[str]]:
    """Return the ids by the name of their path parameter, each id only once."""
    found: dict[str, dict[str, None]] = {}
    for ids in sights:
        for name, value in ids.items():
            found.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in found.items()}


def match_ids(names: list[str], seen: list[Ids]) -> list[Ids]:
    """Return the groups of ids that have exactly these names.

    If there is no such group, return combinations of single ids with these names.
    """
    whole = [ids for ids in seen if ids.keys() == set(names)]
    alone = collect_ids([ids for ids in seen if len(ids) == 1])
    choices = islice(product(*(alone.get(name, []) for name in names)), MANY)
    return whole or [dict(zip(names, some, strict=True)) for some in choices]


def set_up(wire: Wire) -> Stage:
    """Build the world, and return its people and the ids that they can see.

    The ids of these people's own accounts are left out.
    """
    people = create_people(wire.world)
    create_records(people)
    wire.world.run_worker()
    operations = list_operations(wire.world.app.openapi())
    own = {str(one.actor.account_id) for one in people.values()}
    seen = [find_ids(wire, one, operations) for one in people.values()]
    others = [[ids for ids in some if not own & {*ids.values()}] for some in seen]
    return Stage(people, others)


def create_people(world: World) -> dict[str, Someone]:
    """Create an account for each role in a case, and return the people by their roles."""
    return {
        "officer": world.add_person("UZ_CONSULATE_ALMATY"),
        "lead": world.add_person("KZ_LEAD"),
        "supervisor": world.add_person("KZ_LEAD", {Role.SUPERVISOR}),
        "shelter": world.add_person("KZ_SHELTER_KOGERSHIN"),
        "taker": world.add_person("UZ_LEAD"),
        "oversight": world.add_person(
            "OVERSIGHT_DEMO", WORKERS | {Role.PROTECTION_OFFICER}
        ),
        "administrator": world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR),
        "second": world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR),
    }


def create_records(people: dict[str, Someone]) -> None:
    """Create records of every kind, with cases, referrals and returns in many states."""
    officer, lead, shelter = people["officer"], people["lead"], people["shelter"]
    unwrap(officer.create_case())
    officer.submit()
    create_shared_case(people)
    ending = lead.take_lead(officer.submit())
    unwrap(lead.does("close", ending, make_closure()))
    closed = lead.take_lead(officer.submit())
    unwrap(lead.does_with(people["supervisor"], "close", closed, make_closure()))
    paused = lead.take_lead(officer.submit())
    pause = {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"}
    unwrap(lead.does("suspend", paused, pause))
    sent = unwrap(lead.refer(lead.take_lead(officer.submit()), shelter.code))
    unwrap(shelter.does("acknowledge", sent))
    unsure = unwrap(lead.refer(lead.take_lead(officer.submit()), shelter.code))
    asked_for = {"topics": ["contact"], "question": "Whom may we call at night?"}
    unwrap(shelter.does("ask", unsure, asked_for))
    for upto in ("inform", "plan"):
        home = begin_return(officer.world, officer, lead)
        home.advance(upto)
        people.setdefault("home", home.home)
    for office in ("KZ_LEAD", people["administrator"].code):
        officer.world.add_person(office, {Role.CASEWORKER})
        register_machine(officer.world, office, of=office)
    read_approval(
        replace_row(people["administrator"], f"/focal-points/{NEWCOMER}", ACTIVE, **NEW)
    )
    for office in ("KZ_LEAD", people["administrator"].code):
        create_webhook(officer.world, office)
    add_passkey(lead)
    newcomer = officer.world.add_person("KZ_LEAD")
    unwrap(begin_enrolment(people["supervisor"], newcomer))
    release_quarter(officer.world, Quarter(2025, 4))
    write_point(officer.world)
    store_quarter(officer.world)


NEWCOMER: Final = "KZ_NEW_SHELTER"
ACTIVE: Final = OFFICE | {"active": True}


READING: Final[Json] = {
    "reason": "RISK_TO_LIFE",
    "note": "She does not answer",
    "sections": ["contact"],
    "purpose": "protection",
}


def create_shared_case(people: dict[str, Someone]) -> Json:
    """Create a case with records of most kinds, such as questions and a handover offer."""
    officer, lead, shelter = people["officer"], people["lead"], people["shelter"]
    consents = [
        make_consent(),
        make_service_consent(),
        make_handover_consent(people["taker"].code),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    feared = guards | {"unsafe_people": "A man who says he is her uncle"}
    led = lead.take_lead(officer.submit(consents=consents, safeguards=feared))
    match = {"If-Match": lead.get_tag(led)}
    unwrap(lead.ask("PUT", f"{get_path(led)}/safeguards", guards, headers=match))
    housed = unwrap(lead.refer(led, shelter.code))
    unwrap(shelter.does("acknowledge", housed))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    unwrap(lead.refer(led, "KZ_LEGAL_AID", service="LEGAL_AID", send=False))
    question = {"topics": ["needs"], "question": "Which languages?"}
    for _ in range(2):
        unwrap(lead.create(f"/cases/{led['code']}/questions", question))
    unwrap(lead.screen(led))
    unwrap(lead.offer(led, people["taker"].code))
    unwrap(shelter.create(f"/cases/{led['code']}/emergency-access", READING))
    return led


# Ids that a person can see.


def find_ids(wire: Wire, one: Someone, told: list[Operation]) -> list[Ids]:
    """Return the ids to try as a person: enumeration values, ids in lists, similar ids."""
    seen = [ids for operation in told for ids in list_enum_ids(operation)]
    names = {name for operation in told for name in operation.path_names}
    reads = sorted(
        (op for op in told if op.method == "GET"), key=lambda op: len(op.path_names)
    )
    for read in reads:
        word = read.path.rpartition("/")[2]
        for name in names & {f"{word}_id", *list_item_names(read.path, told)}:
            alone = name == f"{word}_id"
            for ids in match_ids(read.path_names, seen):
                values = islice(read_ids(wire, one, read, ids), ENOUGH)
                seen += [{**({} if alone else ids), name: value} for value in values]
    return seen + [ids for operation in told for ids in list_similar_ids(operation, seen)]


def list_enum_ids(operation: Operation) -> Iterator[Ids]:
    """Yield the values of a path parameter that is an enumeration."""
    for parameter in operation.spec.get("parameters", []):
        if parameter["in"] == "path":
            schema = resolve_reference(parameter["schema"], operation.schemas)
            yield from ({parameter["name"]: value} for value in schema.get("enum", []))


def list_similar_ids(operation: Operation, seen: list[Ids]) -> Iterator[Ids]:
    """Yield ids for the path parameters that do not occur in any list.

    These ids belong to other parameters, but have the right format.
    """
    known = collect_ids(seen)
    for parameter in operation.spec.get("parameters", []):
        name, form = parameter["name"], parameter["schema"].get("pattern")
        if parameter["in"] == "path" and form and name not in known:
            for values in known.values():
                fitting = (one for one in values if re.search(form, one))
                yield from ({name: value} for value in islice(fitting, 2))


def list_item_names(path: str, told: list[Operation]) -> set[str]:
    """Return the names of the path parameters that identify an item of a list."""
    found = (re.match(rf"{re.escape(path)}/{KEYED.pattern}", op.path) for op in told)
    return {match[1] for match in found if match}


def read_ids(wire: Wire, one: Someone, read: Operation, ids: Ids) -> Iterator[str]:
    """Read a list or a record, and yield the id of each item or of the record, if shown."""
    answer = wire.send("GET", fill_path(read.path, ids), build_headers(read, one, ""))
    shown = answer.parse_json() if answer.status == 200 else {}
    for item in shown.get("items", [shown] if shown else []):
        yield str(next(iter(item.values())))


# Requests.


def fill_path_from(operation: Operation, stage: Stage, choose: int = 0) -> str:
    """Return the path with ids that any of the people can see, or with an unknown id."""

    def pick(match: re.Match[str]) -> str:
        known = stage.ids.get(match[1], [NOWHERE])
        return known[choose % len(known)]

    return KEYED.sub(pick, operation.path)


def build_headers(operation: Operation, one: Someone, key: str) -> Headers:
    """Return the headers with which a person calls an operation."""
    said: Headers = {
        "If-Match": ", ".join(f'"{version}.0123456789abcdef"' for version in range(1, 17)),
        "Idempotency-Key": key,
        "Purpose": "assistance",
    }
    asked_for = operation.list_parameters("header")
    return {
        "Authorization": f"Bearer {one.key}",
        "Content-Type": "application/json",
        **{name: value for name, value in said.items() if name in asked_for},
    }
