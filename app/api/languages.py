"""The language of an answer: Accept-Language, Content-Language and translated titles.

Only answers with translated text read the header. Answers about cases have none.
"""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema

from app.directory.files import open_sheet, refuse
from app.kernel.languages import ENGLISH, choose, preferred
from app.kernel.problems import Problem
from app.reference.rows import Wording

ACCEPT: Final = "Accept-Language"
WISH: Final = "Preferred languages (RFC 9110, 12.5.4). The default is English."


class TitleRow(Wording):
    """The translated titles of one problem."""

    code: str


def read_titles() -> dict[str, Mapping[str, str]]:
    """Load the titles of problems in each language. Raises FilesRefused."""
    sheet = open_sheet(files("app.api").joinpath("data"), "titles.csv", TitleRow)
    refuse(sheet.faults)
    return {line.row.code: line.row.texts for line in sheet.lines}


TITLES: Final[Mapping[str, Mapping[str, str]]] = read_titles()
"""Titles by the code of the problem, then by language."""


def wished(request: Request) -> tuple[str, ...]:
    """Return the languages of Accept-Language, most preferred first."""
    return preferred(",".join(request.headers.getlist(ACCEPT)))


def title_of(problem: Problem, ranked: tuple[str, ...]) -> tuple[str, str]:
    """Return the title of a problem in the best available language, and the language."""
    titles = TITLES.get(problem.code, {})
    language = choose(ranked, titles)
    return titles.get(language, problem.title), language


def told_in(languages: Iterable[str]) -> dict[str, str]:
    """Return Content-Language for the languages of an answer, and Vary."""
    spoken = ", ".join(dict.fromkeys(languages)) or ENGLISH
    return {"Content-Language": spoken, "Vary": ACCEPT}


async def reader(
    request: Request,
    _: Annotated[str | SkipJsonSchema[None], Header(alias=ACCEPT, description=WISH)] = None,
) -> tuple[str, ...]:
    """Return the caller's preferred languages; the header may be sent more than once."""
    return wished(request)


Reader = Annotated[tuple[str, ...], Depends(reader)]
