"""Run a long exploration: `python -m tests.exploration --seed 17 --states 5000`.

The program prints its progress, each finding with the steps that lead to it, and the
totals. The exit code is 1 if there is a finding.
"""

import argparse
import sys
import time
from typing import Final

import structlog
from structlog.typing import EventDict

from tests.exploration.explore import Explorer, Result
from tests.exploration.stage import build_stage
from tests.exploration.start_stories import BEGINNINGS

WIDTH: Final = 30


def parse_options() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(prog="tests.exploration", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--states", type=int, default=1000)
    return parser.parse_args()


def print_line(text: str, end: str = "\n") -> None:
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()


def drop_log_line(*_: object) -> EventDict:
    """Drop a log line of the service, because it would break the progress bar."""
    raise structlog.DropEvent


class Bar:
    """A progress bar on one line, which is updated at most once a second."""

    def __init__(self, states: int) -> None:
        self.states, self.began, self.shown = states, time.monotonic(), 0.0
        self.printed = 0

    def __call__(self, result: Result) -> None:
        now = time.monotonic()
        if now - self.shown < 1 and result.states < self.states:
            return
        self.shown = now
        share = min(1.0, result.states / self.states)
        bar = "#" * round(WIDTH * share)
        for finding in result.findings[self.printed :]:
            print_line(f"\n{finding}\n")
        self.printed = len(result.findings)
        counts = f"{result.states} of {self.states} states, {self.printed} findings"
        print_line(
            f"[{bar:<{WIDTH}}] {counts}, {now - self.began:.0f} s",
            end="\r" if sys.stdout.isatty() else "\n",
        )


def report(result: Result) -> int:
    """Print the results of an exploration, and return the number of findings."""
    print_line("")
    print_line(
        f"states {result.states}, moves tried {result.tried}, done {result.moves.total()}"
    )
    print_line(f"ways to an end: {dict(result.means)}; findings: {len(result.findings)}")
    print_line(f"done: {dict(result.moves.most_common())}")
    print_line(f"refused: {dict(result.refused.most_common(20))}")
    path = "\n".join(f"  {move}" for move in (*result.longest_path, *result.longest.moves))
    print_line(f"longest way to an end: {result.longest.days:.0f} days\n{path}")
    return len(result.findings)


def main() -> int:
    """Run the exploration, and return 1 if there is a finding."""
    args = parse_options()
    structlog.configure(processors=[drop_log_line])
    with build_stage() as stage:
        explorer = Explorer(stage, args.seed)
        explorer.begin(BEGINNINGS.values())
        bar = Bar(args.states)
        result = explorer.run(max(0, args.states - explorer.result.states), bar)
    return 1 if report(result) else 0


if __name__ == "__main__":
    sys.exit(main())
