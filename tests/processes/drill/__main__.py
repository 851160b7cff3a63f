"""The command of the drill: `make drill DATABASE=sqlite`, or another of `SITES`."""

import logging
import sys

import structlog

from tests.processes.drill.drill import drill, report_result
from tests.support.databases import clear, make_home

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
home = make_home()
try:
    for line in report_result(drill(sys.argv[1], home)):
        print(line)  # noqa: T201 - the output of the command
finally:
    clear(home)
