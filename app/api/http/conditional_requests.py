"""Conditional requests: entity tags, and 304 if the client already has the content."""

from collections.abc import Mapping
from typing import Final

from fastapi import Response
from pydantic import BaseModel

from app.kernel.versions import format_entity_tag

JSON = "application/json"
REVALIDATE: Final = "private, no-cache"
"""The `Cache-Control` of a response that the caller's own cache may keep, if it checks the
entity tag before each use. Responses without their own `Cache-Control` get `no-store`."""


def render(
    shown: BaseModel,
    *,
    version: int | None = None,
    if_none_match: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a JSON response with its entity tag, or 304 (RFC 9110, 13.1.2).

    The tag contains `version`, or 0 if it is None, for example for a list.
    """
    body = shown.model_dump_json().encode()
    return render_json(
        body, version=version, if_none_match=if_none_match, status=status, headers=headers
    )


def render_json(
    body: bytes,
    *,
    version: int | None = None,
    if_none_match: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response with this JSON and its entity tag, or 304, like `render`."""
    tag = format_entity_tag(version or 0, body)
    if if_none_match is not None and matches_tag(if_none_match, tag):
        return render_not_modified(tag, headers)
    return Response(body, status, {"ETag": tag, **(headers or {})}, JSON)


def render_not_modified(tag: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return 304 Not Modified with the entity tag."""
    return Response(status_code=304, headers={"ETag": tag, **(headers or {})})


def matches_tag(if_none_match: str, tag: str) -> bool:
    """Return whether If-None-Match contains this entity tag or `*`."""
    tags = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return tag in tags or "*" in tags
