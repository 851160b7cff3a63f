"""Reads that authenticate the caller in their own transaction (ADR 76)."""

import pytest
from starlette.requests import Request

from app.api.http.authentication import Scoped, read_authenticated
from app.kernel.actors import Scope
from app.kernel.problems import Forbidden
from app.kernel.transactions import begin_read
from tests.support.sessions import sign_in
from tests.support.world import Someone

GRACEFUL = Scoped(begin_read, Scope.DIRECTORY_READ, accepts_ended_session=True)


def make_request(who: Someone) -> Request:
    """Return a request with the credential of a person."""
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {who.key}".encode())],
            "app": who.world.app,
            "client": ("127.0.0.1", 1),
            "state": {},
        }
    )


def test_read_with_an_ended_session_does_not_renew_it(officer: Someone) -> None:
    session = sign_in(officer)
    session.world.advance(hours=1)
    assert session.get("/me").status_code == 401

    request = make_request(session)
    found = read_authenticated(request, GRACEFUL, lambda: request.state.actor.account_id)

    assert found == officer.actor.account_id
    assert session.get("/me").status_code == 401


def test_transaction_of_a_read_cannot_be_used_after_its_end(officer: Someone) -> None:
    def refuse() -> None:
        raise Forbidden("The answer is refused before the transaction is used.")

    request = make_request(officer)
    with pytest.raises(Forbidden):
        read_authenticated(request, GRACEFUL, refuse)

    assert request.state.open_read is None
