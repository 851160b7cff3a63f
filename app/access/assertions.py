"""JWT assertions with which a machine requests an access token (RFC 7523, R26).

The claims are parsed before they are verified, because they name the account whose key
verifies the signature. Members of the header that are not listed here are rejected, so that
a key or URL in the header is never used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args, override
from uuid import UUID

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, Field

from app.access.jwks import KID

MAX_LENGTH: Final = 4096
"""The maximum length in characters, enough for the largest signature and for three times
the length of the required claims."""
LIFETIME: Final = 300
"""The maximum time until the expiry of an assertion, in seconds."""
SKEW: Final = 60
"""The tolerance for a machine's clock in the checks of `iat` and `nbf`, in seconds."""
Algorithm = Literal["ES384", "RS384", "EdDSA"]
CLIENT: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
JTI: Final = r"^[A-Za-z0-9._~-]{16,128}$"
Moment = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)],
    Field(union_mode="left_to_right"),  # otherwise, too large a number raises an error
]
"""A time in seconds since 1970 (RFC 7519, NumericDate)."""


class AssertionRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The assertion is not valid. The response does not tell the client the reason."""


class Header(BaseModel):
    """The header of an assertion, which may contain only `alg`, `kid` and `typ`."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    alg: Algorithm
    kid: Annotated[str, Field(pattern=KID)]
    typ: Literal["JWT"] = "JWT"


class Claims(BaseModel):
    """The claims that the service checks in an assertion. Other claims are ignored."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    iss: Annotated[str, Field(pattern=CLIENT)]
    sub: str
    aud: str
    exp: Moment
    jti: Annotated[str, Field(pattern=JTI)]
    iat: Moment | None = None
    nbf: Moment | None = None


@dataclass(frozen=True)
class Assertion:
    """An assertion as text, with the header and claims parsed but not verified."""

    text: str
    header: Header
    claims: Claims

    @property
    def client(self) -> UUID:
        """The id of the account that the assertion claims to come from."""
        return UUID(self.claims.iss)


class AllowedAlgorithms(JWSRegistry):
    """A registry of the allowed algorithms, without the library's warning about EdDSA."""

    @override
    def get_alg(self, name: str) -> Any:
        """Return an allowed algorithm, or raise UnsupportedAlgorithmError."""
        if name not in get_args(Algorithm):
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


REGISTRY: Final = AllowedAlgorithms()


def parse_assertion(text: str) -> Assertion:
    """Parse an assertion without verifying it, or raise AssertionRefused."""
    parts = text.split(".")
    if len(text) > MAX_LENGTH or len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise AssertionRefused
    try:
        head, claims = (urlsafe_b64decode(part.encode("ascii")) for part in parts[:2])
        parsed = Header.model_validate_json(head), Claims.model_validate_json(claims)
    except ValueError as error:  # base64, ASCII, JSON or validation
        raise AssertionRefused from error
    return Assertion(text, *parsed)


def verify_signature(assertion: Assertion, jwk: Mapping[str, Any], alg: str) -> None:
    """Raise AssertionRefused unless the key signed the assertion with `alg`."""
    if assertion.header.alg != alg:
        raise AssertionRefused
    try:
        deserialize_compact(assertion.text, import_key(dict(jwk)), registry=REGISTRY)
    except JoseError as error:
        raise AssertionRefused from error


def verify_claims(assertion: Assertion, audience: str, now: datetime) -> None:
    """Raise AssertionRefused unless the client, audience and times are valid."""
    claims, moment = assertion.claims, now.timestamp()
    earliest, latest = moment - LIFETIME - SKEW, moment + SKEW
    fits = (
        claims.iss == claims.sub
        and claims.aud == audience
        and moment < claims.exp <= moment + LIFETIME
        and (claims.nbf is None or claims.nbf <= latest)
        and (claims.iat is None or earliest <= claims.iat <= latest)
    )
    if not fits:
        raise AssertionRefused
