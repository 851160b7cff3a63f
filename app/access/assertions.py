"""What a machine signs to be given a token, held against RFC 7523: pure (R26).

It is read first and believed last: whose it says it is finds the key, the key says whether
that is so. The library checks the signature; what a header may say is listed here, so that
no key, address or exception of the sender's is ever looked at.
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

LONGEST: Final = 4096
"""Characters: the largest signature there is, and three times what needs to be said."""
LIFETIME: Final = 300
"""Seconds that it may be valid at most, from now on."""
SKEW: Final = 60
"""Seconds that the clock of a machine may be ahead of ours, or behind."""

Algorithm = Literal["ES384", "RS384", "EdDSA"]
CLIENT: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
JTI: Final = r"^[A-Za-z0-9._~-]{16,128}$"
Moment = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)],
    Field(union_mode="left_to_right"),  # else a number too large for a float is a fault
]
"""Seconds since 1970 (RFC 7519, NumericDate)."""


class AssertionRefused(Exception):  # noqa: N818 - it is no fault of ours
    """It proves nothing. Why is told to nobody."""


class Header(BaseModel):
    """How it says it is signed, and with which key; whatever else it says is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    alg: Algorithm
    kid: Annotated[str, Field(pattern=KID)]
    typ: Literal["JWT"] = "JWT"


class Claims(BaseModel):
    """What it says; more may be there, and means nothing here."""

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
    """What was sent, and what it says of itself."""

    text: str
    header: Header
    claims: Claims

    @property
    def client(self) -> UUID:
        """The account that it says it is of."""
        return UUID(self.claims.iss)


class AllowedAlgorithms(JWSRegistry):
    """Our algorithms in the library, without its word that EdDSA has a new name (RFC 9864).

    It warns of that on standard error.
    """

    @override
    def get_alg(self, name: str) -> Any:
        """Find one that is listed, and no other, whatever a header says."""
        if name not in get_args(Algorithm):
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


REGISTRY: Final = AllowedAlgorithms()


def read(text: str) -> Assertion:
    """Read what nobody has proved yet; raises AssertionRefused."""
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise AssertionRefused
    try:
        head, claims = (urlsafe_b64decode(part.encode("ascii")) for part in parts[:2])
        said = Header.model_validate_json(head), Claims.model_validate_json(claims)
    except ValueError as error:  # of base 64, of ASCII, of JSON and of its form
        raise AssertionRefused from error
    return Assertion(text, *said)


def must_be_signed(said: Assertion, jwk: Mapping[str, Any], alg: str) -> None:
    """Raise AssertionRefused unless this key, in the one way it signs, has signed it."""
    if said.header.alg != alg:
        raise AssertionRefused
    try:
        deserialize_compact(said.text, import_key(dict(jwk)), registry=REGISTRY)
    except JoseError as error:
        raise AssertionRefused from error


def must_be_for(said: Assertion, audience: str, now: datetime) -> None:
    """Raise AssertionRefused unless it is of one client, for us alone, and for now."""
    claims, moment = said.claims, now.timestamp()
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
