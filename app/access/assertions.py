"""JWT assertions by which a machine requests a token, checked by RFC 7523 (R26); pure.

The claims are parsed before they are verified, because they name the account and the key
that verify the signature. The header may only have the members listed here, so that no key
or URL of the sender is ever used.
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
"""Characters: enough for the largest signature and three times the necessary claims."""
LIFETIME: Final = 300
"""The longest time until the expiry of an assertion, in seconds."""
SKEW: Final = 60
"""Seconds by which the clock of a machine may differ from ours."""

Algorithm = Literal["ES384", "RS384", "EdDSA"]
CLIENT: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
JTI: Final = r"^[A-Za-z0-9._~-]{16,128}$"
Moment = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)],
    Field(union_mode="left_to_right"),  # else a number too large for a float is an error
]
"""Seconds since 1970 (RFC 7519, NumericDate)."""


class AssertionRefused(Exception):  # noqa: N818 - named by its meaning, like Problem
    """The assertion is not valid; the client does not learn why."""


class Header(BaseModel):
    """The header of an assertion: algorithm and key id; other members are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    alg: Algorithm
    kid: Annotated[str, Field(pattern=KID)]
    typ: Literal["JWT"] = "JWT"


class Claims(BaseModel):
    """The claims of an assertion; other claims are ignored."""

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
    """An assertion as text, with its parsed header and claims, which are not verified."""

    text: str
    header: Header
    claims: Claims

    @property
    def client(self) -> UUID:
        """The account that the assertion claims to be of."""
        return UUID(self.claims.iss)


class AllowedAlgorithms(JWSRegistry):
    """A registry with our algorithms only.

    It also avoids the library's warning on standard error that EdDSA has a new name
    (RFC 9864).
    """

    @override
    def get_alg(self, name: str) -> Any:
        """Return an algorithm if it is in our list, or raise UnsupportedAlgorithmError."""
        if name not in get_args(Algorithm):
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


REGISTRY: Final = AllowedAlgorithms()


def parse_assertion(text: str) -> Assertion:
    """Parse an assertion without verifying it; raises AssertionRefused."""
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
    """Raise AssertionRefused unless the key signed the assertion with its algorithm."""
    if assertion.header.alg != alg:
        raise AssertionRefused
    try:
        deserialize_compact(assertion.text, import_key(dict(jwk)), registry=REGISTRY)
    except JoseError as error:
        raise AssertionRefused from error


def verify_claims(assertion: Assertion, audience: str, now: datetime) -> None:
    """Raise AssertionRefused unless the claims name one client, our audience and now."""
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
