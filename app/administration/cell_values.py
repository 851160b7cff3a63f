"""Conversion of JSON rows to CSV cells, so that the same rules validate both formats."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from app.directory.cell_types import format_texts, make_error
from app.directory.file_rows import Row


def validate_row[R: Row](model: type[R], values: Mapping[str, Any]) -> R:
    """Return the validated row, or raise ValidationError. Missing columns are empty."""
    broken = [name for name, value in values.items() if has_spaces(value)]
    if broken:
        raise ValidationError.from_exception_data(
            model.__name__, [build_error(name) for name in broken], hide_input=True
        )
    cells = {name: format_cell(value) for name, value in values.items()}
    return model.model_validate(dict.fromkeys(model.model_fields, "") | cells)


def has_spaces(value: object) -> bool:
    """Return whether a value is a list with an item that is empty or contains spaces."""
    return isinstance(value, list) and any([word] != str(word).split() for word in value)


def build_error(name: str) -> InitErrorDetails:
    """Return the error for a list in the column `name` with an empty item or spaces."""
    fault = make_error("must be a list of values, none of which is empty or has spaces")
    return InitErrorDetails(type=fault, loc=(name,), input=None)


def format_cell(value: object) -> str:
    """Return a value as the text of a CSV cell."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return " ".join(map(str, value))
        case dict():
            return format_texts(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
