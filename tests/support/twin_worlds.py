"""Two worlds in which the same actions are taken with different words.

Ids and times are the same in both worlds. The words in every free-text field differ in
letters and in length. If the responses in the two worlds differ, they reveal something
about a text. Only an account that wrote or opened the text may get different responses.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, product
from random import Random
from typing import Any, Final

from app.kernel.actors import Role
from tests.support.full_world import create_people, create_records
from tests.support.raw_requests import (
    Answer,
    Operation,
    Wire,
    list_operations,
    resolve_reference,
)
from tests.support.request_bodies import BODIES
from tests.support.world import (
    SECTIONS,
    Json,
    Someone,
    World,
    make_consent,
    make_handover_consent,
    make_service_consent,
)

NAMES: Final = ("Ana", "Ойгул Ғаниева")
TAILS: Final = ("x", "ё" * 23)
WORD: Final = re.compile(rf"(?:{'|'.join(NAMES)})-(\d{{5}})-(?:{'|'.join(TAILS)})")
REQUEST: Final = re.compile(rb"urn:uuid:[0-9a-f-]{36}")
RANDOM: Final = re.compile(
    rb'(?<="challenge":")[^"]+|\bsc[a-z]*_[0-9a-f]{10}_[\w-]{43}|whsec_[\w+/=-]+'
)
"""The challenge of a passkey, and new keys, tokens and secrets, which are random."""
OFFICES: Final = (
    "KZ_SHELTER_KOGERSHIN",
    "KZ_LEGAL_AID",
    "SANA_SEZIM",
    "IOM",
    "UZ_LEAD",
    "KZ_LEAD",
    "KZ_SHELTER_TANSHOLPAN",
    "ISTIQBOLLI_AVLOD",
)
NAMING: Final = frozenset({"recipient", "to", "focal_point", "alternative"})
ENDING: Final = frozenset({"erase", "withdraw", "discard", "stop", "close", "decline-lead"})
SELDOM: Final = 0.15
LISTS: Final = ("cases", "referrals", "handovers", "approvals")
TALK: Final = ("/questions",)
"""Path endings of operations with texts that parties read without stating a purpose."""
PUBLIC: Final = frozenset({"administration", "directory"})
STAFF: Final = frozenset({"accounts", "webhooks"})
"""Tags of operations whose labels are known to those who manage accounts or webhooks."""


def list_free_fields(document: Json) -> set[str]:
    """Return the names of all free-text fields in a contract."""
    schemas = document["components"]["schemas"].values()
    fields = [pair for one in schemas for pair in one.get("properties", {}).items()]
    return {name for name, schema in fields if "safe-text" in json.dumps(schema)}


@dataclass
class Twin:
    """One of two worlds that differ in their words, with the author of each word."""

    world: World
    wire: Wire
    side: int
    chance: Random
    people: dict[str, Someone] = field(default_factory=dict)
    authors: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=count)

    @cached_property
    def told(self) -> list[Operation]:
        """All operations except those on public data."""
        every = list_operations(self.world.app.openapi())
        return [one for one in every if not PUBLIC & set(one.spec["tags"])]

    @cached_property
    def free(self) -> set[str]:
        """The names of all free-text fields in the contract."""
        return list_free_fields(self.world.app.openapi())

    def begin(self) -> None:
        """Create at least one record of each kind, and store the ids of the records."""
        self.people = create_people(self.world)
        create_records(self.people)
        self.people["desk"] = self.world.add_person("DESK_CENTRAL_ASIA")
        self.people["stranger"] = self.world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
        self.people["analyst"] = self.world.add_person("OVERSIGHT_DEMO", {Role.ANALYST})
        for one, word in product(self.people.values(), LISTS):
            listed = one.get(f"/{word}", limit=200)
            found = listed.json()["items"] if listed.is_success else []
            for made in reversed(found):
                self.store_id(word, made)

    # Actions.

    def run_step(self) -> Iterator[tuple[str, Any]]:
        """Perform an action, read records, and yield each response with its request."""
        roll = self.chance.random()
        if roll < 0.06:
            self.world.advance(hours=self.chance.randrange(1, 30))
            yield "worker", self.world.run_worker()
        elif roll < 0.1:
            yield from self.run_action("officer", self.get_operation("create_case"), {})
        elif roll < 0.45:
            yield from self.run_any_action()
        else:
            yield from self.run_available_action()
        for _ in range(3):
            yield from self.read_any()

    def run_any_action(self) -> Iterator[tuple[str, Any]]:
        """Call a random write operation, and yield each response with its request."""
        writes = [one for one in self.told if one.method != "GET" and self.has_ids(one)]
        operation = self.chance.choice(self.skip_most_endings(writes))
        ids, who = self.choose_ids(operation), self.choose_person()
        record = f"{operation.path.partition('}')[0]}}}"
        reads = [one for one in self.told if (one.method, one.path) == ("GET", record)]
        for read, one in product(reads, self.chance.sample(sorted(self.people), 6)):
            answer = self.send(one, read, {name: ids[name] for name in read.path_names})
            yield f"{one} reads {read.path}", self.describe_answer(one, read, answer)
            if answer.status == 200:
                who = one
                break
        yield from self.run_action(who, operation, ids)

    def run_available_action(self) -> Iterator[tuple[str, Any]]:
        """Perform a random action that `available_actions` lists for a person."""
        kinds = ("code", "code", "referral_id", "handover_id", "return_id")
        name = self.chance.choice([kind for kind in kinds if self.known.get(kind)])
        word = "cases" if name == "code" else f"{name.removesuffix('_id')}s"
        read = next(o for o in self.told if o.path == f"/v1/{word}/{{{name}}}")
        ids = {name: self.choose_id(name)}
        for who in self.chance.sample(sorted(self.people), 6):
            answer = self.send(who, read, ids)
            yield f"{who} reads {read.path}", self.describe_answer(who, read, answer)
            seen = answer.parse_json().get("available_actions", [])
            paths = {f"{read.path}/{one['action'].replace('_', '-')}" for one in seen}
            acts = [one for one in self.told if one.method == "POST" and one.path in paths]
            if acts := self.skip_most_endings(acts):
                yield from self.run_action(who, self.chance.choice(acts), ids)
                return

    def run_action(
        self, who: str, operation: Operation, ids: Json
    ) -> Iterator[tuple[str, Any]]:
        """Perform an action, approved if needed; yield each response with its request."""
        body = self.make_body(who, operation)
        answer = self.send(who, operation, ids, body)
        yield f"{who}: {operation.name} {ids}", self.describe_answer(who, operation, answer)
        if answer.status == 202 and "decision" in answer.parse_json():
            approval = answer.parse_json()["id"]
            is_confirmed = self.chance.random() < 0.5
            name = "confirm_approval" if is_confirmed else "approve_approval"
            approve = self.get_operation(name)
            second = self.send("supervisor", approve, {"approval_id": approval}, {})
            yield name, self.describe_answer("supervisor", approve, second)
            again = self.send(who, operation, ids, body, Approval=approval)
            yield f"{who} again", self.describe_answer(who, operation, again)

    def read_any(self) -> Iterator[tuple[str, Any]]:
        """Call a random read operation as a random person, and yield its response."""
        reads = [one for one in self.told if one.method == "GET" and self.has_ids(one)]
        who, read = self.choose_person(), self.chance.choice(reads)
        ids = self.choose_ids(read)
        answer = self.send(who, read, ids)
        yield f"{who} reads {read.path} {ids}", self.describe_answer(who, read, answer)

    def read_everything(self) -> Iterator[tuple[str, Any]]:
        """Call every operation that reads, and read every feed, as each person."""
        reads = [one for one in self.told if one.method == "GET" and self.has_ids(one)]
        for who, read in product(sorted(self.people), reads):
            ids = self.choose_ids(read)
            answer = self.send(who, read, ids)
            yield f"{who} reads {read.path} {ids}", self.describe_answer(who, read, answer)
        for who in sorted(self.people):
            yield from self.read_feed(who)

    def read_feed(self, who: str) -> Iterator[tuple[str, Any]]:
        """Read all pages of a person's feed."""
        poll, after = self.get_operation("list_events"), ""
        while True:
            path = f"{poll.path}?limit=200{after}"
            answer = self.wire.send("GET", path, dict(self.people[who].make_headers()))
            yield f"{who} hears", self.describe_answer(who, poll, answer)
            page = answer.parse_json()
            if not page.get("more"):
                return
            after = f"&after={page['cursor']}"

    def skip_most_endings(self, acts: list[Operation]) -> list[Operation]:
        """Return the actions; in most calls, the actions in `ENDING` are left out."""
        ends = self.chance.random() < SELDOM
        return [one for one in acts if ends or one.path.rpartition("/")[2] not in ENDING]

    # Requests.

    def choose_person(self) -> str:
        return self.chance.choice([*sorted(self.people), *(3 * ("lead", "officer"))])

    def get_operation(self, name: str) -> Operation:
        return next(one for one in self.told if one.name == name)

    def has_ids(self, operation: Operation) -> bool:
        """Return whether an id is known for each parameter of the path."""
        return all(self.known.get(name) for name in operation.path_names)

    def choose_ids(self, operation: Operation) -> Json:
        return {name: self.choose_id(name) for name in operation.path_names}

    def choose_id(self, name: str) -> str:
        """Choose one of the newest ids, because most older records are no longer open."""
        return self.chance.choice(self.known[name][-4:])

    def make_body(self, who: str, operation: Operation) -> Json | None:
        """Return a request body with texts of this world, or None if the call has no body.

        Operations of staff use the texts of the first world in both worlds.
        """
        if not operation.body_schema:
            return None
        body: Json = json.loads(json.dumps(BODIES.get(operation.name, {})))
        if operation.name == "write_section":
            body = dict(self.chance.choice(SECTIONS))
        if operation.name == "create_case":
            body["consents"] = [
                make_consent(),
                make_service_consent(),
                make_handover_consent("UZ_LEAD"),
            ]
            guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
            body |= {"safeguards": guards, "sections": SECTIONS}
            body |= {"submit": self.chance.random() < 0.9}
        if operation.name == "find_cases":
            body = {"code": self.choose_id("code")}
        for name in sorted(NAMING & body.keys()):
            body[name] = self.chance.choice(OFFICES)
        fields = resolve_reference(operation.body_schema, operation.schemas).get(
            "properties", {}
        )
        body |= dict.fromkeys({"note", "remarks"} & fields.keys(), "")
        side = 0 if STAFF & set(operation.spec["tags"]) else self.side
        return {key: self.replace_words(who, one, side, key) for key, one in body.items()}

    def replace_words(self, who: str, value: Any, side: int, name: str = "") -> Any:
        """Return a value in which each free-text field is replaced by a word of one world.

        The summary of a case is not changed.
        """
        if isinstance(value, dict) and name != "summary":
            return {
                key: self.replace_words(who, one, side, key) for key, one in value.items()
            }
        if isinstance(value, list):
            return [self.replace_words(who, one, side, name) for one in value]
        free = name in self.free and isinstance(value, str)
        return self.make_word(who, side) if free else value

    def make_word(self, who: str, side: int) -> str:
        """Return a new word, and record its author."""
        self.authors.append(who)
        return f"{NAMES[side]}-{len(self.authors) - 1:05}-{TAILS[side]}"

    def send(
        self, who: str, operation: Operation, ids: Json, body: Any = None, **more: str
    ) -> Answer:
        """Send a request with all headers that the operation requires."""
        one, target = self.people[who], operation.path
        for name, value in ids.items():
            target = target.replace(f"{{{name}}}", value)
        said: dict[str, str | bytes] = {**one.make_headers(), **more}
        heads = operation.list_parameters("header")
        if "Purpose" in heads:
            said["Purpose"] = "assistance"
        if "Idempotency-Key" in heads:
            said["Idempotency-Key"] = f"k{next(self.numbers)}"
        if "If-Match" in heads:
            record = target.rpartition("/")[0] if operation.method == "POST" else target
            tag = self.wire.send("GET", record, dict(said))["ETag"]
            said["If-Match"] = tag or '"1.0"'
        raw = b""
        if body is not None:
            said["Content-Type"], raw = "application/json", json.dumps(body).encode()
        if operation.includes and self.chance.random() < 0.5:
            target += f"?{operation.includes}"
        answer = self.wire.send(operation.method, target, said, raw)
        self.store_ids(operation, answer)
        return answer

    def store_ids(self, operation: Operation, answer: Answer) -> None:
        """Store the id of the record that a successful write returns."""
        if operation.method == "GET" or answer.status not in {200, 201, 202}:
            return
        self.store_id(operation.path.rpartition("/")[2], answer.parse_json())

    def store_id(self, word: str, made: Json) -> None:
        """Store the id or the code of a created record."""
        name = "approval_id" if "decision" in made else f"{word.removesuffix('s')}_id"
        known = made.get("id")
        if str(made.get("code")).startswith("SC-"):
            name, known = "code", made["code"]
        if known and known not in self.known.setdefault(name, []):
            self.known[name].append(known)

    # Comparison.

    def describe_answer(
        self, who: str, operation: Operation, answer: Answer
    ) -> tuple[Any, ...]:
        """Return a response without random values, and with placeholders for allowed words.

        A word is allowed if the person wrote the word, or may read it in this operation.
        """
        opens = "Purpose" in operation.list_parameters("header") or operation.path.endswith(
            TALK
        )

        def replace_word(found: re.Match[str]) -> str:
            mine = self.authors[int(found[1])] == who
            return f"<{found[1]}>" if opens or mine else found[0]

        fixed = RANDOM.sub(b"", answer.content)
        content = REQUEST.sub(b"urn:uuid", fixed).decode()
        text = WORD.sub(replace_word, content)
        hidden = {b"x-request-id"} | (
            {b"content-length", b"etag"} if text != content else set()
        )
        hidden |= {b"etag"} if fixed != answer.content else set()
        heads = sorted((n, v) for n, v in answer.headers if n not in hidden)
        return answer.status, heads, text
