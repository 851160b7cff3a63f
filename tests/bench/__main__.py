"""The command `python -m tests.bench`, which measures or profiles this working tree."""

import argparse
from pathlib import Path
from typing import Any

from tests.bench.places import HOME, PLACES, is_on_disk
from tests.bench.runs import (
    run,
    run_against,
    run_growth,
    run_instructions,
    run_keys,
    run_peers,
    run_profile,
    run_smoke,
    show,
)
from tests.bench.sides import Kind


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    whole = commands.add_parser(
        "run", help="measure floor and product, and write tables and a result"
    )
    whole.add_argument("--databases", default="sqlite,postgresql")
    whole.add_argument("--rounds", type=int, default=5)
    whole.add_argument("--seconds", type=float, default=2.0)
    whole.add_argument(
        "--requests", default="STPIW", help="letters of the requests to measure"
    )
    whole.add_argument("--page", action="store_true", help="write docs/performance.md")
    whole.add_argument("--result", type=Path, default=HOME / "result.json")
    whole.set_defaults(does=run)
    many = commands.add_parser("growth", help="compare ten thousand cases with many")
    many.add_argument("--databases", default="sqlite,postgresql")
    many.add_argument(
        "--requests", default="STPIW", help="letters of the requests to measure"
    )
    many.add_argument("--cases", type=int, default=100_000)
    many.add_argument("--rounds", type=int, default=5)
    many.add_argument("--seconds", type=float, default=2.0)
    many.add_argument("--page", action="store_true", help="write docs/performance.md")
    many.set_defaults(does=run_growth)
    add_against(commands)
    add_peers(commands)
    coarse = commands.add_parser("smoke", help="a short and coarse measurement for CI")
    coarse.add_argument("--seconds", type=float, default=0.5)
    coarse.set_defaults(does=run_smoke)
    one = commands.add_parser("profile", help="profile one request")
    one.add_argument("what", choices=[str(kind) for kind in Kind])
    one.add_argument("--database", default="sqlite", choices=PLACES)
    one.add_argument("--seconds", type=float, default=8.0)
    one.set_defaults(does=run_profile)
    return parser.parse_args()


def add_against(commands: Any) -> None:
    """Add the commands for a comparison of this working tree with another commit."""
    other = commands.add_parser("against", help="compare this tree with another commit")
    other.add_argument("revision")
    other.add_argument("--databases", default="sqlite,postgresql")
    other.add_argument(
        "--requests", default="STPIW", help="letters of the requests to measure"
    )
    other.add_argument("--rounds", type=int, default=9)
    other.add_argument("--seconds", type=float, default=1.0)
    other.set_defaults(does=run_against)
    counted = commands.add_parser(
        "instructions", help="compare the instructions of requests with another commit"
    )
    counted.add_argument("revision")
    counted.add_argument("--databases", default="sqlite,postgresql")
    counted.add_argument(
        "--requests", default="STPIWR", help="letters of the requests to count"
    )
    counted.set_defaults(does=run_instructions)
    keys = commands.add_parser("keys", help="prepare a database, for `against`")
    keys.add_argument("--url", required=True)
    keys.add_argument("--folder", type=Path, required=True)
    keys.set_defaults(does=run_keys)


def add_peers(commands: Any) -> None:
    """Add the command that compares Safe Conduct with a Django REST framework service."""
    peers = commands.add_parser("peers", help="compare with Django REST framework")
    peers.add_argument("--databases", default="sqlite,postgresql")
    peers.add_argument("--rounds", type=int, default=5)
    peers.add_argument("--seconds", type=float, default=2.0)
    peers.add_argument("--page", action="store_true", help="write docs/performance.md")
    peers.set_defaults(does=run_peers)


def main() -> None:
    """Run the command that the arguments name."""
    arguments = read_arguments()
    HOME.mkdir(exist_ok=True)
    if not is_on_disk(HOME):
        show(f"{HOME.name} is in memory, where a commit costs less than on a disk.")
    arguments.does(arguments)


if __name__ == "__main__":
    main()
