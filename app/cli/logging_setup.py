"""Logging of the service and of libraries, as one JSON line for each event."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, override

import structlog

from app.kernel.database_errors import describe_error
from app.metrics.counters import count_event
from app.settings import LogLevel

IGNORED: Final = ("Unsupported upgrade request", "No supported WebSocket library")


class JsonFormatter(logging.Formatter):
    """A formatter that writes log records of libraries as JSON, without their arguments.

    Only the first line of a message template is kept, because asyncio appends whole objects
    on further lines. The messages of exceptions are left out.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        cause = describe_error(error) if error else {}
        line = {
            "event": str(record.msg).partition("\n")[0],
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
        }
        return json.dumps(line | cause, ensure_ascii=False)


def is_worth_logging(line: logging.LogRecord) -> bool:
    """Return False for two messages of uvicorn that are not logged, otherwise True."""
    return not str(line.msg).startswith(IGNORED)


def configure_logging(level: LogLevel) -> None:
    """Set up logging to standard error, as one JSON line for each event."""
    structlog.configure(
        processors=[
            count_event,
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
    of_libraries.setFormatter(JsonFormatter())
    of_libraries.addFilter(is_worth_logging)
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])
