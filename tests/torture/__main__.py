"""`make torture`: kill the service under load, and say what is left."""

import argparse
import sys
from pathlib import Path
from typing import Final

from tests.support.results import commit, keep
from tests.support.servers import CHANCE, ROOT
from tests.torture.planted import PLANTS
from tests.torture.running import Wish, torture

HOME: Final = ROOT / ".torture"


def asked() -> argparse.Namespace:
    """Read the command line."""
    said = argparse.ArgumentParser(description="Kill the service under load.")
    said.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    said.add_argument("--kills", type=int, default=100, help="how many processes to kill")
    said.add_argument("--seed", type=int, default=CHANCE.getrandbits(32))
    said.add_argument("--plant", choices=sorted(PLANTS), help="a fault to be found")
    said.add_argument("--result", type=Path, help="default: .torture/<database>.json")
    return said.parse_args()


def say(line: str) -> None:
    """Say it at once."""
    print(line, flush=True)


def main() -> None:
    """Do it, say how it went, and fail if anything was found."""
    args, tried = asked(), commit()
    HOME.mkdir(exist_ok=True)
    path: Path = args.result or HOME / f"{args.database}.json"
    log = path.with_suffix(".log")
    log.unlink(missing_ok=True)
    say(f"{args.kills} kills on {args.database}, seed {args.seed}; it logs to {log}")
    result = torture(Wish(args.database, args.kills, args.seed, args.plant), log, say)
    keep(path, result.told(), tried)
    for found in result.found:
        say(f"Found: {found}")
    told = result.told()
    say(
        f"{told['kills']} kills, {told['operations']}, {told['cases']} cases, "
        f"{told['events']} events, {told['seconds']} s, {len(result.found)} findings"
    )
    if result.found:
        sys.exit(f"Seed {args.seed}, {path}, {log}")


if __name__ == "__main__":
    main()
