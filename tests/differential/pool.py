"""Values that the responses of a walk contained, from which later requests are made."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.support.raw_requests import KEYED, Operation

NEWEST: Final = 4
"""Number of newest values that are used most, because older records are often closed."""
NOWHERE: Final = "00000000-0000-4000-8000-000000000000"
CODE: Final = re.compile(r"SC-\w{4}-\w{4}-\w{4}-[\w*~$=]")
SUBJECT: Final = re.compile(r'"(?:/v1/)?(case|referral|handover|return)s/([\w*~$=-]+)')
"""A pattern for the path of a record in a body, such as the subject of an event."""
WRONG: Final = (NOWHERE, "SC-0000-0000-0000-0", "KZ_LEAD", "KZ", "x", "\0", "\xe9", "-1")

type Json = dict[str, Any]


@dataclass
class Pool:
    """The values of path parameters, cursors and entity tags that were seen."""

    operations: list[Operation]
    chance: Random
    ids: dict[str, list[str]] = field(default_factory=dict)
    """The values of each path parameter, the newest last."""
    tags: dict[str, str] = field(default_factory=dict)
    """The last entity tag of each path."""
    cursors: list[str] = field(default_factory=list)
    readers: dict[str, set[str]] = field(default_factory=dict)
    """The people who got a successful response for each path, without its query."""
    keys: dict[str, str] = field(default_factory=dict)
    """The last idempotency key of each operation."""

    def __post_init__(self) -> None:
        self.items = {path: list(self.list_names(path)) for path in self.list_paths()}
        self.names = {name for one in self.operations for name in one.path_names}

    def list_paths(self) -> set[str]:
        """Return all paths of the operations."""
        return {one.path for one in self.operations}

    def list_names(self, path: str) -> Iterator[str]:
        """Yield the path parameters that identify an item of the list at a path."""
        for other in sorted(self.list_paths()):
            found = re.match(rf"{re.escape(path)}/{KEYED.pattern}", other)
            if found:
                yield found[1]

    def add_id(self, name: str, value: object) -> None:
        """Store a value of a path parameter as the newest."""
        known = self.ids.setdefault(name, [])
        if isinstance(value, str) and 0 < len(value) <= 120 and value not in known:
            known.append(value)

    def choose_id(self, name: str) -> str:
        """Return a value for a path parameter, sometimes one that does not exist."""
        known = self.ids.get(name)
        roll = self.chance.random()
        if not known or roll < 0.04:
            return self.chance.choice(WRONG)
        return self.chance.choice(known if roll < 0.2 else known[-NEWEST:])

    def has_ids(self, operation: Operation) -> bool:
        """Return whether a value is known for each parameter of the path."""
        return all(self.ids.get(name) for name in operation.path_names)

    def record(self, operation: Operation, target: str, person: str, answer: Json) -> None:
        """Store the values that a response to a person contains."""
        headers, path = dict(answer["headers"]), target.partition("?")[0]
        if tag := headers.get("etag"):
            self.tags[path] = tag
        if answer["status"] not in {200, 201, 202}:
            return
        for seen in (path, headers.get("location", path)):
            self.readers.setdefault(seen, set()).add(person)
        for word, value in SUBJECT.findall(answer["body"]):
            self.add_id("code" if word == "case" else f"{word}_id", value)
        body = parse_object(answer["body"])
        self.cursors += [body[key] for key in ("next", "cursor") if key in body]
        del self.cursors[:-20]
        self.record_members(body)
        for item in list_objects(body.get("items")):
            for name in self.items[operation.path]:
                value = next(iter(item.values()))
                self.add_id(name, value)
                self.readers.setdefault(f"{operation.path}/{value}", set()).add(person)
        self.record_created(operation, body)

    def record_members(self, body: Json) -> None:
        """Store the members that have the name of a path parameter, at any depth."""
        for name, value in body.items():
            if name in self.names and (name != "code" or CODE.fullmatch(str(value))):
                self.add_id(name, value)
            for item in list_objects(value):
                if f"{name.removesuffix('s')}_id" in self.names:
                    self.add_id(f"{name.removesuffix('s')}_id", item.get("id"))
                self.record_members(item)

    def record_created(self, operation: Operation, body: Json) -> None:
        """Store the id of an approval or of a created record."""
        if "decision" in body:
            self.add_id("approval_id", body.get("id"))
        elif "id" in body:
            word = operation.path.rpartition("/")[2].removesuffix("s")
            if f"{word}_id" in self.names:
                self.add_id(f"{word}_id", body["id"])


def parse_object(text: str) -> Json:
    """Return the JSON object in a body, or an empty object if there is none."""
    try:
        body = json.loads(text.encode("latin-1"))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def list_objects(value: Any) -> list[Json]:
    """Return a JSON object, or the objects of a list, as a list without empty objects."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict) and item]
