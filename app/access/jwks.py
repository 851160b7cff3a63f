"""Public keys as those who look after machines send them: JWK (RFC 7517), and no other.

Three kinds, each with the one algorithm it signs with (R26). What is private is refused by
name, so that who sent it learns that the key is no secret any more.
"""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from joserfc.errors import JoseError
from joserfc.jwk import DictKey, import_key, thumbprint
from joserfc.util import urlsafe_b64decode
from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from app.kernel.text import Asked

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""What only who signs may know, of any kind of key (RFC 7518, section 6)."""
KID: Final = r"^[A-Za-z0-9_-]{43}$"
KEY_BITS: Final = range(3072, 4096 + 1)
"""As strong as the others, and no more work to check than they are worth."""


def build_key_error() -> PydanticCustomError:
    """Say that it has the form of a key and is none."""
    return PydanticCustomError("key_unusable", "This is not a key that can be used.")


def validate_modulus(modulus: str) -> str:
    """Refuse a short number that is written long, and bits that mean nothing."""
    try:
        bits = int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()
    except ValueError as error:
        raise build_key_error() from error
    if bits not in KEY_BITS or (bits + 7) // 8 != len(modulus) * 3 // 4:
        raise build_key_error()
    return modulus


Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{64}$")]
Modulus = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{512,683}$"), AfterValidator(validate_modulus)
]
Point = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Jwk(Asked):
    """A public key: what it is called by is computed from what it consists of."""

    parts: ClassVar[tuple[str, ...]]
    kid: Annotated[
        Annotated[str, Field(pattern=KID)] | SkipJsonSchema[None],
        Field(description="If at all, its thumbprint of RFC 7638."),
    ] = None
    use: Literal["sig"] = "sig"
    key_ops: Annotated[list[Literal["verify"]], Field(max_length=1)] = ["verify"]

    @model_validator(mode="before")
    @classmethod
    def must_be_public(cls, said: Any) -> Any:
        """Refuse a private key by that name."""
        if isinstance(said, dict) and PRIVATE & said.keys():
            raise PydanticCustomError(
                "private_key_sent",
                "This is a private key. It is a secret no more: make another, and send "
                "the public half alone.",
            )
        return said

    @model_validator(mode="after")
    def must_be_of_use(self) -> Self:
        """Refuse numbers that are no such key, and another name for it than its own."""
        try:
            import_key(self.core)
        except (JoseError, ValueError) as error:
            raise build_key_error() from error
        if self.kid is not None and self.kid != self.thumbprint:
            raise PydanticCustomError(
                "kid_differs", "Its `kid` is its thumbprint: leave it out, or send that."
            )
        return self

    @property
    def core(self) -> DictKey:
        """What it consists of, and nothing that is said about it."""
        return {name: getattr(self, name) for name in self.parts}

    @property
    def thumbprint(self) -> str:
        """What it is called by."""
        return thumbprint(self.core)


class EcJwk(Jwk):
    """A point on the curve P-384."""

    parts = ("kty", "crv", "x", "y")
    kty: Literal["EC"]
    crv: Literal["P-384"]
    x: Coordinate
    y: Coordinate
    alg: Literal["ES384"] = "ES384"


class RsaJwk(Jwk):
    """A modulus of 3072 to 4096 bits."""

    parts = ("kty", "n", "e")
    kty: Literal["RSA"]
    n: Modulus
    e: Literal["AQAB"]
    alg: Literal["RS384"] = "RS384"


class OkpJwk(Jwk):
    """A point on the curve Ed25519."""

    parts = ("kty", "crv", "x")
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Point
    alg: Literal["EdDSA"] = "EdDSA"


PublicJwk = Annotated[EcJwk | RsaJwk | OkpJwk, Field(discriminator="kty")]
