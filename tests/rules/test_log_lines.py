"""Libraries log in the format of the service, without values and error messages."""

import json
import logging

from app.cli.logging_setup import JsonFormatter, is_worth_logging


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
