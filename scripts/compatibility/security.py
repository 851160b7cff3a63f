"""The comparison of the security schemes and scopes of two operations."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from compatibility.changes import Difference, make_addition, make_breaking_change
from compatibility.places import Place

SCOPE: Final = re.compile(r"scope `([a-z:]+)`")
"""The scopes of API keys are in the description, because OpenAPI has no field for them."""


def compare_security(old: Place, new: Place) -> Iterator[Difference]:
    """Compare access: each old way to sign in must still be sufficient."""
    then, now = get_security(old), get_security(new)
    place = new.get("security")
    for way in then:
        if not any(is_sufficient(way, other) for other in now):
            yield make_breaking_change(
                place, f"{describe_sign_in(way)} no longer gives access."
            )
    for way in now:
        if not any(is_sufficient(way, other) for other in then):
            yield make_addition(place, f"{describe_sign_in(way)} gives access too.")


def get_security(operation: Place) -> list[Mapping[str, list[str]]]:
    """Return the ways to sign in. If there are none, the operation is open to everybody."""
    everywhere = operation.root.get("security", [])
    return operation.get("security", everywhere).value or [{}]


def is_sufficient(way: Mapping[str, list[str]], asked_for: Mapping[str, list[str]]) -> bool:
    """Return whether one way to sign in includes everything that another way requires."""
    return all(
        scheme in way and set(scopes) <= set(way[scheme])
        for scheme, scopes in asked_for.items()
    )


def describe_sign_in(way: Mapping[str, list[str]]) -> str:
    """Return a way to sign in, in the form in which messages name it."""
    parts = [" ".join([scheme, *scopes]) for scheme, scopes in way.items()]
    return f"Signing in with {' and '.join(parts)}" if parts else "No sign-in"


def compare_scopes(old: Place, new: Place) -> Iterator[Difference]:
    """Compare the scopes that an API key needs."""
    then, now = (
        set(SCOPE.findall(str(place.get("description").value))) for place in (old, new)
    )
    for scope in sorted(now - then):
        yield make_breaking_change(
            new.get("description"), f"An API key needs the scope {scope}."
        )
    for scope in sorted(then - now):
        yield make_addition(
            new.get("description"), f"An API key no longer needs the scope {scope}."
        )
