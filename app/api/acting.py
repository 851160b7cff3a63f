"""Carrying out a request once, and answering the retry as the first time."""

from collections.abc import Callable

from fastapi import Response

from app.api.conditional import answer
from app.cases import queries as cases
from app.cases.models import Case
from app.casework import situation
from app.handovers import queries as handovers
from app.handovers.models import Handover
from app.handovers.situation import show as show_handovers
from app.kernel.idempotency import Ticket, claim, settle
from app.kernel.problems import NotFound
from app.kernel.work import Reading, Writing
from app.referrals import queries as referrals
from app.referrals.models import Referral
from app.referrals.situation import show as show_referrals

GONE = 204
REPLAYED = {"Idempotent-Replayed": "true"}


def show_case(
    work: Reading, case: Case, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Show a case with the version to send back as If-Match."""
    [shown] = situation.show(work, [case])
    where = {"Location": f"/v1/{case.reference}"} if status == 201 else {}  # noqa: PLR2004
    extra = {**where, **(headers or {})}
    return answer(shown, version=shown.version, status=status, headers=extra)


def show_referral(
    work: Reading,
    referral: Referral,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Show a referral with the version to send back as If-Match."""
    [shown] = show_referrals(work, [referral])
    where = {"Location": f"/v1/{referral.reference}"} if status == 201 else {}  # noqa: PLR2004
    extra = {**where, **(headers or {})}
    return answer(shown, version=shown.version, status=status, headers=extra)


def on_case(
    work: Writing,
    once: Ticket,
    act: Callable[[], Case],
    *,
    created: bool = False,
    key_needed: bool = False,
) -> Response:
    """Act on a case once; the retry is shown the case as it is now.

    What creates something needs a key. An act that ends one's own part in the case answers
    204, and so does its retry.
    """
    needed = created or key_needed
    if (needed or once.key) and (done := claim(work, once)):
        if done.status == GONE:
            return Response(status_code=GONE, headers=REPLAYED)
        case = cases.get_by_id(work, done.resource_id)
        return show_case(work, case, status=done.status, headers=REPLAYED)
    case = act()
    work.session.flush()
    status = (201 if created else 200) if is_party(work, case) else GONE
    if once.key:
        settle(work, once, case.id, status)
    return (
        Response(status_code=GONE)
        if status == GONE
        else show_case(work, case, status=status)
    )


def is_party(work: Reading, case: Case) -> bool:
    """Say whether the caller is still party to the case."""
    return case.is_open_to(work.actor.focal_point_id)


def on_referral(
    work: Writing, once: Ticket, act: Callable[[], Referral], *, created: bool = False
) -> Response:
    """Act on a referral once; the retry is shown the referral as it is now."""
    if (created or once.key) and (done := claim(work, once)):
        referral = referrals.get(work, done.resource_id)
        return show_referral(work, referral, status=done.status, headers=REPLAYED)
    referral = act()
    work.session.flush()
    status = 201 if created else 200
    if once.key:
        settle(work, once, referral.id, status)
    return show_referral(work, referral, status=status)


def show_handover(
    work: Reading,
    handover: Handover,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Show a handover with the version to send back as If-Match."""
    [shown] = show_handovers(work, [handover])
    where = {"Location": f"/v1/{handover.reference}"} if status == 201 else {}  # noqa: PLR2004
    extra = {**where, **(headers or {})}
    return answer(shown, version=shown.version, status=status, headers=extra)


def on_handover(
    work: Writing, once: Ticket, act: Callable[[], Handover], *, created: bool = False
) -> Response:
    """Act on a handover once; the retry is shown the handover as it is now.

    Who declines is no longer party to it: the answer is 204, and so is that to its retry.
    """
    if (created or once.key) and (done := claim(work, once)):
        if done.status == GONE:
            return Response(status_code=GONE, headers=REPLAYED)
        handover = handovers.get(work, done.resource_id)
        return show_handover(work, handover, status=done.status, headers=REPLAYED)
    handover = act()
    work.session.flush()
    mine = handover.relations_of(work.actor.focal_point_id)
    status = (201 if created else 200) if mine else GONE
    if once.key:
        settle(work, once, handover.id, status)
    return (
        Response(status_code=GONE)
        if status == GONE
        else show_handover(work, handover, status=status)
    )


def there[R](opened: R | None) -> R:
    """Answer a refusal like something that is not there, once its entry is committed.

    Raises NotFound (404).
    """
    if opened is None:
        raise NotFound("There is nothing here that is yours to open.")
    return opened
