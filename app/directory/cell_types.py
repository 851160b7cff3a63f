"""Types of the cells in directory files. An empty cell means that a value is unknown."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from app.directory.opening_hours import is_valid_span
from app.kernel import time_zones
from app.kernel.languages import LANGUAGES
from app.kernel.text import Instant, normalize_text, require_one_line


def make_error(message: str) -> PydanticCustomError:
    """Return a validation error with a message about what the cell must contain."""
    return PydanticCustomError("cell", "{what}", {"what": message})


def parse_list(cell: str) -> list[str]:
    """Split a list at spaces, or raise a validation error if it has duplicates."""
    found = cell.split()
    if len(set(found)) < len(found):
        raise make_error("must not contain duplicates")
    return found


def parse_optional(cell: str) -> str | None:
    """Return the stripped text, or None if the cell is empty."""
    return cell.strip() or None


def parse_texts(cell: str) -> dict[str, str]:
    """Return the texts of a cell like `en: Shelter, Osh; ru: Приют, Ош` by language tag."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, cell.split(";"))):
        tag, _, text = map(str.strip, part.partition(":"))
        if tag not in LANGUAGES or tag in found or not text:
            raise make_error(TEXTS_HELP)
        found[tag] = text
    return found


def format_texts(texts: Mapping[str, str]) -> str:
    """Format a mapping from language tags to texts as a cell."""
    return "; ".join(f"{tag}: {text}" for tag, text in texts.items())


def parse_boolean(cell: str) -> bool:
    """Parse `true` or `false` in upper or lower case, because spreadsheets use both."""
    if cell.lower() not in {"true", "false"}:
        raise make_error("must be true or false")
    return cell.lower() == "true"


def parse_time_zone(cell: str) -> str:
    """Return the name of an IANA time zone, or raise a validation error."""
    if cell not in time_zones.list_time_zones():
        raise make_error("must be an IANA time zone, like Asia/Almaty")
    return cell


def parse_date(cell: str | None) -> date | None:
    """Parse a date in ISO 8601 format, or return None if the cell is empty."""
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError as error:
        raise make_error("must be a date, like 2026-01-01") from error


def parse_moment(cell: str, parse: ValidatorFunctionWrapHandler) -> datetime:
    """Parse a time with a time zone, or raise a validation error with an example."""
    try:
        moment: datetime = parse(cell)
    except ValidationError as error:
        raise make_error(
            "must be a date and time with a time zone, like 2026-06-01T09:00:00Z"
        ) from error
    return moment


SPAN_HELP: Final = (
    "must be always, or spans of hours like mo-fr/09:00-18:00, su-th/09:00-17:00 or "
    "sa/09:00-13:00; a break or a night needs two spans, in a file separated by a space: "
    "mo-fr/09:00-13:00 mo-fr/14:00-18:00, or mo/20:00-24:00 tu/00:00-04:00"
)


def parse_span(word: str) -> str:
    """Return a valid span of opening hours, or raise a validation error."""
    if not is_valid_span(word):
        raise make_error(SPAN_HELP)
    return word


TEXTS_HELP: Final = (
    "must be texts by language, in a file like en: Shelter, Osh; ru: Приют, Ош; each of "
    f"these languages at most once: {', '.join(LANGUAGES)}"
)

type OptionalCell[T] = Annotated[T | None, BeforeValidator(parse_optional)]
type Listed[T] = Annotated[list[T], BeforeValidator(parse_list)]
Boolean = Annotated[bool, BeforeValidator(parse_boolean)]
Moment = Annotated[Instant, WrapValidator(parse_moment)]
TimeZone = Annotated[str, AfterValidator(parse_time_zone)]
Span = Annotated[str, AfterValidator(parse_span)]
Places = Annotated[int, Field(ge=0, le=100_000)]
MAX_PROSE: Final = 2000
"""The maximum length of a text from a source, in characters."""
Prose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PROSE),
    AfterValidator(normalize_text),
    AfterValidator(require_one_line),
]
SHORT_NAME_PATTERN: Final = r"^[^;]+$"
MAX_SHORT_NAME: Final = 40
"""The maximum length of a short name of an office, in characters."""
ShortName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SHORT_NAME, pattern=SHORT_NAME_PATTERN),
    AfterValidator(normalize_text),
    AfterValidator(require_one_line),
]
"""A name for narrow screens, without semicolons, which separate the names in a file."""
ShortNames = Annotated[dict[str, ShortName], BeforeValidator(parse_texts)]
REGION_PATTERN: Final = r"^[a-z][a-z_]{1,39}$"
Region = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
