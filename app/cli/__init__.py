"""The command line: `safe-conduct`, which is two programs.

Whoever submits and polls does so at a service that is elsewhere, often each minute and on a
small machine: for that nothing of the service itself is read into memory.
"""

import gc
import os
import runpy
import sys
from typing import Final

CALLS: Final = frozenset({"submit", "poll"})


def main() -> None:
    """Run a command; what it writes is its user's alone: who is in a case is not sealed.

    No look for garbage until all is imported: that took a sixth of the start.
    """
    os.umask(0o077)
    gc.disable()
    program = "calls" if CALLS.intersection(sys.argv[1:2]) else "commands"
    runpy.run_module(f"{__name__}.{program}", run_name="__main__")
