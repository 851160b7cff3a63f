"""Make the deadlines of a demo case due now.

Usage: python -m tests.support.expire_deadlines CODE, with the settings of the service.
"""

import sys

from app.cli.demo_command import build_expiry
from app.cli.startup import load_runtime
from app.settings import DemoSettings


def main(code: str) -> None:
    """Make all deadlines of a case due now, which no client of the service can do."""
    runtime = load_runtime(DemoSettings())
    build_expiry(runtime)(code)
    runtime.database.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
