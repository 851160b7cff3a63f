"""The pages for HTTP errors, such as an unknown address, and for internal errors."""

from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from app.console.visits import NOT_FOUND, begin_visit


async def show_http_error(request: Request, error: Exception) -> Response:
    """Show the page for an HTTP error, such as an address that does not exist."""
    status = error.status_code if isinstance(error, HTTPException) else NOT_FOUND
    return begin_visit(request).render("gone.html", status)


async def show_fault(request: Request, _: Exception) -> Response:
    """Show the page for an internal error, which is logged without its message."""
    typed = getattr(request.state, "typed", None)
    return begin_visit(request).render("fault.html", 500, typed=typed)


EXCEPTION_HANDLERS: Final[Mapping[int | type[Exception], ExceptionHandler]] = {
    HTTPException: show_http_error,
    Exception: show_fault,
}
