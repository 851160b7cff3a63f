"""Tests that the steps for machines in docs/integrate.md work in another process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.support.administrators import ADMINISTRATOR
from tests.support.machine_keys import OFFICES, open_machine_account, register_key
from tests.support.servers import ROOT, Served, get_address, serve_world

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "integrate.md").read_text("utf-8")
FILES = re.compile(r"^```python\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    """Yield a service at the current time, with a token endpoint at its own address."""
    with serve_world(url) as made:
        made.now = datetime.now(UTC)
        before = made.app.state.token_endpoint
        made.app.state.token_endpoint = f"{get_address(made.port)}/v1/oauth/token"
        yield made
        made.app.state.token_endpoint = before


def test_a_machine_that_does_as_the_page_says_is_let_in(
    world: Served, tmp_path: Path
) -> None:
    one = open_machine_account(world)
    first, second = (world.add_person(office, ADMINISTRATOR) for office in OFFICES)
    there = {
        "SAFE_CONDUCT_URL": get_address(world.port),
        "SAFE_CONDUCT_CLIENT": str(one.actor.account_id),
    }
    for name, text in FILES.findall(PAGE):
        (tmp_path / name).write_text(text)

    def run(name: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-W", "error", name],
            cwd=tmp_path,
            env={**os.environ, **there},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    jwk, kid = run("pair.py")
    made = register_key(first, second, one, ECKey.import_key(json.loads(jwk)))
    [told] = run("machine.py")

    assert made["kid"] == kid
    assert "'kind': 'integration'" in told
    assert (tmp_path / "machine.pem").stat().st_mode & 0o777 == 0o600
