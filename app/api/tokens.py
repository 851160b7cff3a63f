"""The OAuth token endpoint for machines (RFC 6749, section 4.4; RFC 7523; R26, R27).

As OAuth clients expect, the route takes form data, needs no Idempotency-Key, and returns
the errors of RFC 6749. A signature is verified before any row is locked, so that requests
with forged signatures neither wait nor block other requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.access import machine_keys, tokens
from app.access.assertions import (
    AssertionRefused,
    parse_assertion,
    verify_claims,
    verify_signature,
)
from app.access.schemas import TokenOut, TokenRefused
from app.access.tokens import IssuedToken, ScopeRefused
from app.api.http.anonymous_bodies import AnonymousBodies
from app.api.http.authentication import enforce_rate_limit, limit_wrong_keys
from app.api.http.authorization import OAUTH2_PATH
from app.api.http.problems import Answers, list_problems
from app.api.http.strict_json import FORM, parse_media_type
from app.kernel.problems import Problem
from app.kernel.transactions import Runtime

router = APIRouter(prefix="/oauth", tags=["tokens"])
PATH: Final = OAUTH2_PATH
FIELDS: Final = 20
"""The maximum number of form fields: the known fields, and some that clients may add."""
GRANT: Final = "client_credentials"
JWT: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
"""The challenge that a 401 must have (RFC 9110). No scheme is defined for assertions."""


class TokensNotIssued(Problem):
    """The service does not issue tokens: use API keys."""

    status = 404


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The service refuses to issue a token, with an error code of RFC 6749."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(error)
        self.error, self.why = error, why


@dataclass(frozen=True)
class TokenRequest:
    """The assertion, client and scopes of a token request."""

    assertion: str
    client: str | None
    scopes: list[str] | None


FORM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["grant_type", "client_assertion_type", "client_assertion"],
    "properties": {
        "grant_type": {"type": "string", "const": GRANT},
        "client_assertion_type": {"type": "string", "const": JWT},
        "client_assertion": {
            "type": "string",
            "description": "The JWT that the machine has signed.",
            "maxLength": 4096,
        },
        "client_id": {
            "type": "string",
            "description": "Optional. The id of the account that signed the assertion.",
        },
        "scope": {
            "type": "string",
            "description": "Scopes separated by spaces. Default: all scopes of the key.",
            "examples": ["feed:read cases:read"],
        },
    },
}
PROBLEMS: Final = list_problems(TokensNotIssued)
ANSWERS: Final[Answers] = {
    400: {"model": TokenRefused, "description": "The request or its scope is not valid."},
    401: {"model": TokenRefused, "description": "`invalid_client`: not authenticated."},
    **{status: PROBLEMS[status] for status in (404, 429, 503)},
}


async def read_form(request: Request) -> bytes:
    """Read the body of a token request.

    Raises HTTPException (415) if the body is not a form, or the errors of
    `AnonymousBodies.read`.
    """
    if parse_media_type(request.headers) != FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    bodies: AnonymousBodies = request.app.state.anonymous_bodies
    return await bodies.read(request)


@router.post(
    "/token",
    response_model=TokenOut,
    responses=ANSWERS,
    openapi_extra={
        "requestBody": {"content": {FORM: {"schema": FORM_SCHEMA}}, "required": True}
    },
)
def issue_token(request: Request, body: Annotated[bytes, Depends(read_form)]) -> Response:
    """Issue an access token for at most 15 minutes to a machine that sends a signed JWT.

    The client is the account. It signs a JWT with one of its registered keys and ES384,
    RS384 or EdDSA. The header has `alg` and `kid`, and optionally `typ`. The claims are
    `iss` and `sub`, both with the id of the account; `aud`, the full URL of this operation;
    `exp`, at most 5 minutes in the future; and `jti`, 16 to 128 random letters and digits
    that were never used before. There is no refresh token: sign a new JWT.
    """
    endpoint: str | None = request.app.state.token_endpoint
    if endpoint is None:
        raise TokensNotIssued("The operator has to set SAFE_CONDUCT_PUBLIC_URL for tokens.")
    try:
        token = grant_token(request, parse_request(request, body), endpoint)
        return render_token(request, token)
    except Refused as refused:
        refusal = TokenRefused(error=refused.error, error_description=refused.why)
        unknown = refused.error == "invalid_client"
        status, headers = (401, CHALLENGE) if unknown else (400, None)
        return JSONResponse(refusal.model_dump(), status, headers)


def parse_request(request: Request, body: bytes) -> TokenRequest:
    """Parse a token request. Unknown fields are ignored (RFC 6749, section 3.2).

    Raises Refused if the request is not valid.
    """
    if request.query_params or "authorization" in request.headers:
        raise Refused("invalid_request", "Send no query and no `Authorization` header.")
    fields = parse_form(body)
    if "grant_type" not in fields or "client_secret" in fields:
        raise Refused("invalid_request", "Send `grant_type`, but no `client_secret`.")
    if fields["grant_type"] != GRANT:
        raise Refused("unsupported_grant_type", f"The only `grant_type` is `{GRANT}`.")
    if fields.get("client_assertion_type") != JWT or "client_assertion" not in fields:
        why = f"Send `client_assertion`, with the `client_assertion_type` {JWT}."
        raise Refused("invalid_request", why)
    scope = fields.get("scope")
    scopes = None if scope is None else scope.split(" ")
    return TokenRequest(fields["client_assertion"], fields.get("client_id"), scopes)


def parse_form(body: bytes) -> Mapping[str, str]:
    """Parse a form and drop its empty fields.

    Raises Refused if the body is not a form or has a duplicate field.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FIELDS,
        )
    except ValueError as error:
        raise Refused("invalid_request", "The body is not a form.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(
            "invalid_request", "The form has a field more than once. Send each field once."
        )
    return {name: value for name, value in found.items() if value}


