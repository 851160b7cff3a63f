"""Client assertions that must be refused, each for one reason (R26)."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from app.access.assertions import LIFETIME, LONGEST, SKEW
from tests.support.machine_keys import (
    ENDPOINT,
    Machine,
    encode_segment,
    join_token,
    pair,
    public,
    signed,
    written,
)
from tests.support.world import PUBLIC

UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
ANOTHERS: Final = "the signature of another key"


def without(machine: Machine, *names: str) -> str:
    claims = {k: v for k, v in machine.claims().items() if k not in names}
    return signed(machine.key, machine.alg, machine.head(), claims)


def with_head(machine: Machine, **more: Any) -> str:
    return machine.signs(more)


def by_its_public_key(machine: Machine) -> str:
    """Sign with the public key as a shared secret (CVE-2015-9235)."""
    parts = (machine.head(alg="HS256"), machine.claims())
    said = ".".join(written(one) for one in parts)
    secret = machine.key.as_pem(private=False)
    return f"{said}.{encode_segment(hmac.digest(secret, said.encode(), hashlib.sha256))}"


def by_another(machine: Machine) -> str:
    other = pair("ES384", "another")
    return signed(other, "ES384", machine.head(), machine.claims())


def with_its_own_key(machine: Machine) -> str:
    """Sign with a key that only the header of the assertion names."""
    other = pair("ES384", "another")
    head = machine.head(jwk=public(other))
    return signed(other, "ES384", head, machine.claims())


def mutate_after_signing(machine: Machine) -> str:
    head, _, signature = machine.signs().split(".")
    return f"{head}.{written(machine.claims(exp=9))}.{signature}"


def now(machine: Machine) -> float:
    return machine.one.world.now.timestamp()


BAD: Final[dict[str, Callable[[Machine], str]]] = {
    # how it is signed
    "alg none": lambda m: join_token(m.head(alg="none"), m.claims()),
    "alg None": lambda m: join_token(m.head(alg="None"), m.claims()),
    "no signature": lambda m: join_token(m.head(), m.claims()),
    "HS256 with the public key": by_its_public_key,
    ANOTHERS: by_another,
    "changed after it was signed": mutate_after_signing,
    "RS384 with a key of ES384": lambda m: m.signs({"alg": "RS384"}),
    "an algorithm that is not listed": lambda m: m.signs({"alg": "ES256"}),
    "no alg": lambda m: signed(m.key, m.alg, {"kid": m.kid}, m.claims()),
    "alg as a list": lambda m: with_head(m, alg=["ES384"]),
    "a signature of zeros": lambda m: join_token(
        m.head(), m.claims(), encode_segment(bytes(96))
    ),
    "a signature in DER": lambda m: join_token(
        m.head(), m.claims(), encode_segment(b"\x30" * 102)
    ),
    # which key
    "an unknown kid": lambda m: with_head(m, kid="A" * 43),
    "no kid": lambda m: signed(m.key, m.alg, {"alg": m.alg}, m.claims()),
    "a kid that is a path": lambda m: with_head(m, kid="../../dev/null"),
    "a key in the header": with_its_own_key,
    "jku": lambda m: with_head(m, jku="https://elsewhere.example/keys"),
    "x5u": lambda m: with_head(m, x5u="https://elsewhere.example/chain"),
    "x5c": lambda m: with_head(m, x5c=["MIIB"]),
    "crit": lambda m: with_head(m, crit=["exp"], exp=1),
    "b64": lambda m: with_head(m, crit=["b64"], b64=False),
    "another typ": lambda m: with_head(m, typ="at+jwt"),
    "something new in the header": lambda m: with_head(m, new=1),
    # whose, and for whom
    "iss is not sub": lambda m: m.signs(sub="00000000-0000-4000-8000-000000000000"),
    "an unknown client": lambda m: m.signs(iss=UNKNOWN, sub=UNKNOWN),
    "no iss": lambda m: without(m, "iss"),
    "no sub": lambda m: without(m, "sub"),
    "a client in capitals": lambda m: m.signs(iss=m.client.upper()),
    "aud of elsewhere": lambda m: m.signs(aud="https://elsewhere.example/v1/oauth/token"),
    "aud of the service alone": lambda m: m.signs(aud=PUBLIC),
    "aud with something after it": lambda m: m.signs(aud=f"{ENDPOINT}/"),
    "aud with more": lambda m: m.signs(aud=[ENDPOINT, "https://elsewhere.example"]),
    "aud as a list": lambda m: m.signs(aud=[ENDPOINT]),
    "no aud": lambda m: without(m, "aud"),
    # when
    "exp is past": lambda m: m.signs(exp=now(m) - 1),
    "exp is now": lambda m: m.signs(exp=now(m)),
    "exp is too far": lambda m: m.signs(exp=now(m) + LIFETIME + 1),
    "exp is for ever": lambda m: m.signs(exp=10**400),
    "exp is a text": lambda m: m.signs(exp=str(now(m) + 60)),
    "exp is true": lambda m: m.signs(exp=True),
    "exp is not a number": lambda m: m.signs(exp=float("nan")),
    "exp is infinite": lambda m: m.signs(exp=float("inf")),
    "no exp": lambda m: without(m, "exp"),
    "nbf is in the future": lambda m: m.signs(nbf=now(m) + SKEW + 1),
    "iat is in the future": lambda m: m.signs(iat=now(m) + SKEW + 1),
    "signed long ago": lambda m: m.signs(iat=now(m) - LIFETIME - SKEW - 1),
    # which
    "no jti": lambda m: without(m, "jti"),
    "a short jti": lambda m: m.signs(jti="x" * 15),
    "a long jti": lambda m: m.signs(jti="x" * 129),
    "a jti with something in it": lambda m: m.signs(jti="0123456789abcde\n"),
    "a jti that is a number": lambda m: m.signs(jti=10**20),
    # what it is
    "nothing at all": lambda _: "x",
    "two parts": lambda m: m.signs().rpartition(".")[0],
    "four parts": lambda m: f"{m.signs()}.x",
    "empty parts": lambda _: "..",
    "oversize": lambda m: m.signs(more="x" * LONGEST),
    "a header of brackets": lambda m: (
        f"{encode_segment(b'[' * 900)}.{m.signs().partition('.')[2]}"
    ),
    "claims of brackets": lambda m: f"{written(m.head())}.{encode_segment(b'[' * 2000)}.x",
    "a header that is a list": lambda m: signed(m.key, m.alg, ["alg"], m.claims()),
    "claims that are a list": lambda m: signed(m.key, m.alg, m.head(), [m.claims()]),
    "base 64 with padding": lambda m: f"{m.signs()}==",
    "in quotes": lambda m: f'"{m.signs()}"',
    "in a script": lambda m: m.signs().replace("e", "\u0435"),
}
