"""Routes for signing in with a passkey, and for the caller's own passkeys (ADR 67).

The routes for signing in need no credential. Every invalid response of a passkey
gets the same 401, so that nobody learns which passkeys, people or accounts exist.
"""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app.access import passkey_actions, passkey_queries
from app.access.models import Passkey
from app.access.passkey_actions import LastPasskey, PasskeySessionNeeded, PasskeySignIn
from app.access.passkey_challenges import SIGN_IN, PasskeyRefused, create_challenge
from app.access.passkey_schemas import (
    PasskeyCreationOptions,
    PasskeyInput,
    PasskeyList,
    PasskeyOut,
    PasskeyRemoval,
    PasskeyRequestOptions,
    PasskeySignInInput,
    build_request_options,
)
from app.access.passkeys import RelyingParty
from app.access.session_limits import AuthenticationTooOld
from app.access.session_schemas import OpenedSessionOut
from app.access.sessions import OpenedSession
from app.administration import own_passkeys
from app.api.http.anonymous_routes import AnonymousRoute, render_once
from app.api.http.authentication import get_address, limit_wrong_keys
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    IfNoneMatch,
    ManageSessions,
    Once,
    ReadDirectory,
)
from app.api.http.problems import KEYED, Answers, list_anonymous_problems, list_problems
from app.api.http.rate_limits import WrongKeyLimit
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.api.sessions import build_sessions
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.problems import NotFound, Problem, TooManyWrongKeys, Unauthenticated
from app.kernel.transactions import ReadTransaction, Runtime

router = ResourceRouter("passkeys", "/passkeys")
sign_in_router = APIRouter(tags=["passkeys"], route_class=AnonymousRoute)


class PasskeysNotOffered(Problem):
    """The service does not offer passkeys: use API keys."""

    status = 404


REFUSED: Final = "The sign-in failed. Request a new challenge, and use a passkey of yours."
CHALLENGE: Final = list_anonymous_problems(PasskeysNotOffered)
OPENED: Final[Answers] = {
    201: {"model": OpenedSessionOut, "description": "The session, with its token."},
    **list_anonymous_problems(PasskeysNotOffered, Unauthenticated),
}
SIGN_IN_ANSWERS: Final[Answers] = {
    **OPENED,
    **list_anonymous_problems(PasskeysNotOffered, Unauthenticated, NotFound),
}
REGISTER: Final = (PasskeysNotOffered, PasskeySessionNeeded, AuthenticationTooOld)
REGISTERED: Final[Answers] = {
    201: {"model": PasskeyOut, "description": "The passkey can be used to sign in."},
    **list_problems(*REGISTER, PasskeyRefused, *KEYED, IdempotencyKeyMissing),
}


def get_relying_party(request: Request) -> RelyingParty:
    """Return the relying party, or raise PasskeysNotOffered (404) if there is none."""
    party: RelyingParty | None = request.app.state.relying_party
    if party is None:
        raise PasskeysNotOffered(
            "The operator has to set SAFE_CONDUCT_PUBLIC_URL, with a name as the host."
        )
    return party


def limit_challenges(request: Request) -> None:
    """Count a challenge. Raises TooManyWrongKeys (429) if the address requests too many."""
    limit: WrongKeyLimit = request.app.state.throttle
    if wait := limit.count_challenge(get_address(request)):
        raise TooManyWrongKeys("Wait before you request another challenge.", wait=wait)


def render_opened(tx: ReadTransaction, opened: OpenedSession) -> Response:
    """Return the response with a new session and its token."""
    [shown] = build_sessions(tx, [opened.row])
    return render_once(OpenedSessionOut(**vars(shown), token=opened.token), 201)


def show_passkey(
    _: ReadTransaction, passkey: Passkey, status: int, headers: Headers
) -> Response:
    """Return the response that shows a passkey as it is now."""
    shown = PasskeyOut.model_validate(passkey)
    return render(shown, status=status, headers=headers)


def find_own(tx: ReadTransaction, passkey_id: UUID) -> Passkey:
    """Return a passkey of the caller, even a removed one, or raise NotFound (404)."""
    return passkey_queries.get_passkey(tx.session, passkey_id, tx.actor.person_id)


