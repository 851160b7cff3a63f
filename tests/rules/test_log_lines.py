"""Libraries log in the format of the service, without values and error messages."""

import json
import logging

import pytest
from prometheus_client import Counter

from app.cli.logging_setup import JsonFormatter, is_worth_logging
from app.kernel.file_keys import KEY_FILE_ERROR
from app.kernel.macs import FORGED_ROW
from app.metrics.counters import FORGED_ROWS, KEY_FILE_ERRORS, count_event


def format_record(message: str, *args: object, error: BaseException | None = None) -> str:
    wrong = (type(error), error, None) if error else None
    record = logging.LogRecord("asyncio", logging.ERROR, "", 1, message, args, wrong)
    return JsonFormatter().format(record)


def test_a_value_that_is_put_into_a_message_is_left_out() -> None:
    line = json.loads(format_record("Invalid request from %s", "Oygul"))

    assert line["event"] == "Invalid request from %s"
    assert (line["logger"], line["level"]) == ("asyncio", "error")
    assert line["timestamp"].endswith("+00:00")


def test_of_an_error_its_class_is_told_and_not_its_message() -> None:
    text = format_record("It failed", error=ValueError("Oygul"))

    assert json.loads(text)["error"] == "ValueError"
    assert "Oygul" not in text
    assert "\n" not in text


def test_what_follows_the_first_line_is_left_out() -> None:
    text = format_record("Task exception was never retrieved\nfuture: ValueError('Oygul')")

    assert json.loads(text)["event"] == "Task exception was never retrieved"
    assert "Oygul" not in text


def test_an_offer_of_http_2_is_no_line() -> None:
    def of(message: str) -> logging.LogRecord:
        return logging.LogRecord("uvicorn.error", logging.WARNING, "", 1, message, (), None)

    assert not is_worth_logging(of("Unsupported upgrade request."))
    assert is_worth_logging(of("Invalid HTTP request received."))


def read_counter(counter: Counter) -> float:
    [metric] = counter.collect()
    return next(one.value for one in metric.samples if one.name.endswith("_total"))


@pytest.mark.parametrize(
    ("event", "counter"), [(FORGED_ROW, FORGED_ROWS), (KEY_FILE_ERROR, KEY_FILE_ERRORS)]
)
def test_events_after_which_an_operator_has_to_act_are_counted(
    event: str, counter: Counter
) -> None:
    before = read_counter(counter)

    for name in (event, "request", event):
        line = {"event": name, "table": "case"}
        assert count_event(None, "error", line) == {"event": name, "table": "case"}

    assert read_counter(counter) == before + 2
