"""A browser for tests of the console. It runs no script, and `post` follows no redirect."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Final

import httpx2

from app.console.visits import SESSION_COOKIE
from tests.support.world import Someone

SAME_ORIGIN: Final = {"Sec-Fetch-Site": "same-origin"}


class ConsoleBrowser:
    """A browser in which a person is signed in.

    The console forwards its cookie as the credential, so the cookie can be an API key.
    """

    def __init__(self, person: Someone, **headers: str) -> None:
        self.http = person.world.http
        self.headers = {"Cookie": f"{SESSION_COOKIE}={person.key}"} | headers

    def get(self, path: str) -> httpx2.Response:
        """Return the page at a path below /console/, as if a console page linked to it."""
        return self.http.get(f"/console/{path}", headers=SAME_ORIGIN | self.headers)

    def post(self, path: str, form: Mapping[str, str | list[str]]) -> httpx2.Response:
        """Send a form to a path below /console/, as a page of the console would."""
        return self.http.post(
            f"/console/{path}",
            data=dict(form),
            headers=self.headers | SAME_ORIGIN,
            follow_redirects=False,
        )


def read_hidden(html: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form whose address ends with an action."""
    _, _, rest = html.partition(f'/{action}">')
    form, _, _ = rest.partition("</form>")
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    assert found, f"no form of {action}"
    return {name: unescape(value) for name, value in found}
