"""Plays the journeys of the demonstration: what has a page is done on it."""

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
    """Sends the requests of the journeys: changes through the browser, the rest as is.

    `accounts` are the accounts by their API key.
    """

    people: People
    accounts: Mapping[str, DemoAccount]
    api: httpx.BaseTransport

    @property
    def steps(self) -> Steps:
        """How the steps have been taken so far."""
        return self.people.steps

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request with what the API says about it afterwards."""
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
        """Do on a page what a request asks, and answer with the record that it shows.

        If the page refuses or does not offer it, the API has to refuse it, too.
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
        """Send a request that a page refused to the API, which has to refuse it, too."""
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
        """Return the record at a path of the API, for the person of a request."""
        if path == PREFIX:  # the person has no part in the record any more
            return httpx.Response(ENDED)
        headers = {
            name: request.headers[name] for name in ("Authorization", "Host", "Accept")
        }
        url = request.url.copy_with(path=path)
        return self.api.handle_request(httpx.Request("GET", url, headers=headers))


def name_step(request: httpx.Request, places: tuple[str, ...] = ()) -> str:
    """Return the method and the path of a request, without codes and ids."""
    path = request.url.path.removeprefix(PREFIX)
    for place in places:
        kind, found, _ = place.partition("/")
        path = path.replace(place, f"{kind}/*") if found else path
    return f"{request.method} {path}"
