"""The replay of the demo journeys on the pages of the console."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import override

import httpx

from app.demo.demo_accounts import DemoAccount
from tests.browser.journeys.acts import ACTS, Act, Refused
from tests.browser.journeys.people import People, Person
from tests.browser.journeys.steps import Steps, Way

PREFIX = "/v1/"
ENDED = httpx.codes.NO_CONTENT


@dataclass
class Replay(httpx.BaseTransport):
    """A transport that carries out changes on pages of the console.

    It sends reads, and changes that have no page, to the API. `accounts` maps keys to
    accounts.
    """

    people: People
    accounts: Mapping[str, DemoAccount]
    api: httpx.BaseTransport

    @property
    def steps(self) -> Steps:
        """The number of steps that were taken, by way and by operation."""
        return self.people.steps

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry out a request on a page or through the API, and return a response."""
        path = request.url.path.removeprefix(PREFIX)
        if request.method == "GET":
            return self.api.handle_request(request)
        for method, pattern, act in ACTS:
            found = pattern.fullmatch(path)
            if found and method == request.method:
                return self.act(request, act, found.groups())
        self.steps[Way.API, name_step(request)] += 1
        return self.api.handle_request(request)

    def act(
        self, request: httpx.Request, act: Act, places: tuple[str, ...]
    ) -> httpx.Response:
        """Carry out a request on a page, and return the record that the page then shows.

        If the page refuses or does not offer the action, the API must refuse it, too. If
        the request names an approval, that approval must already have been used.
        """
        account = self.accounts[request.headers["Authorization"].removeprefix("Bearer ")]
        person = self.people.get_person(account)
        body = json.loads(request.content) if request.content else None
        if approval := request.headers.get("Approval"):
            self.require_used(person, approval)
            return self.read(request, request.url.path.rpartition("/")[0])
        step = name_step(request, places)
        try:
            act(person, *places, body)
        except Refused as refused:
            return self.require_refusal(request, step, refused)
        self.steps[Way.PAGE, step] += 1
        return self.read(request, f"{PREFIX}{person.record}")

    def require_refusal(
        self, request: httpx.Request, step: str, refused: Refused
    ) -> httpx.Response:
        """Send a request that a page refused, and require that the API refuses it, too."""
        answer = self.api.handle_request(request)
        status = answer.status_code
        assert status == httpx.codes.CONFLICT, (step, refused, answer.read())
        self.steps[Way.REFUSED, step] += 1
        return answer

    def require_used(self, person: Person, approval: str) -> None:
        """Require that the second person's approval has carried out the action."""
        decision = person.client.get(f"/approvals/{approval}")["decision"]
        assert decision == "used", decision

    @override
    def close(self) -> None:
        """Close the connections to the API."""
        self.api.close()

    def read(self, request: httpx.Request, path: str) -> httpx.Response:
        """Read a path of the API as the person of a request, and return the response.

        The status is 204 (No Content) if the path names no record.
        """
        if path == PREFIX:  # the person is no longer a party of the record
            return httpx.Response(ENDED)
        headers = {
            name: request.headers[name] for name in ("Authorization", "Host", "Accept")
        }
        url = request.url.copy_with(path=path)
        return self.api.handle_request(httpx.Request("GET", url, headers=headers))


def name_step(request: httpx.Request, places: tuple[str, ...] = ()) -> str:
    """Return the method and the path of a request, with `*` for the ids in `places`."""
    path = request.url.path.removeprefix(PREFIX)
    for place in places:
        kind, found, _ = place.partition("/")
        path = path.replace(place, f"{kind}/*") if found else path
    return f"{request.method} {path}"
