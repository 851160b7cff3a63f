"""Authentication of requests, with limits on wrong keys and on the requests of an account.

The transaction of a read also authenticates the caller, so that a read needs only one
transaction and one thread. Any other request is authenticated in a separate transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from app.access.credentials import (
    QUERIES,
    CredentialQueries,
    SignedIn,
    authenticate,
    get_prefix,
    require_scope,
)
from app.access.session_limits import ENDED_GRACE, NO_GRACE
from app.access.sessions import is_renewal_due, renew_session
from app.api.http.rate_limits import RequestRate, WrongKeyLimit, format_rate_headers
from app.kernel.actors import Actor, Scope, SignInMethod
from app.kernel.problems import (
    Forbidden,
    TooManyRequests,
    TooManyWrongKeys,
    Unauthenticated,
)
from app.kernel.transactions import AuthenticatedRead, ReadTransaction, Runtime, begin_read

NO_KEY: Final = ""

type Begin[W] = Callable[[], AbstractContextManager[W]]
type Opener[W] = Callable[[Runtime, Actor], AbstractContextManager[W]]


@dataclass(frozen=True)
class Scoped[W]:
    """A dependency that requires a scope and provides a function to begin a transaction."""

    opener: Opener[W]
    scope: Scope
    accepts_ended_session: bool = False
    """Whether a session may be used that ended by itself at most 8 hours ago (ADR 71)."""
    queries: CredentialQueries = field(default=QUERIES, hash=False)
    """The queries for a credential. They can also read columns that the route needs."""

    @property
    def only_reads(self) -> bool:
        """Whether the transaction only reads, and so can also authenticate the caller."""
        return self.opener is begin_read

    async def __call__(self, request: Request) -> Begin[W]:
        """Return the function with which a route begins its transaction."""
        return partial(self.begin, request)

    def begin(self, request: Request) -> AbstractContextManager[W]:
        """Return the open read of the request, or a new transaction if there is none."""
        opened: OpenRead | None = getattr(request.state, "open_read", None)
        if opened is None:
            return self.opener(request.app.state.runtime, request.state.actor)
        request.state.open_read = None
        return cast("AbstractContextManager[W]", opened.run())


@dataclass(frozen=True)
class OpenRead:
    """A read transaction that has authenticated the caller, and the stack that ends it."""

    stack: ExitStack
    tx: ReadTransaction

    @contextmanager
    def run(self) -> Iterator[ReadTransaction]:
        """Run the block in the transaction, and end the transaction."""
        with self.stack:
            yield self.tx


def read_authenticated[A](request: Request, right: Scoped[Any], read: Callable[[], A]) -> A:
    """Authenticate the caller, and return the result of `read`.

    `read` is called after the caller was authenticated. When it begins its transaction with
    `right`, it gets the transaction in which the caller was authenticated. Raises the
    errors of `check_credential`.
    """
    with ExitStack() as stack:
        tx = stack.enter_context(begin_authenticated(request, right))
        request.state.actor = tx.actor
        request.state.open_read = OpenRead(stack, tx)
        try:
            return read()
        finally:
            request.state.open_read = None


@contextmanager
def begin_authenticated(
    request: Request, right: Scoped[Any]
) -> Iterator[AuthenticatedRead]:
    """Begin a read, authenticate the caller, and yield the authenticated read.

    If the session has to be renewed, the read ends, the session is renewed, and another
    read begins. A session is not renewed for a route that accepts ended sessions. Raises
    the errors of `check_credential`.
    """
    runtime: Runtime = request.app.state.runtime
    for is_last in (False, True):
        with runtime.database.connect_read() as connection:
            signed_in = check_credential(request, right, connection, counts=not is_last)
            actor = signed_in.actor
            is_kept = right.accepts_ended_session or is_last
            if is_kept or not is_renewal_due(actor, runtime.clock()):
                tx = AuthenticatedRead(connection, actor, runtime, signed_in.row)
                with closing(tx):
                    yield tx
                    tx.verify()
                return
        renew_session(runtime, actor)


def sign_in(request: Request, right: Scoped[Any]) -> Actor:
    """Authenticate a request in a separate transaction, and check the scope.

    A session is renewed if this is due, unless the route accepts ended sessions. Raises
    the errors of `check_credential`.
    """
    runtime: Runtime = request.app.state.runtime
    with runtime.database.connect_read() as connection:
        actor = check_credential(request, right, connection).actor
    return actor if right.accepts_ended_session else renew_session(runtime, actor)


def check_credential(
    request: Request, right: Scoped[Any], connection: Any, *, counts: bool = True
) -> SignedIn:
    """Return the actor of a request and the row of its credential, and check the scope.

    A wrong key is counted, unless `counts` is false because the credential was valid a
    moment ago.

    Raises Unauthenticated (401) if the key is missing, wrong or sent in several headers,
    Forbidden (403) if it lacks the scope or may not be used, or TooManyWrongKeys (429)
    after several wrong keys. Wrong keys are counted only after the key was checked, so that
    guessing never blocks the holder of a valid key.
    """
    if len(request.headers.getlist("authorization")) > 1:  # a proxy may use another
        raise Unauthenticated("Send one `Authorization` header, not several.")
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    key_text = key.strip() if kind.lower() == "bearer" else NO_KEY
    runtime: Runtime = request.app.state.runtime
    try:
        grace = ENDED_GRACE if right.accepts_ended_session else NO_GRACE
        macs = runtime.row_macs
        signed_in = authenticate(connection, key_text, macs, grace, right.queries)
    except Unauthenticated:
        if key_text and counts:
            limit_wrong_keys(request, get_prefix(key_text))
        raise
    if not runtime.person_keys and has_person_key(signed_in.actor):
        raise Forbidden("API keys of people are not accepted here. Sign in with a passkey.")
    require_scope(signed_in.actor, right.scope)
    return signed_in


def require_known_query(request: Request, names: frozenset[str] | None) -> None:
    """Raise RequestValidationError (422) for a query parameter that is not in `names`.

    If `names` is None, every parameter is allowed.
    """
    for name in set(request.query_params) - names if names is not None else ():
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)}])


def find_sender(actor: Actor, right: Scoped[Any]) -> UUID:
    """Return the id by which the requests of a caller are counted.

    If the route accepts ended sessions, requests are counted by session, so that the holder
    of an ended session cannot use up the rate limit of the account.
    """
    session = actor.session if right.accepts_ended_session else None
    return session.id if session else actor.account_id


def has_person_key(actor: Actor) -> bool:
    """Return whether a person acts with an API key, or with a session of an API key."""
    if actor.session is not None:
        return actor.session.method == SignInMethod.KEY
    return actor.person_id is not None


def enforce_rate_limit(request: Request, account_id: UUID) -> None:
    """Count a request. Raises TooManyRequests (429) if the account has sent too many.

    If there is a rate limit, the headers for the response are stored in the request state.
    """
    rate: RequestRate = request.app.state.rate
    writes = request.method != "GET"
    allowance = rate.count_request(account_id, writes=writes)
    if allowance is None:
        return
    request.state.rate_headers = format_rate_headers(allowance, writes=writes)
    if allowance.wait:
        raise TooManyRequests(
            "Send fewer requests. To wait for events, send `Prefer: wait`.",
            wait=allowance.wait,
        )


def get_address(request: Request) -> str:
    """Return the address of the client, or an empty string if it is not known."""
    return request.client.host if request.client else ""


def limit_wrong_keys(request: Request, name: str) -> None:
    """Count a wrong key. Raises TooManyWrongKeys (429) if there were too many.

    Keys are counted by address, and by address and name. The name is the prefix of a key or
    of a link, the id of a passkey, or the client that an assertion names.
    """
    throttle: WrongKeyLimit = request.app.state.throttle
    wait = throttle.count_wrong_key(get_address(request), name)
    if wait:
        raise TooManyWrongKeys("Check the key you use before you try again.", wait=wait)
