"""The page behind the `type` of each problem, which RFC 9457 (3.1.1) recommends.

The pages are public and the same for every reader: they name the rules of the service and
nothing that is stored.
"""

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Final

from fastapi import APIRouter, HTTPException, Response

from app.api.http.content_language import TITLES
from app.kernel.languages import ENGLISH
from app.kernel.problems import PROBLEMS, Problem, list_problem_kinds

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
TRANSLATION: Final = '<li lang="{language}" dir="auto">{title}</li>'

router = APIRouter(include_in_schema=False)


@cache
def render_pages() -> Mapping[str, bytes]:
    """Return the page of each problem by its code."""
    return {kind.code: render_page(kind).encode() for kind in list_problem_kinds()}


def render_page(kind: type[Problem]) -> str:
    """Return the page of one problem, with its title in each language."""
    titles = TITLES.get(kind.code, {})
    translations = "".join(
        TRANSLATION.format(language=language, title=escape(title))
        for language, title in titles.items()
        if language != ENGLISH
    )
    return PAGE.format(
        code=kind.code,
        title=escape(kind.title),
        status=kind.status,
        translations=translations,
    )


@router.get(PROBLEMS + "/{code}")
def get_problem_page(code: str) -> Response:
    """Return the page of one problem. Raises HTTPException (404) for an unknown code."""
    page = render_pages().get(code)
    if page is None:
        raise HTTPException(404)
    return Response(page, headers=HEADERS, media_type="text/html; charset=utf-8")
