"""The command line `safe-conduct`: three programs that import only what they need.

`submit`, `poll` and `redeem-key` call a remote service, often every minute and on small
machines, so they do not import the service. The operator commands do not import the HTTP
API. The modules here define options, output and exit codes. Other packages change the data.
"""

import gc
import os
import runpy
import sys
from io import TextIOWrapper
from typing import Final

OPERATOR: Final = "operator_commands"
PROGRAMS: Final = {
    **dict.fromkeys(("submit", "poll", "redeem-key"), "client_commands"),
    **dict.fromkeys(("key", "migrate", "directory", "account", "api-key"), OPERATOR),
    **dict.fromkeys(("case", "doctor", "worker", "backup", "reseal"), OPERATOR),
    **dict.fromkeys(
        ("restored", "affected", "erasures", "figures", "verify-backup", "restore"),
        OPERATOR,
    ),
}
"""The module that runs each command. `commands`, which has all commands, runs the rest."""


def main() -> None:
    """Run the command that the arguments name.

    Only the user can read new files, because exports can name the offices of a case.
    Output is in UTF-8 on each host, because the names of offices need more than a locale.
    Garbage collection is off until all modules are imported, because it took a sixth of the
    start-up time.
    """
    if sys.flags.optimize > 1:
        sys.exit("Run Python without -OO, and unset PYTHONOPTIMIZE: docstrings are needed.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    os.umask(0o077)
    gc.disable()
    program = PROGRAMS.get(sys.argv[1], "commands") if sys.argv[1:] else "commands"
    runpy.run_module(f"{__name__}.{program}", run_name="__main__")
