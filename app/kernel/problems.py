"""Problem details (RFC 9457): the errors that the API returns."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, override

from pydantic import BaseModel

type Facts = Mapping[str, Any]

PROBLEMS: Final = "/problems"
"""The path under which each kind of problem has a page."""


class Problem(Exception):  # noqa: N818 - RFC 9457 calls them problems
    """The request could not be completed."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "problem"
    uri: ClassVar[str] = "/problems/problem"
    """The member `type` (RFC 9457), which is also the path of a page about the problem."""
    title: ClassVar[str] = "The request could not be completed."
    headers: ClassVar[Mapping[str, str]] = {}
    members: ClassVar[type[BaseModel] | None] = None
    """The model of the members in `facts`, or None if the problem has no members."""

    @override
    def __init_subclass__(cls) -> None:
        """Set code and URI from the class name, and the title from the docstring."""
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        cls.uri = f"{PROBLEMS}/{cls.code}"
        cls.title = (cls.__doc__ or "").strip().splitlines()[0]

    def __init__(
        self, detail: str, facts: Facts | None = None, *, wait: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts or {}
        self.wait = wait
        """The seconds in `Retry-After`, or None for the value of the class, if any."""


def list_problem_kinds(parent: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Yield every subclass of a kind of problem, direct or indirect."""
    for kind in parent.__subclasses__():
        yield kind
        yield from list_problem_kinds(kind)


class Unauthenticated(Problem):
    """The credentials are missing or not valid."""

    status = 401
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """The credentials do not allow this."""

    status = 403


class TooManyWrongKeys(Problem):
    """Too many wrong keys came from this address. A valid key is still accepted."""

    status = 429


class TooManyRequests(Problem):
    """The account sent too many requests; this request was not carried out."""

    status = 429


class NotFound(Problem):
    """There is no such record, or it is not yours to see."""

    status = 404


class Busy(Problem):
    """The service could not do this now; nothing was changed."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class RecordsAltered(Problem):
    """Records were changed in the database, and not by the service."""

    status = 500
