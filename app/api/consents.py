"""What the person agreed to, and took back."""

from uuid import UUID

from fastapi import Response

from app.api.acting import Headers, create_once, in_case
from app.api.conditional import answer
from app.api.deps import CaseCode, IfNoneMatch, Once, ReadCases, WriteCases
from app.api.nouns import Noun
from app.api.problems import problems
from app.cases import queries as cases
from app.casework import telling
from app.consents import queries
from app.consents.actions import AdultSpokenFor, ConsentOver
from app.consents.models import Consent
from app.consents.schemas import ConsentList, ConsentOut, NewConsent, TakeBack
from app.directory import queries as directory
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import NotFound
from app.kernel.work import Reading

router = Noun("consents", "/cases/{code}/consents")


def spell(work: Reading, consents: list[Consent]) -> list[ConsentOut]:
    """Show consents; whom one names, as far as the caller may know it."""
    named, me = telling.named_in(work, consents), work.actor.focal_point_id
    hints = telling.hints_for(work, consents)
    return [
        ConsentOut.of(
            one,
            named,
            not_yet=hints.get(one.id),
            as_reported=one.recorded_by == me,
        )
        for one in consents
    ]


def show_consent(
    work: Reading, consent: Consent, status: int, headers: Headers
) -> Response:
    """Show one consent."""
    [shown] = spell(work, [consent])
    return answer(shown, status=status, headers=headers)


@router.post(
    "",
    status_code=201,
    response_model=ConsentOut,
    responses=problems(
        *(NotFound, KeyMissing, KeyReused, KeyInFlight, ConsentOver, AdultSpokenFor),
        *(ActionIllegal, ActionNotYours, RoleMissing, directory.FocalPointUnknown),
    ),
)
def record_consent(
    begin: WriteCases, code: CaseCode, once: Once, new: NewConsent
) -> Response:
    """Record what the person agreed to: the submitter, and once there is one, the lead.

    A child's own word is kept, and counts once the person is found to be an adult:
    `not_yet` says so, and whose word counts now.
    """
    with begin() as work:
        kept = in_case(code, queries.get, show_consent)
        return create_once(
            work, once, kept, lambda: telling.record_consent(work, code, new)
        )


@router.get("", response_model=ConsentList, responses=problems(NotFound))
def list_consents(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """List the consents you may know of; a recipient, those that name it."""
    with begin() as work:
        found = telling.consents_for(work, cases.get(work, code))
        return answer(ConsentList(items=spell(work, found)), if_none_match=if_none_match)


@router.post("/withdraw", status_code=204, responses=problems(NotFound, RoleMissing))
def withdraw_consents(begin: WriteCases, code: CaseCode, said: TakeBack) -> Response:
    """Take back for the person all that they agreed to for some purposes.

    Whomever it named. For any party to the case, also one that sees none of its consents:
    the person tells whom they trust. A consent is taken back whole; what the person still
    wants, the lead asks anew. What rested on it alone ends at once. The answer is the same
    whether there was one or not. No version: a person's no is never out of date.
    """
    with begin() as work:
        telling.withdraw_consents(work, code, said)
        return Response(status_code=204)


@router.post(
    "/{consent_id}/withdraw",
    response_model=ConsentOut,
    responses=problems(NotFound, RoleMissing),
)
def withdraw_consent(begin: WriteCases, code: CaseCode, consent_id: UUID) -> Response:
    """Take a consent back for the person; it holds from the very next request.

    Any party that sees it may, without a version: a person's no is never out of date. Doing
    it twice changes nothing. Referrals that rest on it end at once.
    """
    with begin() as work:
        consent = telling.withdraw_consent(work, code, consent_id)
        [shown] = spell(work, [consent])
        return answer(shown)