PASSKEY: Final = View(find_own, show_passkey)


@sign_in_router.post(
    "/passkey-challenges", response_model=PasskeyRequestOptions, responses=CHALLENGE
)
def create_passkey_challenge(request: Request) -> Response:
    """Request the options of a sign-in with a passkey. Needs no credential.

    The options are the same for everybody, except the challenge, which is valid once and
    for 5 minutes. Pass them to `navigator.credentials.get()`, and send the result to
    `POST /v1/sessions/passkey`.
    """
    party = get_relying_party(request)
    limit_challenges(request)
    runtime: Runtime = request.app.state.runtime
    challenge = create_challenge(runtime.vault, SIGN_IN, runtime.clock())
    return render_once(build_request_options(party, challenge))


@sign_in_router.post(
    "/sessions/passkey",
    status_code=201,
    response_model=OpenedSessionOut,
    responses=SIGN_IN_ANSWERS,
)
def create_session_with_passkey(request: Request, body: PasskeySignInInput) -> Response:
    """Sign in with a passkey, and get the token of a session. Needs no credential.

    The authenticator has to verify the user. Every invalid passkey gets the same 401. To
    sign in again before you open a section, name the old session in `replaces`. If it is
    not a session of yours, the response is 404. If no response arrives, request a new
    challenge and sign in again.
    """
    party = get_relying_party(request)
    wanted = PasskeySignIn(body.credential, body.account, body.replaces)
    try:
        runtime: Runtime = request.app.state.runtime
        return passkey_actions.sign_in(runtime, party, wanted, render_opened)
    except PasskeyRefused as error:
        limit_wrong_keys(request, get_name(body.credential))
        raise Unauthenticated(REFUSED) from error


def get_name(credential: dict[str, Any]) -> str:
    """Return the id of a credential in ASCII. Failures are counted by this id.

    The client may send any JSON value as the id, or text that cannot be encoded.
    """
    return ascii(credential.get("id"))


@router.get("", response_model=PasskeyList)
def list_passkeys(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List your passkeys, without removed ones."""
    with begin() as tx:
        found = passkey_queries.list_passkeys(tx.session, tx.actor.person_id)
        items = [PasskeyOut.model_validate(one) for one in found]
        return render(PasskeyList(items=items), if_none_match=if_none_match)


@router.serve_action("/options", PasskeyCreationOptions, *REGISTER)
def create_passkey_options(begin: ReadDirectory, request: Request) -> Response:
    """Request the options for registering another passkey of yours.

    You need a session that was opened with a passkey in the last 5 minutes. Pass the
    options to `navigator.credentials.create()`, and send the result to `POST /v1/passkeys`
    within 5 minutes.
    """
    party = get_relying_party(request)
    with begin() as tx:
        return render(own_passkeys.build_another(tx, party))


@router.post("", response_model=PasskeyOut, responses=REGISTERED)
def register_passkey(
    begin: ManageSessions, request: Request, key: Once, new: PasskeyInput
) -> Response:
    """Register another passkey, for example for a second device.

    You need a session that was opened with a passkey in the last 5 minutes.
    """
    party, made = get_relying_party(request), (new.credential, new.label)
    return PASSKEY.create_once(
        begin, key, lambda tx: own_passkeys.register_passkey(tx, party, made)
    )


@router.serve_action(
    "/{passkey_id}/remove",
    PasskeyOut,
    NotFound,
    LastPasskey,
    PasskeySessionNeeded,
    AuthenticationTooOld,
    *KEYED,
)
def remove_passkey(
    begin: ManageSessions, passkey_id: UUID, key: Once, body: PasskeyRemoval
) -> Response:
    """Remove one of your passkeys, and end the sessions that were opened with it.

    You need a session that was opened with a passkey in the last 5 minutes. Your last
    passkey is removed only if you send `even_last`. A removed passkey cannot be
    registered again.
    """
    return PASSKEY.run_once(
        begin,
        key,
        lambda tx: own_passkeys.remove_passkey(tx, passkey_id, even_last=body.even_last),
    )
