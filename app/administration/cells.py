"""A row of the directory as a file spells it: so one set of rules judges files and JSON."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.directory.rows import Row


def judged[R: Row](model: type[R], values: Mapping[str, Any]) -> R:
    """Make a row of values; raises pydantic's ValidationError, as a file's line would.

    Columns that nobody said anything about are empty.
    """
    broken = [name for name, value in values.items() if has_spaces(value)]
    if broken:
        raise ValidationError.from_exception_data(
            model.__name__, [build_error(name) for name in broken], hide_input=True
        )
    said = {name: cell(value) for name, value in values.items()}
    return model.model_validate(dict.fromkeys(model.model_fields, "") | said)


def has_spaces(value: object) -> bool:
    """Say whether this is a list of which a word would fall apart in a cell."""
    return isinstance(value, list) and any([word] != str(word).split() for word in value)


def build_error(name: str) -> InitErrorDetails:
    """Say what is wrong with such a list."""
    fault = PydanticCustomError("cell", "{what}", {"what": "must hold words"})
    return InitErrorDetails(type=fault, loc=(name,), input=None)


def cell(value: object) -> str:
    """Spell a value as a cell does."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return " ".join(map(str, value))
        case date():
            return value.isoformat()
        case _:
            return str(value)
