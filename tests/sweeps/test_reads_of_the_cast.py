"""All responses that demo accounts read agree with the contract.

The demo journeys are played on a server. Then each account sends every GET request in the
contract, with the ids of all records that any account can list or read in its feed. Status,
headers and body of each response are compared with the operation.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, product
from typing import Any, Final

import httpx
import httpx2
import jsonschema_rs
import pytest

from app.access.role_scopes import get_allowed_scopes
from app.cli.demo_command import build_expiry, prepare_demo_keys
from app.demo import journeys
from app.demo.demo_accounts import DEMO_ACCOUNTS, DemoAccount
from app.demo.demo_users import Demo
from app.kernel.actors import Scope
from tests.support.databases import Copy
from tests.support.documented_answers import check_answer
from tests.support.operation_calls import ALL, DOCUMENT
from tests.support.raw_requests import Operation
from tests.support.servers import get_address, report, serve_world

pytestmark = [pytest.mark.slow, pytest.mark.sweep, pytest.mark.partly]

GETS: Final = [one for one in ALL if one.method == "GET" and "stream" not in one.name]
"""All reads but the stream, which does not end."""
UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "section": ("needs", "identity"),
    "name": ("purposes", "indicators", "no-such-list"),
    "country": ("KZ", "ZZ"),
    "focal_point": ("KZ_LEAD", "NO_SUCH_OFFICE"),
    "deadline": ("acknowledge", "no-such-deadline"),
    "priority": ("normal",),
}
"""Values of path parameters that are not ids of records."""
RECORDS: Final[Mapping[str, str]] = {
    "code": "cases",
    "referral_id": "referrals",
    "handover_id": "handovers",
    "return_id": "returns",
    "approval_id": "approvals",
    "account_id": "accounts",
    "webhook_id": "webhooks",
}
"""The first part of the paths of the records that a path parameter names."""
COMBINATIONS: Final = 12
"""The maximum number of paths for one operation and account."""


@dataclass
class Played:
    """A server on which all journeys were played, with its keys and the records' ids."""

    http: httpx2.Client
    keys: Mapping[DemoAccount, str]
    ids: dict[str, set[str]] = field(default_factory=dict)

    def read(
        self, account: DemoAccount, operation: Operation, path: str
    ) -> httpx2.Response:
        """Send a GET as an account, with a purpose if the operation takes one."""
        headers = {"Authorization": f"Bearer {self.keys[account]}"}
        if "Purpose" in operation.list_parameters("header"):
            headers["Purpose"] = "assistance"
        return self.http.get(path, headers=headers)

    def collect_ids(self) -> None:
        """Store the ids of all records that any account can list or read in its feed."""
        for account, operation in product(DEMO_ACCOUNTS, GETS):
            if not operation.path_names:
                answer = self.read(account, operation, operation.path)
                if answer.headers["content-type"] == "application/json":
                    self.store_ids(operation.path.removeprefix("/v1/"), answer.json())

    def store_ids(self, kind: str, value: Any) -> None:
        """Store the id or code of each item of a list, and the record in its subject."""
        for item in value.get("items", []):
            found = item.get("code") if kind == "cases" else item.get("id")
            if found:
                self.ids.setdefault(kind, set()).add(str(found))
            subject = item.get("subject")
            if isinstance(subject, str) and "/" in subject:
                of, _, one = subject.partition("/")
                self.ids.setdefault(of, set()).add(one)

    def list_paths(self, operation: Operation) -> Iterator[str]:
        """Yield the paths of an operation with known ids, without and with all parts."""
        values = [self.list_values(name) for name in operation.path_names]
        for chosen in islice(product(*values), COMBINATIONS):
            path = operation.path.format(
                **dict(zip(operation.path_names, chosen, strict=True))
            )
            yield path
            if operation.includes:
                yield f"{path}?{operation.includes}"

    def list_values(self, name: str) -> list[str]:
        """Return the values of a path parameter."""
        if name in RECORDS:
            return sorted(self.ids.get(RECORDS[name], ()))
        return list(FIXED.get(name, (UNKNOWN,)))


@pytest.fixture(scope="module")
def played(copy: Copy) -> Iterator[Played]:
    with (
        copy() as url,
        serve_world(url) as world,
        httpx2.Client(base_url=get_address(world.port), timeout=60) as http,
        httpx.Client(base_url=get_address(world.port), timeout=60) as user,
    ):
        keys = prepare_demo_keys(world.runtime)

        def expire(code: str) -> None:
            build_expiry(world.runtime)(code)
            world.run_worker()

        journeys.play(Demo(user, keys, lambda _: None, world.now, expire))
        made = Played(http, keys)
        made.collect_ids()
        yield made


@cache
def build_validator(operation: str, status: int, media: str) -> jsonschema_rs.Validator:
    """Return the validator of the body of a documented response."""
    [found] = [one for one in GETS if one.name == operation]
    schema = found.spec["responses"][str(status)]["content"][media]["schema"]
    components = {"components": {"schemas": DOCUMENT["components"]["schemas"]}}
    return jsonschema_rs.validator_for(schema | components, validate_formats=True)


def check_body(operation: Operation, answer: httpx2.Response) -> None:
    """Raise an error if a JSON body is not valid against the schema of its response."""
    media = answer.headers.get("content-type", "").partition(";")[0]
    if answer.content and media.endswith("json"):
        validator = build_validator(operation.name, answer.status_code, media)
        validator.validate(json.loads(answer.content))


@pytest.mark.parametrize("account", DEMO_ACCOUNTS, ids=lambda one: one.label)
def test_what_an_account_reads_is_in_the_contract(
    played: Played, account: DemoAccount
) -> None:
    statuses: dict[int, int] = {}

    for operation in GETS:
        for path in played.list_paths(operation):
            answer = played.read(account, operation, path)
            check_answer(answer)
            check_body(operation, answer)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    may_read_cases = Scope.CASES_READ in get_allowed_scopes(account.roles)
    assert statuses.keys() >= {200, 404 if may_read_cases else 403}
    report(account.label, [f"{number} answers {code}" for code, number in statuses.items()])


def test_records_of_every_kind_are_read(played: Played) -> None:
    assert {kind for kind in RECORDS.values() if kind != "webhooks"} <= played.ids.keys()
