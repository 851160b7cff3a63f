"""How often people say no: counted without anybody, told in large numbers alone (R91)."""

from fastapi import Response

from app.api.conditional import answer
from app.api.deps import IfNoneMatch, ReadStatistics, WriteCases
from app.api.nouns import Noun
from app.api.problems import problems
from app.casework.acting import must_work
from app.consents import actions, queries
from app.consents.schemas import NewRefusal, RefusalCounts
from app.kernel.free_space import SpaceReserved
from app.kernel.lifecycle import RoleMissing

router = Noun("refusals", "/refusals")


@router.post("", status_code=204, responses=problems(RoleMissing, SpaceReserved))
def record_refusal(begin: WriteCases, new: NewRefusal) -> Response:
    """Count that an adult was offered to be referred, and said no.

    Kept are the country and the week: no case, no account, no reason, no word. So a
    repetition cannot be told from another person: send it once, and not again where you
    hear no answer. No Idempotency-Key is heeded.
    """
    with begin() as work:
        must_work(work)
        actions.count_refusal(work, new)
        return Response(status_code=204)


@router.get("", response_model=RefusalCounts, responses=problems(RoleMissing))
def list_refusals(begin: ReadStatistics, if_none_match: IfNoneMatch = None) -> Response:
    """List how many refusals there were, by country and quarter, as an analyst.

    Of quarters that are over, and of no fewer than 11: what is missing is few, or none.
    Each number is off by a few, by the same for good: nobody can tell a single person.
    """
    with begin() as work:
        shown = RefusalCounts(items=queries.refusals(work))
        return answer(shown, if_none_match=if_none_match)
