"""What is logged, by us and by libraries: a JSON line for each thing, without values."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, override

import structlog

from app.kernel.trouble import described
from app.settings import LogLevel

OFFERS: Final = ("Unsupported upgrade request", "No supported WebSocket library")


class Lines(logging.Formatter):
    """What libraries log, as lines like ours: without values, and no message of an error.

    Of what they say the first line alone: asyncio puts whole objects into those below.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {
            "event": str(record.msg).partition("\n")[0],
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
        }
        return json.dumps(line | (described(error) if error else {}), ensure_ascii=False)


def is_told(line: logging.LogRecord) -> bool:
    """Say whether what a library logs tells anybody anything: not that of every request."""
    return not str(line.msg).startswith(OFFERS)


def log_lines(level: LogLevel) -> None:
    """Write one JSON line for each thing logged, to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    of_libraries = logging.StreamHandler()
    of_libraries.setFormatter(Lines())
    of_libraries.addFilter(is_told)
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])
