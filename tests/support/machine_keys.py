"""Machine accounts with key pairs, the registration of keys, and signed assertions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from uuid import uuid4

from httpx2 import Response
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.util import json_b64encode, urlsafe_b64encode

from app.access.assertions import REGISTRY
from app.kernel.actors import AccountKind, Role, Scope
from tests.support.account_changes import add_with, get_account_path
from tests.support.administrators import ADMINISTRATOR
from tests.support.world import EVERYTHING, PUBLIC, WORKERS, Json, Someone, World, unwrap

ENDPOINT: Final = f"{PUBLIC}/v1/oauth/token"
JWT: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
type Pair = ECKey | RSAKey | OKPKey

KINDS: Final = ("ES384", "RS384", "EdDSA")
READS: Final = ["directory:read", "feed:read"]

OFFICES: Final = ("DESK_CENTRAL_ASIA", "OVERSIGHT_DEMO")
"""The offices of the two administrators who register a key."""


@cache
def get_key_pair(kind: str, name: str = "") -> Pair:
    """Return the key pair of this kind and name, which the first call generates."""
    assert kind in KINDS, name
    match kind:
        case "ES384":
            return ECKey.generate_key("P-384")
        case "RS384":
            return RSAKey.generate_key(3072)
        case _:
            return OKPKey.generate_key("Ed25519")


def get_public_key(key: Pair) -> Json:
    return dict(key.as_dict(private=False))


def encode_segment(said: bytes) -> str:
    return urlsafe_b64encode(said).decode()


def encode_part(part: Any) -> str:
    return json_b64encode(part).decode()


def sign_token(key: Pair, alg: str, header: Any, claims: Any) -> str:
    """Return a token signed with an algorithm, even if the header names a different one."""
    signed = f"{encode_part(header)}.{encode_part(claims)}"
    return f"{signed}.{encode_segment(REGISTRY.get_alg(alg).sign(signed.encode(), key))}"


@dataclass
class Machine:
    """The account of a machine with its key pair."""

    one: Someone
    key: Pair
    alg: str = "ES384"
    header: Json = field(default_factory=dict)

    @property
    def client(self) -> str:
        return str(self.one.actor.account_id)

    @property
    def kid(self) -> str:
        return self.key.thumbprint()

    def make_header(self, **other: Any) -> Json:
        return {"alg": self.alg, "kid": self.kid, "typ": "JWT"} | other

    def make_claims(self, **other: Any) -> Json:
        now = self.one.world.now.timestamp()
        return {
            "iss": self.client,
            "sub": self.client,
            "aud": ENDPOINT,
            "exp": now + 60,
            "iat": now,
            "jti": str(uuid4()),
        } | other

    def sign(self, head: Json | None = None, /, **other: Any) -> str:
        """Return a signed assertion with these changes to its header and its claims."""
        return sign_token(
            self.key, self.alg, self.make_header(**(head or {})), self.make_claims(**other)
        )

    def request_token(self, assertion: str | None = None, **fields: str) -> Response:
        return request_token(self.one.world, assertion or self.sign(), **fields)

    def sign_in(self, **fields: str) -> Someone:
        """Request an access token with an assertion; return an account with the token."""
        made = unwrap(self.request_token(**fields))
        return Someone(self.one.world, self.one.code, self.one.actor, made["access_token"])


def request_token(world: World, assertion: str, **fields: str) -> Response:
    """Request an access token."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT,
        "client_assertion": assertion,
    }
    return world.http.post("/v1/oauth/token", data=form | fields)


def open_machine_account(
    world: World, focal_point: str = "KZ_LEAD", roles: Iterable[Role] = WORKERS
) -> Someone:
    """Create an account for a machine."""
    return world.add_person(focal_point, roles, EVERYTHING, AccountKind.INTEGRATION)


def make_registration(key: Pair, *scopes: str | Scope, days: int = 90) -> Json:
    return {"jwk": get_public_key(key), "scopes": list(scopes or READS), "days": days}


def get_keys_path(one: Someone) -> str:
    return f"{get_account_path(one)}/public-keys"


def register_key(  # noqa: PLR0913, PLR0917 - tests vary each of them
    who: Someone,
    second: Someone,
    one: Someone,
    key: Pair,
    scopes: tuple[str, ...] = (),
    days: int = 90,
) -> Json:
    """Register a public key with the approval of a second person."""
    return add_with(
        who, second, get_keys_path(one), make_registration(key, *scopes, days=days)
    )


def register_machine(
    world: World,
    name: str = "",
    *,
    of: str = "KZ_LEAD",
    roles: Iterable[Role] = WORKERS,
) -> Machine:
    """Create the account of a machine, and let two administrators register its key."""
    first, second = (world.add_person(office, ADMINISTRATOR) for office in OFFICES)
    made = Machine(open_machine_account(world, of, roles), get_key_pair("ES384", name))
    register_key(first, second, made.one, made.key)
    return made


def join_token(head: Json, claims: Json, signature: str = "") -> str:
    return f"{encode_part(head)}.{encode_part(claims)}.{signature}"
