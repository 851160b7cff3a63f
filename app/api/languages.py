"""The reader's language, asked for in a header and told in another.

A header is read when there is something to translate, and never before: what carries a case
has nothing of that kind.
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
WISH: Final = "In which languages you read, best first (RFC 9110, 12.5.4); else English."


class TitleRow(Wording):
    """The title of one problem."""

    code: str


def read_titles() -> dict[str, Mapping[str, str]]:
    """Read the titles of problems, in each language; raises FilesRefused."""
    sheet = open_sheet(files("app.api").joinpath("data"), "titles.csv", TitleRow)
    refuse(sheet.faults)
    return {line.row.code: line.row.texts for line in sheet.lines}


TITLES: Final[Mapping[str, Mapping[str, str]]] = read_titles()
"""By the code of a problem."""


def wished(request: Request) -> tuple[str, ...]:
    """Rank the languages in which the caller reads."""
    return preferred(",".join(request.headers.getlist(ACCEPT)))


def title_of(problem: Problem, ranked: tuple[str, ...]) -> tuple[str, str]:
    """Say the title of a problem to a reader, and in which language."""
    titles = TITLES.get(problem.code, {})
    language = choose(ranked, titles)
    return titles.get(language, problem.title), language


def told_in(languages: Iterable[str]) -> dict[str, str]:
    """Say in which languages something is, and that another wish has another answer."""
    spoken = ", ".join(dict.fromkeys(languages)) or ENGLISH
    return {"Content-Language": spoken, "Vary": ACCEPT}


async def reader(
    request: Request,
    _: Annotated[str | SkipJsonSchema[None], Header(alias=ACCEPT, description=WISH)] = None,
) -> tuple[str, ...]:
    """Take in which languages the caller reads; the header may come more than once."""
    return wished(request)


Reader = Annotated[tuple[str, ...], Depends(reader)]
