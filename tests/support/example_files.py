"""Run the journeys of tests/examples/operations, and write the examples: `make examples`.

The file of a journey contains the requests and responses of its operations; `problems.json`
contains the problems that many operations can return.
"""

import json
import sys
from importlib import import_module
from logging import ERROR
from pkgutil import iter_modules
from typing import Final

import structlog
from fastapi import FastAPI

from app.main import create_app
from app.runtime import build_runtime
from tests.examples import operations
from tests.support.databases import Copy, clear, make_copies, make_home
from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.operation_player import Player, RepeatableIds, replace_secrets
from tests.support.servers import ROOT
from tests.support.world import KEYS, PUBLIC, World

FOLDER: Final = ROOT / "app" / "api" / "data" / "examples"
BODIES: Final = "bodies"
"""The module that contains request bodies instead of a journey."""
JOURNEYS: Final = tuple(
    found.name for found in iter_modules(operations.__path__) if found.name != BODIES
)


def play_journey(name: str, copy: Copy, app: FastAPI, loop: ThreadLoops) -> Player:
    """Run a journey on a new database, and return its player with the examples."""
    module = import_module(f"{operations.__name__}.{name}")
    with replace_secrets(name) as source, copy() as url:
        world = World(url, app, loop, RepeatableIds(source))
        player = Player(world, name)
        try:
            getattr(module, f"play_{name}")(player)
        finally:
            world.close()
    return player


def format_examples(player: Player) -> str:
    """Return the content of the file for a journey that has run."""
    examples = {name: example.export() for name, example in player.examples.items()}
    return json.dumps(player.shared or examples, ensure_ascii=False, indent=1) + "\n"


def write_files(made: dict[str, str]) -> list[str]:
    """Write the files, remove all other examples, and return the changed files' names."""
    there = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.json")}
    for name in there.keys() - made.keys():
        FOLDER.joinpath(name).unlink()
    for name, text in made.items():
        FOLDER.joinpath(name).write_text(text, "utf-8")
    return sorted(
        name for name in there.keys() | made.keys() if there.get(name) != made.get(name)
    )


def main() -> None:
    """Run every journey on SQLite, and write its examples."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(ERROR))
    app = create_app(build_runtime("sqlite:///never-opened.db", KEYS), public_url=PUBLIC)
    made, home = dict[str, str](), make_home()
    try:
        with make_copies("sqlite", home) as copy, run_in_thread() as loop:
            for name in JOURNEYS:
                player = play_journey(name, copy, app, loop)
                made[f"{name}.json"] = format_examples(player)
    finally:
        clear(home)
    changed = write_files(made)
    sys.stdout.write(f"{len(made)} files, changed: {', '.join(changed) or 'none'}\n")


if __name__ == "__main__":
    main()
