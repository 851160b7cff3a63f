"""Routes for reference lists: codes, questions and guidance, each item with its source."""

from typing import Annotated

from fastapi import Path, Response

from app.api.http.conditional_requests import REVALIDATE, render
from app.api.http.content_language import ReaderLanguages, build_language_headers
from app.api.http.dependencies import IfNoneMatch, ReadDirectory
from app.api.http.problems import NOT_FOUND
from app.api.http.response_headers import refer_to_header
from app.api.http.routers import ResourceRouter
from app.kernel.languages import ENGLISH
from app.kernel.problems import NotFound
from app.reference.lists import LISTS, show_list
from app.reference.schemas import ReferenceList, ReferenceLists, ReferenceListSummary

ListName = Annotated[str, Path(max_length=40, examples=["indicators"])]
router = ResourceRouter("reference", "/reference")


@router.get(
    "",
    response_model=ReferenceLists,
    responses={200: {"headers": {"Content-Language": refer_to_header("Content-Language")}}},
)
def list_references(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List the reference lists with their titles and notes."""
    items = [
        ReferenceListSummary(name=name, title=about.title, note=about.note)
        for name, about in LISTS.items()
    ]
    shown = ReferenceLists(items=items)
    with begin():
        headers = {"Content-Language": ENGLISH, "Cache-Control": REVALIDATE}
        return render(shown, if_none_match=if_none_match, headers=headers)


@router.get("/{name}", response_model=ReferenceList, responses=NOT_FOUND)
def get_reference(
    begin: ReadDirectory,
    name: ListName,
    languages: ReaderLanguages,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read one list, with the code, the label, the source and its quality for each item.

    The lists contain labels for the codes of the service: states, actions, `deadlines`,
    `routing_reasons`, `event_types`, `sections`, `purposes`, `remedies`, `advice`, `roles`
    and others, in English, Russian, Spanish, French and Uzbek.

    Other lists contain signs of trafficking (`indicators`), how a case became known
    (`intake_ways`), questions and how to ask them (`questions`, `conduct`), codes that
    requests may contain (such as `decline_reasons`), `countries`, `languages`, and the
    codes of HTCDS under the names of their fields.

    The `label` is in a language of Accept-Language, which `language` names. An item without
    a translation is in English. Content-Language lists the languages of the response. Parts
    of Accept-Language that cannot be parsed are ignored.

    The `translation_status` is `reviewed` if a native speaker has reviewed our translation
    of the item. `label_en` is the English label.
    """
    with begin():
        if name not in LISTS:
            raise NotFound("There is no such list. GET /v1/reference names all lists.")
        shown = show_list(name, languages)
        available = {item.language for item in shown.items}
        answered = [one for one in (*languages, ENGLISH) if one in available]
        headers = build_language_headers(answered) | {"Cache-Control": REVALIDATE}
        return render(shown, if_none_match=if_none_match, headers=headers)
