"""The results of a long run, which are stored as JSON for docs/assurance.md."""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


def describe_commit() -> str:
    """Return the name of the commit that is tested, with `-dirty` if files are changed."""
    named = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return named.stdout.strip() or "unknown"


def write_result(path: Path, told: Mapping[str, Any], tried: str | None = None) -> None:
    """Write the results of a run; `tried` is the commit at which a long run began."""
    path.parent.mkdir(parents=True, exist_ok=True)
    day = datetime.now(UTC).date().isoformat()
    beside = {"commit": tried or describe_commit(), "date": day, "cores": os.cpu_count()}
    text = json.dumps({**beside, **told}, indent=2, ensure_ascii=False, default=str)
    path.write_text(f"{text}\n", "utf-8")
