"""Rights that end while an attacker hides their rows give nothing when they are restored.

The attacker can write to the database, and has no key (ADR 80).
"""

import pytest

from tests.support.authenticators import Authenticator
from tests.support.hidden_rows import add_hiding_policy, list_patterns
from tests.support.passkeys import (
    Office,
    sign_in,
)
from tests.support.world import World, get_problem


@pytest.mark.usefixtures("pg_url")
def test_person_whose_passkey_is_hidden_from_a_statement_gets_no_second_one(
    world: World,
) -> None:
    """If an enrolment that is no recovery begins, the earlier passkey is not valid."""
    office = Office(world)
    office.enrol(Authenticator())
    patterns = list_patterns(world, "passkey", office.begin)
    assert get_problem(office.begin()) == (409, "recovery-mismatch")

    assert patterns
    for pattern in patterns:
        office, device = Office(world), Authenticator()
        made, _ = office.enrol(device)
        with add_hiding_policy(world, "passkey", pattern):
            begun = office.begin()
        assert not begun.is_success or sign_in(world, made, device).status_code == 401
