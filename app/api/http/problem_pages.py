"""The page behind the `type` of each problem, which RFC 9457 (3.1.1) recommends.

The pages are public and the same for every reader. They explain the rules of the service
and contain no stored data.
"""

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Final

from fastapi import APIRouter, HTTPException, Response

from app.api.http.content_language import TITLE_ROWS, TitleRow
from app.kernel.languages import ENGLISH
from app.kernel.problems import PROBLEMS, Problem, list_problem_kinds
from app.reference.cldr import LOCALES, get_language_name

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{code} - Safe Conduct</title></head>
<body>
<h1>{code}</h1>
<p>{title}</p>
<p>HTTP status {status}. The member <code>detail</code> of the answer says what is wrong and
what to do next. A client decides by <code>type</code>, never by the texts.</p>
<ul>{translations}</ul>
</body>
</html>
"""
TRANSLATION: Final = (
    '<li>{name}{mark}: <span lang="{language}" dir="auto">{title}</span></li>'
)
UNREVIEWED: Final = " (unreviewed translation)"
"""The mark of a translation that no native speaker has reviewed (ADR 52)."""

router = APIRouter(include_in_schema=False)


@cache
def render_pages() -> Mapping[str, bytes]:
    """Return the page of each problem, keyed by the code of the problem."""
    return {kind.code: render_page(kind).encode() for kind in list_problem_kinds()}


def render_page(kind: type[Problem]) -> str:
    """Return the page of one problem, with its title in each language."""
    row = TITLE_ROWS.get(kind.code)
    return PAGE.format(
        code=kind.code,
        title=escape(kind.title),
        status=kind.status,
        translations=render_translations(row) if row else "",
    )


def render_translations(row: TitleRow) -> str:
    """Return the translations of a title as list items, with the name of the language."""
    return "".join(
        TRANSLATION.format(
            name=escape(format_language_name(language)),
            mark="" if language in row.reviewed else UNREVIEWED,
            language=language,
            title=escape(title),
        )
        for language, title in row.texts.items()
        if language != ENGLISH
    )


def format_language_name(language: str) -> str:
    """Return the name of a language in English, and in the language itself if known."""
    names = [
        get_language_name(language, LOCALES[tag])
        for tag in (ENGLISH, language)
        if tag in LOCALES
    ]
    return " / ".join(dict.fromkeys(name for name in names if name))


@router.get(PROBLEMS + "/{code}")
def get_problem_page(code: str) -> Response:
    """Return the page of one problem. Raises HTTPException (404) for an unknown code."""
    page = render_pages().get(code)
    if page is None:
        raise HTTPException(404)
    return Response(page, headers=HEADERS, media_type="text/html; charset=utf-8")
