"""A valid call of each operation that changes or opens something.

Most calls come from the tables of the access matrix, which define which account gets a 2xx
response at which stage. For operations that no stage of the access matrix allows, a
function in `stories` prepares a suitable state.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.support.full_world import build_headers, fill_path
from tests.support.operation_calls import READ
from tests.support.raw_requests import Answer, Headers, Operation, Wire
from tests.support.request_bodies import BODIES
from tests.support.world import Someone
from tests.sweeps.matrix import plans, reading
from tests.sweeps.matrix.asking import operation_of
from tests.sweeps.matrix.bodies import BODY_OF
from tests.sweeps.matrix.people import accounts
from tests.sweeps.matrix.stages import Stage

FULL: Final = "referring"
"""The stage with the most parties. A call is made there if the access matrix allows it."""
OF_PLANS: Final = {
    "answers_of_cases": re.compile("(?!._|rest|mixed)"),
    "answers_of_referrals": re.compile("r_"),
    "answers_of_handovers": re.compile("h_"),
    "answers_of_returns": re.compile("b_"),
    "answers_of_the_rest": re.compile("rest"),
}
"""A pattern for each table, which matches the names of its stages."""


@dataclass(frozen=True)
class Call:
    """A request that is sent with the same bytes each time."""

    operation: Operation
    target: str
    headers: Headers
    body: bytes = b""

    def send(self, wire: Wire) -> Answer:
        return wire.send(self.operation.method, self.target, dict(self.headers), self.body)

    def approved(self, approval: str) -> "Call":
        """Return the call with an approval and, if the call had a key, with a new key."""
        other: Headers = {"Idempotency-Key": "then"} if self.is_keyed else {}
        return replace(self, headers=self.headers | other | {"Approval": approval})

    @property
    def is_keyed(self) -> bool:
        """Return whether the call has an idempotency key."""
        return "Idempotency-Key" in self.headers


@dataclass
class Scene:
    """A world with the accounts and stages of the access matrix, in which stories begin."""

    wire: Wire
    people: Mapping[str, Someone]
    stages: Mapping[str, Stage]

    def call(
        self, name: str, who: Someone, ids: Mapping[str, str], body: Any = None
    ) -> Call:
        """Return a call of the operation with this name."""
        operation = operation_of(name)
        known = BODY_OF.get(name, BODIES.get(operation.name, {})) if body is None else body
        names = operation.path_names or ("code",)
        own = {"code": ids[names[-1]]} if "code" in known else {}
        sent = json.dumps(known | own).encode() if operation.body_schema else b""
        target = fill_path(operation.path, dict(ids))
        headers = build_headers(operation, who, "once")
        if operation.method == "PUT" and operation.path in READ:
            headers = {n: v for n, v in headers.items() if n != "If-Match"}
            headers |= self.seen(who, target)
        return Call(operation, target, headers, sent)

    def seen(self, who: Someone, target: str) -> Headers:
        """Return the header for a PUT: If-Match if the row exists, else If-None-Match."""
        shown = self.wire.send("GET", target, {"Authorization": f"Bearer {who.key}"})
        return {"If-Match": shown["etag"]} if shown["etag"] else {"If-None-Match": "*"}

    def allowed(self, call: Call) -> Call:
        """Send a call, let a second person approve it, and return the approved call."""
        answer = call.send(self.wire)
        assert answer.status == 202, (answer.status, answer.content)
        approval = str(answer.parse_json()["id"])
        for one in self.people.values():
            if one.send(f"/approvals/{approval}/approve").status_code == 200:
                return call.approved(approval)
        raise AssertionError(f"No account may approve {call.target}")


type Story = Callable[[Scene], Call]


@dataclass(frozen=True)
class Cell:
    """A cell of the access matrix that expects a 2xx response."""

    name: str
    stage: str
    who: str
    status: int

    def __call__(self, scene: Scene) -> Call:
        """Return the API call that this cell of the access matrix describes."""
        stage = scene.stages[self.stage]
        part = {"section": self.name.partition(".")[2], "form": "refer"}
        return scene.call(self.name, scene.people[self.who], stage.ids | part)

    def with_second(self, scene: Scene) -> Call:
        """Return the API call of the cell, with the approval of a second person."""
        return scene.allowed(self(scene))


def cells() -> Iterator[Cell]:
    """Yield the first allowed cell of each operation that changes or opens something."""
    for plan in plans.ALL:
        table = reading.table(plan.table)
        mine = filter(OF_PLANS[plan.table].match, reading.casting())
        stages = sorted(mine, key=lambda name: name != FULL)
        for name in table.operations:
            operation = operation_of(name)
            if operation.method != "GET" or "Purpose" in operation.list_parameters(
                "header"
            ):
                yield from find_first_cell(table, name, stages)


def find_first_cell(table: reading.Table, name: str, stages: list[str]) -> Iterator[Cell]:
    """Yield the first cell that expects a 2xx response, if there is one."""
    for stage in stages:
        for who in accounts():
            status = find_status(table, name, stage, reading.relation(stage, who))
            if status and 200 <= status < 300:
                yield Cell(name, stage, who, status)
                return


def find_status(table: reading.Table, name: str, stage: str, who: str) -> int | None:
    """Return the expected status, or None if the table has no row for this relation."""
    try:
        return table.verdict(name, stage, who).status
    except AssertionError:
        return None
