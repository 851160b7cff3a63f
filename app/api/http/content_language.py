"""The language of a response: Accept-Language, Content-Language and translated titles.

Only problems and reference lists have translated text, and use these headers.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema

from app.directory.files import load_sheet, require_no_faults
from app.kernel.languages import ENGLISH, choose_language, rank_languages
from app.kernel.problems import Problem
from app.reference.rows import ReviewedWording

ACCEPT: Final = "Accept-Language"
PREFERRED: Final = "Preferred languages (RFC 9110, 12.5.4). The default is English."


class TitleRow(ReviewedWording):
    """The translated titles of one problem."""

    code: str


def load_titles() -> dict[str, TitleRow]:
    """Load the translated titles. Raises FilesRefused if the file has errors."""
    sheet = load_sheet(files("app.api").joinpath("data"), "titles.csv", TitleRow)
    require_no_faults(sheet.faults)
    return {line.row.code: line.row for line in sheet.lines}


TITLE_ROWS: Final[Mapping[str, TitleRow]] = load_titles()
"""The translated titles by the code of the problem."""
TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    code: row.texts for code, row in TITLE_ROWS.items()
}
"""Titles by the code of the problem, then by language."""


def parse_languages(request: Request) -> tuple[str, ...]:
    """Return the languages of Accept-Language, most preferred first."""
    return rank_languages(",".join(request.headers.getlist(ACCEPT)))


def translate_title(problem: Problem, ranked: tuple[str, ...]) -> tuple[str, str]:
    """Return the title of a problem in the best available language, and that language."""
    titles = TITLES.get(problem.code, {})
    language = choose_language(ranked, titles)
    return titles.get(language, problem.title), language


def build_language_headers(languages: Iterable[str]) -> dict[str, str]:
    """Return Content-Language and Vary. The language is English if `languages` is empty."""
    listed = ", ".join(dict.fromkeys(languages)) or ENGLISH
    return {"Content-Language": listed, "Vary": ACCEPT}


async def get_languages(
    request: Request,
    _: Annotated[
        str | SkipJsonSchema[None], Header(alias=ACCEPT, description=PREFERRED)
    ] = None,
) -> tuple[str, ...]:
    """Return the caller's preferred languages. The header may be sent more than once."""
    return parse_languages(request)


ReaderLanguages = Annotated[tuple[str, ...], Depends(get_languages)]
