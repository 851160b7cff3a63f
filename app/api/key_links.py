"""The route with which the holder of an account makes an API key (ADR 86)."""

from typing import Final

from fastapi import APIRouter, Request, Response

from app.access.schemas import KeyRedemption, MadeKeyOut
from app.administration import key_redemption
from app.administration.key_redemption import LinkRefused
from app.api.http.anonymous_routes import AnonymousRoute, render_once
from app.api.http.authentication import limit_wrong_keys
from app.api.http.problems import Answers, list_anonymous_problems
from app.kernel.problems import Unauthenticated

router = APIRouter(prefix="/keys", tags=["accounts"], route_class=AnonymousRoute)
MADE: Final[Answers] = {
    201: {"model": MadeKeyOut, "description": "The key. It is shown only once."},
    **list_anonymous_problems(Unauthenticated),
}


@router.post("/redeem", status_code=201, response_model=MadeKeyOut, responses=MADE)
def redeem_key_link(request: Request, body: KeyRedemption) -> Response:
    """Make an API key with the link that you got. Needs no credential.

    The person who gave you the link does not see the key. A link can be used once, within
    24 hours. If somebody else has used it, or if no response arrives, ask the person to
    revoke the key and to send another link. An unknown, used, expired or revoked link gets
    the same 401.
    """
    try:
        made = key_redemption.redeem_link(request.app.state.runtime, body.link)
    except LinkRefused as error:
        limit_wrong_keys(request, key_redemption.get_link_prefix(body.link))
        raise Unauthenticated(key_redemption.REFUSED) from error
    return render_once(MadeKeyOut.from_secret(made.row, made.secret), 201)
