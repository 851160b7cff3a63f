"""Renders the templates of the console."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.console.translations import Texts, list_language_names

STATIC: Final = files("app.console") / "static"
DIGEST_LENGTH: Final = 10


@cache
def get_static_url(name: str) -> str:
    """Return the URL of a static file. It changes with the content of the file."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:DIGEST_LENGTH]
    return f"/console/static/{name}?{digest}"


@cache
def build_environment() -> Environment:
    """Build the environment of the templates. It escapes HTML and refuses unknown names."""
    environment = Environment(
        loader=PackageLoader("app.console"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = get_static_url
    environment.globals["languages"] = list_language_names()
    return environment


def render_template(name: str, texts: Texts, **values: object) -> str:
    """Return the HTML of a template with texts in one language."""
    template = build_environment().get_template(name)
    return template.render(
        _=texts.translate, ngettext=texts.translate_counted, texts=texts, **values
    )
