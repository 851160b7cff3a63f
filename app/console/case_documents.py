"""The page on which a sealed document of a case is opened. The page is never stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.console.action_forms import find_step, is_possible
from app.console.api_client import Gone, Json
from app.console.case_action_page import fill_form, is_uuid
from app.console.case_actions import ACTIONS
from app.console.case_fields import SCREENING_FIELDS, ask_line, ask_text
from app.console.case_forms import SECTIONS, CaseAction
from app.console.forms import EMPTY, FieldKind, FilledForm, FormField
from app.console.sealed_documents import OpenedDocument, open_document
from app.console.translations import mark
from app.console.visits import Visit, redirect_to

OUTCOME: Final = FormField(
    name="outcome", label=mark("Result"), kind=FieldKind.CHOICE, words="presumptions"
)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A kind of sealed document: its path below the case, and the fields of its content.

    `content` is the name of the content in the response. If it is empty, the response is
    the content. `items` is the name of the list, if the response has several parts.
    `action` is the form that changes the document.
    """

    path: str
    title: str = ""
    fields: tuple[FormField, ...] = ()
    content: str = ""
    items: str = ""
    action: CaseAction | None = None


DOCUMENTS: Final[Mapping[str, Document]] = {
    **{
        section: Document(
            path=f"sections/{section}",
            fields=action.fields,
            content="content",
            action=action,
        )
        for section, action in SECTIONS.items()
    },
    "safeguards": Document(
        path="safeguards",
        title=mark("Safeguards"),
        fields=ACTIONS["write_safeguards"].fields,
        content="content",
        action=ACTIONS["write_safeguards"],
    ),
    "safeguards_history": Document(
        path="safeguards/history",
        title=mark("Earlier safeguards"),
        fields=ACTIONS["write_safeguards"].fields,
        content="content",
        items="items",
    ),
    "safety_alert": Document(
        path="safety-alert",
        title=mark("What people who meet the person must know"),
        fields=(ask_text("safety_alert", mark("Safety alert")),),
    ),
    "contacts": Document(
        path="contacts",
        title=mark("Contact persons of the lead"),
        fields=(ask_line("name", mark("Name")), ask_line("phone", mark("Telephone"))),
        items="contacts",
        action=ACTIONS["write_contacts"],
    ),
    "notes": Document(
        path="notes",
        title=mark("Notes"),
        fields=(ask_text("text", mark("Note")),),
        items="items",
    ),
    "screening": Document(
        path="screenings/{id}",
        title=mark("Screening"),
        fields=SCREENING_FIELDS,
        content="content",
    ),
}


@dataclass(frozen=True)
class OpenedPart:
    """A part of an opened document: its values by label, its author, and its time."""

    rows: Sequence[tuple[str, Sequence[str]]]
    author: str | None
    written_at: str | None
    about: str = ""


async def open_in_case(visit: Visit) -> Response:
    """Open a document for a purpose. The access is recorded. The page is never stored.

    The case is read before the document. If the document changes in between, the form on
    the page has the tag of the older version, so the API refuses the form.
    """
    names = visit.request.path_params
    code, name, record = names["code"], names["document"], names.get("id", "")
    document = find_document(name, record)
    path = f"cases/{code}/{document.path.replace('{id}', record)}"
    answer = await visit.api.get(f"cases/{code}?include=history")
    try:
        opened = await open_document(visit, name, path)
    except Gone as gone:
        opened = OpenedDocument(name, {}, gone)
    problem, action = opened.problem, document.action
    changes = action is not None and is_possible(find_step(answer.body, action.step_code))
    return visit.render(
        "case_opened.html",
        problem.status if problem else HTTPStatus.OK,
        case=answer.body,
        tag=answer.tag,
        key=token_urlsafe(),
        kind=name,
        record=record,
        document=document,
        opened=[] if problem else list(read_parts(visit, document, opened.body)),
        problem=problem,
        is_gone=isinstance(problem, Gone),
        filled=fill_document(document, opened.body) if changes and not problem else None,
    )


async def redirect_to_case(visit: Visit) -> Response:
    """Redirect a GET request for the URL of an opened document to the case."""
    return redirect_to(f"/console/cases/{visit.request.path_params['code']}")


def find_document(name: str, record: str) -> Document:
    """Return the kind of document that an address names, or raise HTTPException (404)."""
    document = DOCUMENTS.get(name)
    if document is None or ("{id}" in document.path) != is_uuid(record):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return document


def read_parts(visit: Visit, document: Document, body: Json) -> Iterator[OpenedPart]:
    """Yield the parts of an opened document as text to display."""
    for one in body[document.items] if document.items else [body]:
        content = one[document.content] if document.content else one
        origin = one if "written_at" in one else body
        yield OpenedPart(
            list(write_rows(visit, document.fields, content)),
            origin.get("author"),
            origin.get("written_at"),
            one.get("about", ""),
        )


def write_rows(
    visit: Visit, fields: Iterable[FormField], content: Json
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the label and the values of each field that has a value."""
    for one in fields:
        if values := write_values(visit, one, content.get(one.name)):
            yield one.label, values


def write_values(visit: Visit, one: FormField, value: object) -> Sequence[str]:
    """Return the values of a field as text to display."""
    typed = one.write_value(value)
    match one.kind:
        case FieldKind.CHECK:
            return [visit.texts.translate("Yes" if typed else "No")]
        case FieldKind.OFFICE | FieldKind.OFFICES:
            return [visit.name_office(code) for code in typed]
        case FieldKind.LINES:
            return list(value or ()) if isinstance(value, list) else []
        case _ if one.words:
            return [visit.formats.name_code(one.words, code) for code in typed]
        case _:
            return typed


def fill_document(document: Document, body: Json) -> FilledForm:
    """Return the form to change a document, filled with its content, or an empty form."""
    if document.action is None:
        return EMPTY
    if document.items:
        return fill_list(document, body)
    return fill_form(document.action, body[document.content])


def fill_list(document: Document, body: Json) -> FilledForm:
    """Return the form that changes a list, filled with its items."""
    values = {
        f"{document.items}/{number}/{name}": (str(value),)
        for number, item in enumerate(body[document.items])
        for name, value in item.items()
    }
    return FilledForm(values=values)
