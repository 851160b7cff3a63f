"""A client of the HTTP API in the same process, with the credential of one person."""

from collections.abc import Awaitable, Mapping
from copy import copy
from dataclasses import dataclass
from secrets import token_urlsafe
from string import punctuation
from typing import Any, Final
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp

type Json = dict[str, Any]

NOWHERE: Final = ("127.0.0.1", 0)
BASE_URL: Final = "http://api.internal"
SAFE: Final = f"{punctuation} "
"""The characters other than letters and digits that a header may have."""
READING: Final = frozenset({"routing", "screenings"})
"""The paths of the POST requests that record nothing."""
STEP_UP: Final = "insufficient_user_authentication"
"""The error code for a session that is too old for an operation (RFC 9470)."""


class ApiProblem(Exception):  # noqa: N818 - named by its meaning, like Problem
    """An error response of the API: an RFC 9457 problem."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    @property
    def code(self) -> str:
        """The code of the problem, which is the last part of its type."""
        return str(self.body.get("type", "")).rpartition("/")[2]


class SessionEnded(ApiProblem):
    """The session has ended, or there is none."""


class StepUpRequired(ApiProblem):
    """The operation needs a session in which the person signed in recently."""


class Gone(ApiProblem):
    """The record does not exist, or the office may not see it; both look the same."""


class Withheld(ApiProblem):
    """A request was not sent, because the page only shows a form again with its values."""


@dataclass(frozen=True)
class Answer:
    """A successful response: its status, its JSON ({} without content) and its ETag."""

    status: int
    body: Json
    tag: str


class ApiClient:
    """A client of the API that sends the credential of one person with each request.

    Without a credential, the requests are anonymous. If `withheld` is set, the client
    raises it instead of sending a write. `language` is sent as Accept-Language. `client`
    is the address of the browser, by which the API counts wrong credentials.
    """

    def __init__(
        self,
        api: ASGIApp,
        credential: str,
        *,
        language: str,
        client: tuple[str, int] = NOWHERE,
    ) -> None:
        self._api, self._language, self._client = api, language, client
        self.withheld: Withheld | None = None
        sent = {"Accept-Language": language}
        if credential:
            sent["Authorization"] = f"Bearer {escape_header(credential)}"
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=api, client=client),
            base_url=BASE_URL,
            headers=sent,
            trust_env=False,
        )

    async def get(self, path: str, **headers: str) -> Answer:
        """Return the response to a GET request. Raises ApiProblem."""
        return await self.send("GET", path, headers=headers)

    async def post(
        self, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the response to a POST request. Raises ApiProblem.

        A request without `Idempotency-Key` gets a random key, so it is not a retry.
        """
        key = {"Idempotency-Key": token_urlsafe()}
        return await self.send("POST", path, body, headers={**key, **(headers or {})})

    def build_client(self, credential: str) -> "ApiClient":
        """Return a client for the same browser with another credential."""
        return ApiClient(
            self._api, credential, language=self._language, client=self._client
        )

    def build_reader(self, withheld: Withheld) -> "ApiClient":
        """Return a client for the same person that raises `withheld` for each write."""
        reader = copy(self)
        reader.withheld = withheld
        return reader

    async def send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        headers: Mapping[str, str],
    ) -> Answer:
        """Send a request to a path below /v1/, and return the response.

        Raises SessionEnded or StepUpRequired (401), Gone (404), Withheld, or another
        ApiProblem.
        """
        if self.withheld and method != "GET" and path not in READING:
            raise self.withheld
        escaped = {name: escape_header(value) for name, value in headers.items()}
        response = await self._http.request(
            method, f"/v1/{path}", json=body, headers=escaped
        )
        content = response.json() if response.content else {}
        if response.is_success:
            return Answer(response.status_code, content, response.headers.get("ETag", ""))
        raise build_problem(response, content)


def escape_header(value: str) -> str:
    """Percent-encode all characters of a header value except printable ASCII.

    Only a manipulated form contains other characters. The API refuses the encoded value.
    """
    return quote(value, safe=SAFE)


def build_problem(response: httpx.Response, body: Json) -> ApiProblem:
    """Return the exception for an error response."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        challenge = response.headers.get("WWW-Authenticate", "")
        kind = StepUpRequired if STEP_UP in challenge else SessionEnded
        return kind(response.status_code, body)
    if response.status_code == httpx.codes.NOT_FOUND:
        return Gone(response.status_code, body)
    return ApiProblem(response.status_code, body)


async def resolve_call(call: Awaitable[Answer]) -> Answer | ApiProblem:
    """Return the response to a call or, if it fails, the problem to show beside a form.

    Raises SessionEnded, StepUpRequired or Gone, which are shown on pages of their own.
    """
    try:
        return await call
    except (SessionEnded, StepUpRequired, Gone):
        raise
    except ApiProblem as problem:
        return problem
