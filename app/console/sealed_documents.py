"""Opens sealed documents for a purpose, on a page that is never stored.

A form asks for the purpose. Only the response to this form contains the document, so it is
in no URL, and the browser does not keep it.
"""

from dataclasses import dataclass
from typing import Final

from app.console.action_forms import get_text
from app.console.api_client import ApiProblem, Json, resolve_call
from app.console.visits import Visit

PURPOSE: Final = "purpose"
"""The field with the purpose, which the API gets as a header."""


@dataclass(frozen=True)
class OpenedDocument:
    """A sealed document that was opened, or the problem that prevented this."""

    name: str
    body: Json
    problem: ApiProblem | None = None


async def open_document(visit: Visit, name: str, path: str) -> OpenedDocument:
    """Open a sealed document at a path of the API for the purpose in the form.

    Raises SessionEnded, StepUpRequired or Gone.
    """
    purpose = get_text(await visit.request.form(), PURPOSE)
    outcome = await resolve_call(visit.api.get(path, Purpose=purpose))
    if isinstance(outcome, ApiProblem):
        return OpenedDocument(name, {}, outcome)
    return OpenedDocument(name, outcome.body)
