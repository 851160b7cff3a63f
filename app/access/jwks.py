"""Public keys of machines as JSON Web Keys (RFC 7517).

There are three key types, each with one algorithm (R26). A private key is rejected with a
separate error, which tells the sender that the key is compromised.
"""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from joserfc.errors import JoseError
from joserfc.jwk import DictKey, import_key, thumbprint
from joserfc.util import urlsafe_b64decode
from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from app.kernel.text import RequestModel

PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The names of the private members of all key types (RFC 7518, section 6)."""
KID: Final = r"^[A-Za-z0-9_-]{43}$"
KEY_BITS: Final = range(3072, 4096 + 1)
"""The allowed sizes of RSA keys in bits: at least 128 bits of security, and fast."""


def build_key_error() -> PydanticCustomError:
    """Return the validation error for a value that looks like a key but cannot be used."""
    return PydanticCustomError("key_unusable", "This key cannot be used.")


def validate_modulus(modulus: str) -> str:
    """Return an RSA modulus; raise a validation error for a bad size or encoding."""
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


def list_operations() -> list[Literal["verify"]]:
    """Return the default of `key_ops`: a key only verifies signatures (RFC 7517, 4.3)."""
    return ["verify"]


class Jwk(RequestModel):
    """A public key, which is identified by its thumbprint."""

    parts: ClassVar[tuple[str, ...]]
    kid: Annotated[
        Annotated[str, Field(pattern=KID)] | SkipJsonSchema[None],
        Field(description="If given, the thumbprint of the key (RFC 7638)."),
    ] = None
    use: Literal["sig"] = "sig"
    key_ops: list[Literal["verify"]] = Field(default_factory=list_operations, max_length=1)

    @model_validator(mode="before")
    @classmethod
    def require_public(cls, given: Any) -> Any:
        """Raise a validation error if the key has private members."""
        if isinstance(given, dict) and PRIVATE & given.keys():
            raise PydanticCustomError(
                "private_key_sent",
                "This is a private key, and is now compromised. Make another key pair and "
                "send only the public key.",
            )
        return given

    @model_validator(mode="after")
    def require_usable(self) -> Self:
        """Raise a validation error if the key is invalid or `kid` is not its thumbprint."""
        try:
            import_key(self.core)
        except (JoseError, ValueError) as error:
            raise build_key_error() from error
        if self.kid is not None and self.kid != self.thumbprint:
            raise PydanticCustomError(
                "kid_differs", "`kid` must be the thumbprint of the key, or be left out."
            )
        return self

    @property
    def core(self) -> DictKey:
        """The members that define the key, without metadata such as `use`."""
        return {name: getattr(self, name) for name in self.parts}

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the key (RFC 7638)."""
        return thumbprint(self.core)


class EcJwk(Jwk):
    """An elliptic curve key: a point on the curve P-384."""

    parts = ("kty", "crv", "x", "y")
    kty: Literal["EC"]
    crv: Literal["P-384"]
    x: Coordinate
    y: Coordinate
    alg: Literal["ES384"] = "ES384"


class RsaJwk(Jwk):
    """An RSA key with a modulus of 3072 to 4096 bits."""

    parts = ("kty", "n", "e")
    kty: Literal["RSA"]
    n: Modulus
    e: Literal["AQAB"]
    alg: Literal["RS384"] = "RS384"


class OkpJwk(Jwk):
    """An EdDSA key: a point on the curve Ed25519."""

    parts = ("kty", "crv", "x")
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Point
    alg: Literal["EdDSA"] = "EdDSA"


type PublicJwk = Annotated[EcJwk | RsaJwk | OkpJwk, Field(discriminator="kty")]
