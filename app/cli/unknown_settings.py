"""Environment variables and secret files that look like settings and are none."""

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from app.cli.calling import plain
from app.settings import PREFIX, SECRETS, Caller, Settings

SETTINGS: Final = frozenset(
    f"{PREFIX}{name.upper()}" for name in {**Settings.model_fields, **Caller.model_fields}
)
OTHERS: Final = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("SECRETS", "LISTEN"),  # compose.yaml
        *("MIGRATOR_PASSWORD", "SERVICE_PASSWORD"),  # deploy/postgresql/roles.sql
        *("KEY", "CLIENT", "WEBHOOK_SECRET"),  # docs/integrate.md and conformance/
    )
)
"""Variables that are read by other programs than `safe-conduct`."""
TESTS: Final = f"{PREFIX}TEST_"
"""The first letters of variables that are read by the tests."""


def list_unknown(names: Iterable[str] | None = None) -> list[str]:
    """Return a warning for each name that begins like a setting and is none.

    Without `names`, those of the environment and of the files in `/run/secrets`. A warning
    has the name and never the value, which may be a secret.
    """
    found = {name.upper() for name in (all_names() if names is None else names)}
    return [
        describe(name)
        for name in sorted(found)
        if name.startswith(PREFIX)
        and name not in SETTINGS | OTHERS
        and not name.startswith(TESTS)
    ]


def all_names(folder: Path = SECRETS) -> Iterator[str]:
    """Return the names of environment variables and of secret files.

    Letters count alike, small or capital: pydantic reads both.
    """
    yield from os.environ
    if folder.is_dir():
        yield from (file.name for file in folder.iterdir())


def describe(name: str) -> str:
    """Describe a name that is no setting, and suggest the nearest setting."""
    known = sorted(setting.removeprefix(PREFIX) for setting in SETTINGS)
    near = get_close_matches(name.removeprefix(PREFIX), known, n=1)
    remedy = (
        f"Did you mean {PREFIX}{near[0]}?" if near else "Correct its name, or remove it."
    )
    return f"Unknown setting {plain(name)}: it has no effect. {remedy}"
