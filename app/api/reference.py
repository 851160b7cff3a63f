"""The lists an officer chooses from and is guided by, each item with its source."""

from typing import Annotated

from fastapi import Path, Response

from app.api.conditional import answer
from app.api.deps import IfNoneMatch, ReadDirectory
from app.api.languages import Reader, told_in
from app.api.nouns import Noun
from app.api.problems import problems
from app.kernel.languages import ENGLISH
from app.kernel.problems import NotFound
from app.reference.lists import LISTS, show
from app.reference.schemas import ReferenceList, ReferenceLists, ReferenceListSummary

ListName = Annotated[str, Path(max_length=40, examples=["indicators"])]
router = Noun("reference", "/reference")


@router.get("", response_model=ReferenceLists)
def list_references(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List which lists there are, and what each is for."""
    items = [
        ReferenceListSummary(list=name, title=about.title, note=about.note)
        for name, about in LISTS.items()
    ]
    shown = ReferenceLists(items=items)
    with begin():
        return answer(
            shown, if_none_match=if_none_match, headers={"Content-Language": ENGLISH}
        )


@router.get("/{name}", response_model=ReferenceList, responses=problems(NotFound))
def get_reference(
    begin: ReadDirectory, name: ListName, reader: Reader, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one list: codes, labels, where each is from and how well it is sourced.

    What to look for (`indicators`), how one hears of a case (`intake_ways`), what is asked
    and what is not (`questions`, `conduct`), every code that a request may name,
    `countries` and `languages`, and the codes of the HTCDS by the names of their fields.

    `label` is in the language you ask for with Accept-Language, and `language` says which
    it is: what nobody translated is in English. Content-Language names all that are there.
    What cannot be read of that header is passed over.

    `translation_status` says of each item whether a native speaker has reviewed our
    translation; nobody has until it says `reviewed`. `label_en` is the English beside it.
    """
    with begin():
        if name not in LISTS:
            raise NotFound("There is no such list: GET /v1/reference names them.")
        shown = show(name, reader)
        spoken = {item.language for item in shown.items}
        told = told_in(one for one in (*reader, ENGLISH) if one in spoken)
        return answer(shown, if_none_match=if_none_match, headers=told)