def grant_token(
    request: Request, token_request: TokenRequest, endpoint: str
) -> IssuedToken:
    """Verify the assertion of a request and issue a token.

    Raises Refused if the assertion or the scope is not valid, TooManyWrongKeys (429) after
    too many wrong assertions, or TooManyRequests (429) for too many requests. All wrong
    assertions get the same response.
    """
    runtime: Runtime = request.app.state.runtime
    client = token_request.client or ""
    try:
        assertion = parse_assertion(token_request.assertion)
        client = assertion.claims.iss
        with runtime.database.begin_read() as session:
            key = machine_keys.find_signing_key(session, assertion, runtime.clock())
        verify_signature(assertion, key.jwk, key.alg)
        verify_claims(assertion, endpoint, runtime.clock())
        require_same_client(client, token_request.client)
        enforce_rate_limit(request, key.account_id)
        scopes = tokens.resolve_scopes(key, token_request.scopes)
        with runtime.database.begin_write() as session:
            return tokens.grant_token(session, assertion, scopes, runtime.clock())
    except AssertionRefused as error:
        limit_wrong_keys(request, client)
        raise Refused("invalid_client", "The assertion is not valid.") from error
    except ScopeRefused as error:
        why = "The key was not registered for this scope."
        raise Refused("invalid_scope", why) from error


def require_same_client(signer: str, client_id: str | None) -> None:
    """Raise AssertionRefused if `client_id` is given and is not the account that signed."""
    if client_id not in {None, signer}:
        raise AssertionRefused


def render_token(request: Request, made: IssuedToken) -> Response:
    """Return the response with a token, its type, its lifetime and its scopes."""
    runtime: Runtime = request.app.state.runtime
    left = (made.expires_at - runtime.clock()).total_seconds()
    shown = TokenOut(
        access_token=made.token,
        token_type="Bearer",  # noqa: S106 - the type
        expires_in=int(left),
        scope=" ".join(made.scopes),
    )
    return JSONResponse(shown.model_dump())
