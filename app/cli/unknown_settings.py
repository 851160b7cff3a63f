"""Warnings about environment variables and secret files that name unknown settings."""

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from app.cli.api_client import escape_unprintable
from app.settings import PREFIX, SECRETS_DIR, CallerSettings, Settings

SETTINGS: Final = frozenset(
    f"{PREFIX}{name.upper()}"
    for name in {**Settings.model_fields, **CallerSettings.model_fields}
)
OTHERS: Final = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "SECRETS",  # compose.yaml
        "LISTEN",
        "MIGRATOR_PASSWORD",  # deploy/postgresql/roles.sql
        "SERVICE_PASSWORD",
        "KEY",  # docs/integrate.md and conformance/
        "CLIENT",
        "WEBHOOK_SECRET",
    )
)
"""Variables that are read by other programs, but not by `safe-conduct`."""
TESTS: Final = f"{PREFIX}TEST_"
"""The prefix of the variables that only the tests read."""


def list_unknown(names: Iterable[str] | None = None) -> list[str]:
    """Return a warning for each unknown name that has the prefix of settings.

    By default, the names in the environment and of the files in `/run/secrets` are checked.
    A warning contains the name but not the value, which may be a secret.
    """
    found = {name.upper() for name in (list_names() if names is None else names)}
    return [
        describe(name)
        for name in sorted(found)
        if name.startswith(PREFIX)
        and name not in SETTINGS | OTHERS
        and not name.startswith(TESTS)
    ]


def list_names(folder: Path = SECRETS_DIR) -> Iterator[str]:
    """Yield the names of environment variables and secret files, in their original case."""
    yield from os.environ
    if folder.is_dir():
        yield from (file.name for file in folder.iterdir())


def describe(name: str) -> str:
    """Return the warning about an unknown name, with the most similar setting, if any."""
    known = sorted(setting.removeprefix(PREFIX) for setting in SETTINGS)
    near = get_close_matches(name.removeprefix(PREFIX), known, n=1)
    guess = f"Did you mean {PREFIX}{near[0]}?" if near else None
    remedy = guess or "Correct its name, or remove it."
    return f"Unknown setting {escape_unprintable(name)}: it has no effect. {remedy}"
