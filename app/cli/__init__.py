"""The command line `safe-conduct`, as three programs that import as little as they can.

`submit` and `poll` call a service elsewhere, often every minute and on a small machine, so
they import nothing of the service. The commands of operators do not import the HTTP API.
What a command does to data belongs to the other packages; here are its options, its output
and its exit codes.
"""

import gc
import os
import runpy
import sys
from typing import Final

OPERATOR: Final = "operator_commands"
PROGRAMS: Final = {
    **dict.fromkeys(("submit", "poll"), "client_commands"),
    **dict.fromkeys(("key", "migrate", "directory", "account", "api-key"), OPERATOR),
    **dict.fromkeys(("doctor", "worker", "backup", "reseal"), OPERATOR),
    **dict.fromkeys(("restored", "affected", "erasures"), OPERATOR),
}
"""The module that runs each command; any other command runs `commands`, which has all."""


def main() -> None:
    """Run the command in the arguments; files it writes are readable by the user only.

    Exported files can name the offices of a case, which is not sealed. Garbage collection
    is off until all modules are imported, because it took a sixth of the start.
    """
    os.umask(0o077)
    gc.disable()
    program = PROGRAMS.get(sys.argv[1], "commands") if sys.argv[1:] else "commands"
    runpy.run_module(f"{__name__}.{program}", run_name="__main__")
