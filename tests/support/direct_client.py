"""A client that calls the application in the thread of the test, without a server."""

from typing import override

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, BaseTransport, Client, Request, Response

from tests.support.documented_answers import check_answer
from tests.support.in_thread import ThreadLoops


class Direct(BaseTransport):
    """A transport that calls the application in this thread, without a server."""

    def __init__(self, app: FastAPI, here: ThreadLoops) -> None:
        self.here, self.inner = here, ASGITransport(app, raise_app_exceptions=False)

    @override
    def handle_request(self, request: Request) -> Response:
        request.read()
        return self.here.call(self.answer, request)

    async def answer(self, request: Request) -> Response:
        answer = await self.inner.handle_async_request(request)
        content = b"".join([piece async for piece in answer.aiter_raw()])
        return Response(answer.status_code, headers=answer.headers, content=content)


def make_client(app: FastAPI, here: ThreadLoops | None) -> Client:
    """Return a client of the application that compares each response with the contract.

    If `here` is None, the client uses a new event loop for each request.
    """
    client: Client = (
        TestClient(app, raise_server_exceptions=False)
        if here is None
        else Client(transport=Direct(app, here), base_url="http://testserver")
    )
    client.event_hooks = {"response": [check_answer]}
    return client
