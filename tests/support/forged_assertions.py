"""Client assertions that must be refused, each for one reason (R26)."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from app.access.assertions import LIFETIME, MAX_LENGTH, SKEW
from tests.support.machine_keys import (
    ENDPOINT,
    Machine,
    encode_part,
    encode_segment,
    get_key_pair,
    get_public_key,
    join_token,
    sign_token,
)
from tests.support.world import PUBLIC

UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
ANOTHERS: Final = "the signature of another key"


def remove_claims(machine: Machine, *names: str) -> str:
    claims = {k: v for k, v in machine.make_claims().items() if k not in names}
    return sign_token(machine.key, machine.alg, machine.make_header(), claims)


def with_head(machine: Machine, **more: Any) -> str:
    return machine.sign(more)


def by_its_public_key(machine: Machine) -> str:
    """Sign an assertion with the public key as if it were a secret (CVE-2015-9235)."""
    parts = (machine.make_header(alg="HS256"), machine.make_claims())
    token = ".".join(encode_part(one) for one in parts)
    secret = machine.key.as_pem(private=False)
    return f"{token}.{encode_segment(hmac.digest(secret, token.encode(), hashlib.sha256))}"


def by_another(machine: Machine) -> str:
    other = get_key_pair("ES384", "another")
    return sign_token(other, "ES384", machine.make_header(), machine.make_claims())


def with_its_own_key(machine: Machine) -> str:
    """Sign an assertion with a key that only the header of the assertion contains."""
    other = get_key_pair("ES384", "another")
    head = machine.make_header(jwk=get_public_key(other))
    return sign_token(other, "ES384", head, machine.make_claims())


def mutate_after_signing(machine: Machine) -> str:
    head, _, signature = machine.sign().split(".")
    return f"{head}.{encode_part(machine.make_claims(exp=9))}.{signature}"


def get_now(machine: Machine) -> float:
    return machine.one.world.now.timestamp()


BAD: Final[dict[str, Callable[[Machine], str]]] = {
    # the signature
    "alg none": lambda m: join_token(m.make_header(alg="none"), m.make_claims()),
    "alg None": lambda m: join_token(m.make_header(alg="None"), m.make_claims()),
    "no signature": lambda m: join_token(m.make_header(), m.make_claims()),
    "HS256 with the public key": by_its_public_key,
    ANOTHERS: by_another,
    "changed after it was signed": mutate_after_signing,
    "RS384 with a key of ES384": lambda m: m.sign({"alg": "RS384"}),
    "an algorithm that is not listed": lambda m: m.sign({"alg": "ES256"}),
    "no alg": lambda m: sign_token(m.key, m.alg, {"kid": m.kid}, m.make_claims()),
    "alg as a list": lambda m: with_head(m, alg=["ES384"]),
    "a signature of zeros": lambda m: join_token(
        m.make_header(), m.make_claims(), encode_segment(bytes(96))
    ),
    "a signature in DER": lambda m: join_token(
        m.make_header(), m.make_claims(), encode_segment(b"\x30" * 102)
    ),
    # the key
    "an unknown kid": lambda m: with_head(m, kid="A" * 43),
    "no kid": lambda m: sign_token(m.key, m.alg, {"alg": m.alg}, m.make_claims()),
    "a kid that is a path": lambda m: with_head(m, kid="../../dev/null"),
    "a key in the header": with_its_own_key,
    "jku": lambda m: with_head(m, jku="https://elsewhere.example/keys"),
    "x5u": lambda m: with_head(m, x5u="https://elsewhere.example/chain"),
    "x5c": lambda m: with_head(m, x5c=["MIIB"]),
    "crit": lambda m: with_head(m, crit=["exp"], exp=1),
    "b64": lambda m: with_head(m, crit=["b64"], b64=False),
    "another typ": lambda m: with_head(m, typ="at+jwt"),
    "something new in the header": lambda m: with_head(m, new=1),
    # the issuer and the audience
    "iss is not sub": lambda m: m.sign(sub="00000000-0000-4000-8000-000000000000"),
    "an unknown client": lambda m: m.sign(iss=UNKNOWN, sub=UNKNOWN),
    "no iss": lambda m: remove_claims(m, "iss"),
    "no sub": lambda m: remove_claims(m, "sub"),
    "a client in capitals": lambda m: m.sign(iss=m.client.upper()),
    "aud of elsewhere": lambda m: m.sign(aud="https://elsewhere.example/v1/oauth/token"),
    "aud of the service alone": lambda m: m.sign(aud=PUBLIC),
    "aud with something after it": lambda m: m.sign(aud=f"{ENDPOINT}/"),
    "aud with more": lambda m: m.sign(aud=[ENDPOINT, "https://elsewhere.example"]),
    "aud as a list": lambda m: m.sign(aud=[ENDPOINT]),
    "no aud": lambda m: remove_claims(m, "aud"),
    # the times
    "exp is past": lambda m: m.sign(exp=get_now(m) - 1),
    "exp is now": lambda m: m.sign(exp=get_now(m)),
    "exp is too far": lambda m: m.sign(exp=get_now(m) + LIFETIME + 1),
    "exp is for ever": lambda m: m.sign(exp=10**400),
    "exp is a text": lambda m: m.sign(exp=str(get_now(m) + 60)),
    "exp is true": lambda m: m.sign(exp=True),
    "exp is not a number": lambda m: m.sign(exp=float("nan")),
    "exp is infinite": lambda m: m.sign(exp=float("inf")),
    "no exp": lambda m: remove_claims(m, "exp"),
    "nbf is in the future": lambda m: m.sign(nbf=get_now(m) + SKEW + 1),
    "iat is in the future": lambda m: m.sign(iat=get_now(m) + SKEW + 1),
    "signed long ago": lambda m: m.sign(iat=get_now(m) - LIFETIME - SKEW - 1),
    # the id of the assertion
    "no jti": lambda m: remove_claims(m, "jti"),
    "a short jti": lambda m: m.sign(jti="x" * 15),
    "a long jti": lambda m: m.sign(jti="x" * 129),
    "a jti with something in it": lambda m: m.sign(jti="0123456789abcde\n"),
    "a jti that is a number": lambda m: m.sign(jti=10**20),
    # the format
    "nothing at all": lambda _: "x",
    "two parts": lambda m: m.sign().rpartition(".")[0],
    "four parts": lambda m: f"{m.sign()}.x",
    "empty parts": lambda _: "..",
    "oversize": lambda m: m.sign(more="x" * MAX_LENGTH),
    "a header of brackets": lambda m: (
        f"{encode_segment(b'[' * 900)}.{m.sign().partition('.')[2]}"
    ),
    "claims of brackets": lambda m: (
        f"{encode_part(m.make_header())}.{encode_segment(b'[' * 2000)}.x"
    ),
    "a header that is a list": lambda m: sign_token(m.key, m.alg, ["alg"], m.make_claims()),
    "claims that are a list": lambda m: sign_token(
        m.key, m.alg, m.make_header(), [m.make_claims()]
    ),
    "base 64 with padding": lambda m: f"{m.sign()}==",
    "in quotes": lambda m: f'"{m.sign()}"',
    "in a script": lambda m: m.sign().replace("e", "\u0435"),
}
