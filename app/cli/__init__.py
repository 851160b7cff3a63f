"""The command line: `safe-conduct`, which is three programs.

Whoever submits and polls does so at a service that is elsewhere, often each minute and on a
small machine: for that nothing of the service itself is read into memory. Whoever operates
one reads nothing of what is served.
"""

import gc
import os
import runpy
import sys
from typing import Final

PROGRAMS: Final = {
    **dict.fromkeys(("submit", "poll"), "calls"),
    **dict.fromkeys(("key", "migrate", "directory", "account", "api-key"), "operating"),
    **dict.fromkeys(("doctor", "worker", "backup", "reseal"), "operating"),
    **dict.fromkeys(("restored", "affected", "erasures"), "operating"),
}
"""Which words are of which program; `commands` has all, and serves."""


def main() -> None:
    """Run a command; what it writes is its user's alone: who is in a case is not sealed.

    No look for garbage until all is imported: that took a sixth of the start.
    """
    os.umask(0o077)
    gc.disable()
    program = PROGRAMS.get(sys.argv[1], "commands") if sys.argv[1:] else "commands"
    runpy.run_module(f"{__name__}.{program}", run_name="__main__")
